"""Training: from examples and a model to a model that has learned. In reading order:

    examples      what comes in: arrays and lists, checked; what is set aside, and in which order they come
    history       what is left behind and said on the way: History, EpochEnd, NonFiniteLossError, the bar
    metrics       what one asks of a model: predict, accuracy, confusion_matrix, mean_loss
    loops         the inner loop, through the graphs: the one that one would write by hand
    programs      a model and its loss as array programs, and how they are kept with the model
    compiled      the inner loop on arrays, and how it is held to the first
    train         fit: prepare, loop, report
    estimators    MLPClassifier and MLPRegressor: `fit` behind scikit-learn's interface
    minimisation  functions of a few numbers, without any model: minimize, newton_root, descent_trace

Each imports from those above it only.
"""

"""The course: which notebook is about what, and which rows of the curriculum it holds to which figures.

`MENTIONS` says what must stand near a "notebook NN" in any text: a pointer that points to the wrong lesson sends a
reader away. `ROWS` says where each row is taught, with figures that its code must hold.
"""

from __future__ import annotations

# number -> what stands, in some form, in every sentence that points to it
MENTIONS = {
    "01": r"graph|gradient|chain rule|backprop|path",
    "02": r"sigmoid|gate|gradient|graph",
    "03": r"order|recurs|obvious",
    "04": r"build|built|your own|`Value`|wrote|written",
    "05": r"forward mode|dual|routes?|switch|passes|one pass",
    "06": r"check|differences",
    "07": r"second deriv|Hessian|Newton|derivative of a derivative|higher",
    "08": r"neuron|perceptron|downhill|logistic",
    "09": r"XOR|XNOR|AND|gates?\b",
    "10": r"backwards|three layers|by hand|δ|delta|matri",
    "11": r"MLP|training|layer|network|loop|descent",
    "12": r"zero_grad|question",
    "13": r"activation|ReLU|initial|vanish|start|deep network|slope|centred",
    "14": r"cross-entropy|softmax|loss|L2|penalty|logit",
    "15": r"learning rate|batch|schedule|noise",
    "16": r"Adam|momentum|optimiser|Adagrad|saddle",
    "17": r"curve|step|universal|overfit|staircase",
    "18": r"units|layers|features|wide|deep",
    "19": r"digit",
    "20": r"compile|matri|program|Jacobian",
    "21": r"convolution|filter|pool",
    "22": r"convolution|filter|pixel",
    "23": r"recurren|memory|unroll|vanish|through time",
    "24": r"LSTM|GRU|memory|forget",
    "25": r"word|embedding|vector|neighbour",
    "26": r"language|perplexity|trigram|bigram|counts",
    "27": r"road|ALVINN|hill",
    "28": r"sound|NETtalk|letter",
    "29": r"GPT|attention|transformer",
}

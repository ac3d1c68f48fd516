"""What the lectures build: one file to an idea, each made of the layers and the training of `nn`.

| file        | idea                                                                                    |
|-------------|-----------------------------------------------------------------------------------------|
| gates       | neurons as logic gates: McCulloch and Pitts, and sigmoids with large weights            |
| perceptrons | `Perceptron`: one mistake corrected after another, until a line separates the examples  |
| logistic    | `LogisticRegression`: one neuron whose sum is the log-odds, solved by Newton's method   |
| checklist   | what to check before training in earnest; a sweep of learning rates                     |
| sequences   | sequences with a known answer, for networks with a memory                               |
| words       | `Vocabulary`, `SkipGram`: words as vectors                                              |
| language    | `NGramModel`, `NeuralLanguageModel`: the next word, by counting and by a network        |
| corpora     | texts that come with the package                                                        |
| steering    | a road from the driver's seat, and where to steer: ALVINN's task                        |

>>> from nn.lessons import Perceptron
>>> Perceptron(2).fit([[2.0, 1.0], [-1.0, -2.0]], [1, -1])
PerceptronReport(separated: pass 2 met no mistake, after 1 corrections; 1 corrections)
"""

from . import checklist, corpora, gates, sequences, steering
from .language import NeuralLanguageModel, NGramModel, best_k, perplexity
from .logistic import LogisticRegression
from .perceptrons import Perceptron, PerceptronReport
from .words import SkipGram, Vocabulary, skip_gram_pairs

__all__ = [
    "LogisticRegression",
    "NGramModel",
    "NeuralLanguageModel",
    "Perceptron",
    "PerceptronReport",
    "SkipGram",
    "Vocabulary",
    "best_k",
    "checklist",
    "corpora",
    "gates",
    "perplexity",
    "sequences",
    "skip_gram_pairs",
    "steering",
]

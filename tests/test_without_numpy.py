"""Where there is no NumPy, as in a browser, what needs it says so at once, and how to get it; the rest goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEFORE = """
import sys

sys.modules["numpy"] = None  # from here on `import numpy` fails
import autograd, nn, viz
from autograd import Value
from nn import MLP, SGD, losses
from nn.lessons import NeuralLanguageModel, SkipGram, Vocabulary, corpora

model, X, y = MLP(2, [4, 1], seed=0), [[0.0, 1.0], [1.0, 0.0]], [0, 1]
words, loss = [["one", "two"]], losses.binary_cross_entropy


def bowl(p):
    return p[0] ** 2 + p[1] ** 2


for name, call in {
    "playground": lambda: viz.playground(model, X, y, loss=loss, optimizer=SGD(lr=0.1)),
    "compile": lambda: autograd.compile(lambda x, t: loss(model(x), t), X[0], y[0]),
    "fit": lambda: nn.fit(model, X, y, progress=False),
    "fit node by node": lambda: nn.fit(model, X, y, compiled=False, progress=False),
    "predict": lambda: nn.predict(model, X),
    "accuracy": lambda: nn.accuracy(model, X, y),
    "mean_loss": lambda: nn.mean_loss(model, X, y),
    "confusion_matrix": lambda: nn.confusion_matrix(model, X, y),
    "plot": lambda: viz.plot_history({"loss": [1.0]}),
    "MLPClassifier": lambda: nn.MLPClassifier(),
    "npz": lambda: model.save("model.npz"),
    "newton": lambda: nn.minimize(bowl, [1.0, 1.0], method="newton"),
    "words": lambda: SkipGram(Vocabulary(words), 2, seed=0).examples(words),
    "vectors": lambda: SkipGram(Vocabulary(words), 2, seed=0).nearest("one"),
    "language": lambda: NeuralLanguageModel(Vocabulary(words), seed=0).examples(words),
    "letters": lambda: corpora.letter_windows(["ship"], ["S-ip"]),
    "a drawing": lambda: viz.draw_graph(model(X[0])),
    "a step by hand": lambda: (loss(model(X[0]), 1).backward(), SGD(model.parameters(), lr=0.1).step()),
}.items():
    try:
        call()
        print(name, "works", sep="|")
    except Exception as error:
        print(name, f"{type(error).__name__}: {error}", sep="|")
"""


@pytest.mark.parametrize("platform", [sys.platform, "emscripten"])
def test_what_needs_numpy_says_so_and_how_to_get_it_and_the_rest_goes_on(platform: str) -> None:
    program = f"import sys\nsys.platform = {platform!r}\n{BEFORE}" if platform == "emscripten" else BEFORE
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = dict(line.split("|", 1) for line in done.stdout.splitlines())
    assert [name for name, what in said.items() if what == "works"] == ["a drawing", "a step by hand"]
    assert len(said) == 18
    how = "%pip install" if platform == "emscripten" else f"{sys.executable} -m pip install"
    for name, what in said.items():
        if what != "works":
            assert what.startswith("ImportError: ") and " needs NumPy, and " in what and how in what, (name, what)
    assert "pip install matplotlib" in said["plot"]  # which brings NumPy along
    assert said["playground"].startswith("ImportError: playground needs NumPy")

"""Errors that teach, in networks and pictures: PyTorch's, Keras's, scikit-learn's, micrograd's names are answered."""

from __future__ import annotations

import inspect
import re

import pytest

import nn
import viz
from autograd import Value
from autograd.hints import Elsewhere
from nn import MLP, SGD, Adam, Conv2d, Embedding, Layer, MLPClassifier, Module, Neuron, data, fit
from nn.elsewhere import NAMES, LikeANetwork
from nn.lessons import LogisticRegression

WORDS = {name: word.advice for name, word in vars(LikeANetwork).items() if isinstance(word, Elsewhere)}


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_name_is_an_import_error_with_advice_and_else_not_there(name: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(f"from nn import {name}")
    assert str(caught.value) == f"nn has no {name!r}; {NAMES[name]}"
    assert not hasattr(nn, name)


@pytest.mark.parametrize("advice", [*NAMES.values(), *WORDS.values()])
def test_the_advice_names_what_there_is(advice: str) -> None:
    """Every capitalised word of ours in it, and every `nn.something`, can be imported."""
    for word in re.findall(r"\bnn\.(\w+)", advice):
        assert hasattr(nn, word), advice
    for word in re.findall(r"\b([A-Z]\w+)\(", advice):
        assert hasattr(nn, word) or word == "Value", advice


@pytest.mark.parametrize(
    ("module", "wrong", "right"),
    [("nn", "MPL", "MLP"), ("nn", "acuracy", "accuracy"), ("nn", "adam", "Adam"), ("viz", "draw_grpah", "draw_graph")],
)
def test_a_misspelt_name_is_answered_with_the_nearest(module: str, wrong: str, right: str) -> None:
    with pytest.raises(ImportError, match=f"^{module} has no '{wrong}'; did you mean '{right}'\\?$"):
        exec(f"from {module} import {wrong}")


def test_pictures_by_other_names() -> None:
    with pytest.raises(ImportError, match=r"viz has no 'make_dot'; write draw_graph\(f\)"):
        exec("from viz import make_dot")
    assert not hasattr(viz, "make_dot")


@pytest.mark.parametrize("name", WORDS)
def test_a_foreign_attribute_of_a_model_is_answered_and_not_completed(name: str) -> None:
    model = MLP(2, [1])
    with pytest.raises(AttributeError, match=f"^MLP has no .{name}; "):
        getattr(model, name)
    assert not hasattr(model, name) and name not in dir(model)


def test_a_model_of_ones_own_may_use_these_words() -> None:
    class Mine(Module):
        def __init__(self) -> None:
            self.train = [Value(1.0)]
            self.w = Value(2.0)

        def predict(self, x: float) -> float:
            return self.w.data * x

    mine = Mine()
    assert mine.predict(3.0) == 6.0 and mine.train[0].data == 1.0
    assert len(mine.parameters()) == 2
    assert {"train", "predict"} <= set(dir(mine)) and "fit" not in dir(mine)
    assert callable(LogisticRegression(2).fit)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Neuron(3, nonlin=False), r"^Neuron has no argument 'nonlin'; .*activation=\"linear\"$"),
        (lambda: Neuron(3, bias=False), "^Neuron has no argument 'bias'; every neuron has a bias"),
        (lambda: Layer(in_features=3, nout=2), "^Layer has no argument 'in_features'; write nin"),
        (
            lambda: Embedding(vocab_size=3, embedding_dim=2),
            "^Embedding has no argument 'vocab_size'; write num_embeddings",
        ),
        (lambda: Conv2d(1, 1, kernel=3), "^Conv2d has no argument 'kernel'; write kernel_size"),
        (lambda: MLP(3, sizes=[4, 1]), r"^MLP has no argument 'sizes'; write nouts=\[8, 1\]"),
        (lambda: MLP(3, [1], activaton="relu"), r"^MLP has no argument 'activaton'; did you mean 'activation'\?$"),
        (lambda: Adam(learning_rate=0.1), "^Adam has no argument 'learning_rate'; write lr$"),
        (lambda: SGD(clipnorm=1.0), r"^SGD has no argument 'clipnorm'; did you mean 'clip_norm'\?$"),
        (
            lambda: MLPClassifier(hidden_layer_sizes=(8,)),
            r"^MLPClassifier has no argument .*; write hidden=\(16, 16\)$",
        ),
        (lambda: fit(MLP(2, [1]), [[1.0, 2.0]], [1.0], learning_rate=0.1), r"^fit\(\) has no argument .*; write lr$"),
        (lambda: fit(MLP(2, [1]), [[1.0, 2.0]], [1.0], epoch=1), r"did you mean 'epochs'\?$"),
    ],
)
def test_a_foreign_or_misspelt_argument_is_answered_with_ours(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(TypeError, match=message):
        call()


def test_one_hidden_layer_still_is_a_list() -> None:
    X, y = data.moons(10)
    with pytest.raises(TypeError, match=r"^hidden is a list .* but got 8; for a single layer write hidden=\(8,\)$"):
        MLPClassifier(hidden=8).fit(X, y)  # type: ignore[arg-type]


def test_signatures_are_those_of_the_functions_themselves() -> None:
    assert list(inspect.signature(Neuron).parameters) == ["nin", "activation", "init", "seed", "fan_out"]
    assert list(inspect.signature(fit).parameters)[:4] == ["model", "X", "y", "loss"]
    assert "hidden" in MLPClassifier().get_params()

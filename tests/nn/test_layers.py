"""Neurons, layers, MLPs, activations and initialisers."""

from __future__ import annotations

import math
import random
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, gradcheck, statistics, topological_order
from nn import MLP, Layer, Module, Neuron, activations
from nn import init as initialisers
from nn.activations import PReLU

SMOOTH = ["linear", "sigmoid", "tanh", "softplus", "gelu"]
ALL = [*SMOOTH, "relu", "leaky_relu", "prelu"]


def as_arrays(model: MLP) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    return [
        (np.array([[w.data for w in n.w] for n in layer.neurons]), np.array([n.b.data for n in layer.neurons]))
        for layer in model.layers
    ]


# --- neurons


def test_a_neuron_is_drawn_as_products_that_are_summed_from_left_to_right_with_the_bias_last() -> None:
    neuron = Neuron(3, "tanh", seed=0)
    x = [Value(1.0, "x0"), Value(2.0, "x1"), Value(3.0, "x2")]
    y = neuron(x)
    ops = [node.op for node in topological_order(y) if node.inputs]
    assert ops == ["mul", "mul", "add", "mul", "add", "add", "tanh"]
    total = y.inputs[0]
    assert total.inputs[1] is neuron.b
    assert total.inputs[0].inputs[1].inputs == (neuron.w[2], x[2])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=1, max_size=8), st.floats(-10, 10))
def test_a_neuron_computes_the_weighted_sum(pairs: list[tuple[float, float]], b: float) -> None:
    neuron = Neuron(len(pairs), "linear")
    for p, (w, _) in zip(neuron.w, pairs, strict=True):
        p.data = w
    neuron.b.data = b
    exact = mpmath.fsum([mpmath.mpf(w) * mpmath.mpf(x) for w, x in pairs]) + mpmath.mpf(b)
    size = sum(abs(w * x) for w, x in pairs) + abs(b)
    assert abs(neuron([x for _, x in pairs]).data - float(exact)) <= 1e-15 * len(pairs) * size + 1e-300


@pytest.mark.parametrize("inputs", [[1.0], [1.0, 2.0, 3.0], (), np.zeros(5)])
def test_a_wrong_number_of_inputs_gives_both_numbers(inputs: Any) -> None:
    n = len(inputs)
    with pytest.raises(ValueError, match=f"this neuron takes 2 inputs, but got {n}"):
        Neuron(2)(inputs)
    with pytest.raises(ValueError, match=f"this layer takes 2 inputs, but got {n}"):
        Layer(2, 3)(inputs)
    with pytest.raises(ValueError, match=f"this MLP takes 2 inputs, but got {n}"):
        MLP(2, [3, 1])(inputs)


def test_many_examples_at_once_are_refused_and_the_error_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match=r"one example at a time, as in \[model\(x\) for x in X\]"):
        MLP(2, [1])([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("inputs", ["ab", {"a": 1.0, "b": 2.0}, None])
def test_inputs_that_are_not_a_list_of_numbers_are_refused(inputs: Any) -> None:
    with pytest.raises(TypeError, match="this MLP takes a list of 2 numbers or Values, but got"):
        MLP(2, [1])(inputs)


def test_lists_tuples_arrays_iterators_and_values_all_work_as_inputs() -> None:
    model = MLP(2, [3, 1], seed=0)
    expected = model([1.0, 2.0]).data
    kinds: list[Any] = [
        (1.0, 2.0),
        np.array([1.0, 2.0]),
        iter([1.0, 2.0]),
        [Value(1.0), Value(2.0)],
        np.array([Value(1.0), Value(2.0)], dtype=object),
        [np.float64(1.0), 2],
    ]
    assert [model(x).data for x in kinds] == [expected] * len(kinds)


def test_a_single_number_will_do_for_a_single_input() -> None:
    model = MLP(1, [2, 1], seed=0)
    assert model(0.5).data == model([0.5]).data == model(Value(0.5)).data


# --- MLPs


def test_micrograds_form_works() -> None:
    x = [2.0, 3.0, -1.0]
    n = MLP(3, [4, 4, 1])
    y = n(x)
    assert isinstance(y, Value)
    y.backward()
    assert len(n.parameters()) == 41
    assert any(p.grad for p in n.parameters())
    assert isinstance(MLP(3, [4, 2])(x), list)


def test_a_hidden_layer_may_have_a_single_neuron() -> None:
    assert isinstance(MLP(2, [1, 1], seed=0)([1.0, 2.0]), Value)


@settings(deadline=None)
@given(st.integers(1, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 10**6))
def test_an_mlp_equals_matrix_products(nin: int, nouts: list[int], seed: int) -> None:
    model = MLP(nin, nouts, activation="tanh", output="sigmoid", seed=seed)
    rng = random.Random(seed)
    a = x = np.array([rng.uniform(-2, 2) for _ in range(nin)])
    layers = as_arrays(model)
    for i, (w, b) in enumerate(layers):
        z = w @ a + b
        a = np.tanh(z) if i < len(layers) - 1 else 1 / (1 + np.exp(-z))
    y = model(x.tolist())
    assert np.allclose([v.data for v in (y if isinstance(y, list) else [y])], a, rtol=0, atol=1e-14)


def test_the_lectures_fully_connected_network_b5() -> None:
    model = MLP.from_arrays(
        [
            ([[1.0, -2.0], [-1.0, 1.0]], [1.0, 0.0]),
            ([[2.0, -1.0], [-2.0, -1.0]], [0.0, 0.0]),
            ([[3.0, -1.0], [-1.0, 4.0]], [-2.0, 2.0]),
        ],
        activation="sigmoid",
        output="sigmoid",
    )

    def rounded(x: list[float]) -> list[list[float]]:
        return [[round(y.data, 2) for y in layer] for layer in model.layer_outputs(x)]

    assert rounded([1.0, -1.0]) == [[0.98, 0.12], [0.86, 0.11], [0.62, 0.83]]
    assert rounded([0.0, 0.0]) == [[0.73, 0.50], [0.72, 0.12], [0.51, 0.85]]
    assert [round(y.data, 2) for y in model([1.0, -1.0])] == [0.62, 0.83]


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: MLP(0, [1]), ValueError, "the number of inputs of an MLP must be at least 1, but got 0"),
        (lambda: MLP(2, []), ValueError, "at least one layer, but nouts is empty"),
        (lambda: MLP(2, [3, 0]), ValueError, "the size of a layer must be at least 1, but got 0"),
        (lambda: MLP(2, [2.5]), TypeError, "must be a whole number, but got float: 2.5"),
        (lambda: MLP(2, 3), TypeError, r"such as \[4, 4, 1\], but got 3"),
        (lambda: MLP(2, [3, 1], activation="rleu"), ValueError, "but got 'rleu'; did you mean 'relu'"),
        (lambda: MLP(2, [3, 1], activation=3), TypeError, "not iterable|a name or a function"),
        (
            lambda: MLP(2, [3, 1], activation=["relu", "tanh"]),
            ValueError,
            "1 hidden layers need 1 activations, but got 2",
        ),
        (
            lambda: MLP(2, [3, 1], activation="softmax"),
            ValueError,
            "softmax makes probabilities, so it is for the output",
        ),
        (lambda: MLP(2, [3, 1], init="xaviar"), ValueError, "but got 'xaviar'; did you mean 'xavier'"),
        (lambda: MLP(2, [3, 1], init=0), TypeError, "an initialiser is a name or a function"),
        (lambda: MLP(2, [3, 1], seed="a"), TypeError, "a seed is an int or None, but got str: 'a'"),
        (lambda: Neuron(2, "softmax"), ValueError, "cannot be a single neuron's activation"),
        (lambda: Layer.from_arrays([[1.0, 2.0], [1.0]], [0.0, 0.0]), ValueError, r"rows of \[2, 1\]"),
        (lambda: Layer.from_arrays([[1.0, 2.0]], [0.0, 0.0]), ValueError, "1 neurons need 1 biases, but got 2"),
        (
            lambda: MLP.from_arrays([([[1.0]], [0.0]), ([[1.0, 2.0]], [0.0])]),
            ValueError,
            "layer 1 takes 2 inputs, but layer 0 has 1 outputs",
        ),
    ],
)
def test_a_network_that_cannot_be_built_says_why(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


# --- gradients


@pytest.mark.parametrize("activation", ALL)
def test_gradients_of_every_layer_agree_with_central_differences(activation: str) -> None:
    model = MLP(3, [4, 3, 2], activation=activation, output=activation, seed=3)
    rng = random.Random(1)
    for layer in model.layers:  # a sum of exactly 0 would sit on ReLU's kink
        for neuron in layer.neurons:
            neuron.b.data = rng.uniform(0.1, 1.0)
    x = [Value(0.7), Value(-1.2), Value(0.4)]
    assert gradcheck(lambda *p: model(x), [*model.parameters(), *x])


def test_gradients_of_a_softmax_layer_agree_with_central_differences() -> None:
    model = MLP(3, [4, 3], output="softmax", seed=3)
    x = [Value(0.7), Value(-1.2), Value(0.4)]
    assert gradcheck(lambda *p: model(x), [*model.parameters(), *x])


@pytest.mark.parametrize("activation", [*ALL, "softmax"])
def test_outputs_and_gradients_of_every_layer_agree_with_pytorch(activation: str) -> None:
    torch = pytest.importorskip("torch")
    functions = {
        "linear": lambda z, a: z,
        "sigmoid": lambda z, a: torch.sigmoid(z),
        "tanh": lambda z, a: torch.tanh(z),
        "relu": lambda z, a: torch.relu(z),
        "leaky_relu": lambda z, a: torch.nn.functional.leaky_relu(z, 0.1),
        "prelu": lambda z, a: torch.nn.functional.prelu(z, a),
        "softplus": lambda z, a: torch.nn.functional.softplus(z),
        "gelu": lambda z, a: torch.nn.functional.gelu(z),
        "softmax": lambda z, a: torch.softmax(z, dim=0),
    }
    model = MLP(3, [5, 4], activation="tanh", output=activation, seed=5)
    x = [Value(0.7), Value(-1.2), Value(0.4)]
    weights = [0.3, -1.0, 2.0, 0.5]
    total = sum(w * y for w, y in zip(weights, model(x), strict=True))
    total.backward()
    tensors = [(torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)) for w, b in as_arrays(model)]
    tx = torch.tensor([v.data for v in x], dtype=torch.float64, requires_grad=True)
    alpha = torch.tensor([0.25], dtype=torch.float64, requires_grad=True)
    hidden = torch.tanh(tensors[0][0] @ tx + tensors[0][1])
    out = functions[activation](tensors[1][0] @ hidden + tensors[1][1], alpha)
    expected = (torch.tensor(weights, dtype=torch.float64) * out).sum()
    expected.backward()
    assert total.data == pytest.approx(expected.item(), abs=1e-12)
    for layer, (w, b) in zip(model.layers, tensors, strict=True):
        assert np.allclose([[v.grad for v in n.w] for n in layer.neurons], w.grad.numpy(), rtol=0, atol=1e-10)
        assert np.allclose([n.b.grad for n in layer.neurons], b.grad.numpy(), rtol=0, atol=1e-10)
    assert np.allclose([v.grad for v in x], tx.grad.numpy(), rtol=0, atol=1e-10)
    if activation == "prelu":
        assert model.layers[1].activation.alpha.grad == pytest.approx(alpha.grad.item(), abs=1e-10)


# --- activations (B6)

CLOSED_FORMS: dict[str, Any] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": lambda z: 2 / (1 + mpmath.exp(-2 * z)) - 1,
    "relu": lambda z: max(mpmath.mpf(0), z),
    "leaky_relu": lambda z: max(z / 10, z),
    "prelu": lambda z: max(z / 4, z),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "gelu": lambda z: z * mpmath.ncdf(z),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_every_activation_and_its_derivative_follow_the_closed_form(name: str) -> None:
    with mpmath.workdps(50):
        for z, y, slope in zip(*activations.curve(name, -4.9, 5.0, 34), strict=True):
            exact = CLOSED_FORMS[name](mpmath.mpf(z))
            derivative = mpmath.diff(CLOSED_FORMS[name], mpmath.mpf(z), h=mpmath.mpf(10) ** -15)
            assert y == pytest.approx(float(exact), rel=2e-14, abs=1e-16)
            assert slope == pytest.approx(float(derivative), rel=1e-13, abs=1e-13)


@settings(deadline=None)
@given(st.floats(-300, 300))
def test_tanh_is_twice_a_sigmoid_of_twice_the_sum_less_one(z: float) -> None:
    assert autograd.tanh(z) == pytest.approx(2 * autograd.sigmoid(2 * z) - 1, abs=1e-15)


def test_an_activation_may_be_a_function() -> None:
    model = MLP(1, [1], output=lambda z: z * z, seed=0)
    w, b = model.parameters()
    assert model(3.0).data == (w.data * 3.0 + b.data) ** 2
    assert "sin" in repr(MLP(1, [2, 1], activation=autograd.sin))
    assert "tanh" in repr(MLP(1, [2, 1], activation=autograd.tanh))


def test_hidden_layers_may_have_activations_of_their_own() -> None:
    assert repr(MLP(1, [2, 2, 1], activation=["relu", "sigmoid"])).startswith(
        "MLP(1 → 2 → 2 → 1, relu, sigmoid, linear"
    )


def test_the_slope_of_a_parametric_relu_is_learned_per_layer() -> None:
    model = MLP(1, [2, 2, 1], activation="prelu", seed=0)
    alphas = [p for name, p in model.named_parameters() if name.endswith("alpha")]
    assert len(alphas) == 2
    prelu = PReLU(0.25)
    y = prelu(Value(-2.0))
    y.backward()
    assert (y.data, prelu.alpha.grad) == (-0.5, -2.0)
    prelu.zero_grad()
    prelu(Value(3.0)).backward()
    assert prelu.alpha.grad == 0.0


def test_gradients_vanish_through_sigmoid_layers_and_not_through_relu_layers_b6() -> None:
    def first_and_last(activation: str, init: str) -> tuple[float, float]:
        model = MLP(4, [8] * 8 + [1], activation=activation, init=init, seed=1)
        model([0.5, -0.3, 0.8, 0.1]).backward()
        sizes = [math.sqrt(sum(p.grad**2 for p in layer.weights())) for layer in model.layers]
        return sizes[0], sizes[-2]

    first, last = first_and_last("sigmoid", "xavier")
    assert first < 1e-4 * last
    first, last = first_and_last("relu", "he")
    assert first > 1e-2 * last


def test_a_dead_relu_learns_nothing_and_a_leaky_one_does_b6() -> None:
    for activation, alive in (("relu", False), ("leaky_relu", True)):
        neuron = Neuron(2, activation, seed=0)
        neuron.b.data = -100.0
        for x in ([1.0, 2.0], [-3.0, 1.0], [0.5, 0.5]):
            neuron(x).backward()
        assert any(p.grad != 0.0 for p in neuron.parameters()) is alive


def test_the_leaky_relu_has_one_slope_everywhere_b6() -> None:
    assert activations.leaky_relu is autograd.leaky_relu
    slopes = [
        autograd.leaky_relu(-1.0),
        Value(-1.0).leaky_relu().data,
        autograd.parse("leaky_relu(x)", x=-1.0).data,
        activations.curve("leaky_relu", -1.0, 0.0, 2)[1][0],
    ]
    assert slopes == [-0.1] * 4


def test_curve_refuses_an_empty_interval() -> None:
    with pytest.raises(ValueError, match=r"but got 1\.0, 1\.0 and 201"):
        activations.curve("relu", 1.0, 1.0)


# --- initialisers (B9)


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("zeros", 0.0),
        ("normal", 1e-4),
        ("uniform", 1 / 3),
        ("xavier", 2 / 150),
        ("xavier_uniform", 2 / 150),
        ("xavier_normal", 2 / 150),
        ("he", 2 / 100),
        ("he_uniform", 2 / 100),
        ("he_normal", 2 / 100),
    ],
)
def test_weights_have_mean_zero_and_the_variance_of_their_rule_and_biases_are_zero(init: str, variance: float) -> None:
    layer = Layer(100, 50, init=init, seed=0)
    w = np.array([p.data for p in layer.weights()])
    assert len(w) == 5000
    assert w.var() == pytest.approx(variance, rel=0.1)  # five standard errors of a variance from 5,000 draws
    assert abs(w.mean()) <= 5 * math.sqrt(variance / 5000)
    assert all(n.b.data == 0.0 for n in layer.neurons)


@pytest.mark.parametrize(("init", "bound"), [("xavier", math.sqrt(6 / 150)), ("he_uniform", math.sqrt(6 / 100))])
def test_uniform_rules_fill_their_interval_and_stay_inside(init: str, bound: float) -> None:
    w = np.abs([p.data for p in Layer(100, 50, init=init, seed=0).weights()])
    assert 0.99 * bound < w.max() <= bound


def test_a_seed_gives_the_same_network_and_no_global_generator_is_touched() -> None:
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002  # the global state is what the test is about
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[union-attr]  # noqa: NPY002
    a, b, c = MLP(2, [3, 1], seed=5), MLP(2, [3, 1], seed=5), MLP(2, [3, 1], seed=6)
    assert a.state_dict() == b.state_dict() != c.state_dict()
    assert MLP(2, [3, 1]).state_dict() != MLP(2, [3, 1]).state_dict()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[union-attr]  # noqa: NPY002
    assert initialisers.generator(np.int64(5)).random() == random.Random(5).random()  # type: ignore[arg-type]


def test_neurons_that_start_at_zero_stay_the_same_b9() -> None:
    from nn import SGD, fit

    X, y = [[0.2, 0.9], [0.8, -0.4], [-0.5, 0.3]], [0.3, -0.6, 0.9]
    lame = MLP(2, [3, 1], activation="sigmoid", init="zeros")
    fit(lame, X, y, optimizer=SGD(lr=0.5), epochs=50, progress=False)
    rows = [tuple(p.data for p in n.parameters()) for n in lame.layers[0].neurons]
    assert len(set(rows)) == 1
    assert rows[0] != (0.0, 0.0, 0.0)  # they did move, but together
    lively = MLP(2, [3, 1], activation="sigmoid", seed=0)
    fit(lively, X, y, optimizer=SGD(lr=0.5), epochs=50, progress=False)
    assert len({tuple(p.data for p in n.parameters()) for n in lively.layers[0].neurons}) == 3


def test_he_keeps_the_size_of_signals_through_relu_layers_and_small_normals_do_not_b9() -> None:
    rng = random.Random(0)
    X = [[rng.gauss(0, 1) for _ in range(30)] for _ in range(30)]

    def second_moments(init: str) -> list[float]:
        model = MLP(30, [30] * 4, activation="relu", output="relu", init=init, seed=0)
        outputs = [model.layer_outputs(x) for x in X]
        return [float(np.mean([[y.data**2 for y in o[k]] for o in outputs])) for k in range(4)]

    he, small = second_moments("he"), second_moments("normal")
    assert 0.3 < he[3] / he[0] < 3.0
    assert small[3] / small[0] < 1e-6


def test_an_initialiser_may_be_a_function() -> None:
    layer = Layer(3, 2, init=lambda rng, fan_in, fan_out: fan_in + 10.0 * fan_out)
    assert {p.data for p in layer.weights()} == {23.0}


def test_the_number_of_nodes_per_example_is_that_of_the_formula() -> None:
    y = MLP(2, [16, 16, 1], seed=0)([0.1, 0.2])
    stats = statistics(y)
    weights = 2 * 16 + 16 * 16 + 16
    assert stats.nodes - stats.leaves - stats.constants == weights + weights + 32  # products, sums with b, and tanh


def test_a_neuron_used_alone_is_filed_under_its_own_name() -> None:
    neuron = Neuron(2, seed=1)
    y = neuron([Value(1.0, "x0"), Value(2.0, "x1")])
    assert {p.scope for p in neuron.parameters()} == {"neuron"}
    assert y.scope == "neuron"
    assert {p.scope for p in Layer(2, 1, seed=1).neurons[0].parameters()} == {"neurons.0"}


# --- what is easily mistyped


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Layer(2, 1, "softmax"), ValueError, "softmax over 1 output is always 1; .* use sigmoid"),
        (lambda: MLP(2, [3, 1], output="softmax"), ValueError, "use sigmoid"),
        (lambda: Neuron(3)(1, 2, 3), TypeError, r"takes one list of inputs, but got 3 arguments; .*model\(\[1, 2, 3\]"),
        (lambda: MLP(2, [1])(1.0, 2.0), TypeError, r"with brackets: model\(\[1.0, 2.0\]\)"),
        (lambda: Neuron(2)({1.0, 2.0}), TypeError, "a set has no order"),
        (lambda: MLP(2, [3, 1], activation=None), TypeError, 'for none write "linear"'),  # type: ignore[arg-type]
        (lambda: Neuron(2, None), TypeError, 'for none write "linear"'),  # type: ignore[arg-type]
    ],
)
def test_what_is_easily_mistyped_gets_a_hint(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_a_type_error_inside_forward_of_two_inputs_is_not_explained_away() -> None:
    class Two(Module):
        def forward(self, x: Any, y: Any) -> Any:
            return x + y

    with pytest.raises(TypeError, match="unsupported operand"):
        Two()(1.0, None)
    with pytest.raises(TypeError, match="but got 3 arguments"):
        Two()(1.0, 2.0, 3.0)


def test_sizes_may_be_an_array() -> None:
    assert MLP(3, np.array([4, 1])).describe() == "MLP(3 → 4 → 1, tanh, linear)"  # type: ignore[arg-type]


def test_names_of_activations_and_initialisers_may_be_in_capitals() -> None:
    assert Layer(2, 2, "ReLU", "Xavier").describe() == "Layer(2 → 2, relu)"
    assert Layer(2, 2, "LeakyReLU").describe() == "Layer(2 → 2, leaky_relu)"
    with pytest.raises(ValueError, match="but got 'ReLUU'; did you mean 'relu'"):
        Layer(2, 2, "ReLUU")
    with pytest.raises(ValueError, match="softmax makes probabilities"):
        MLP(2, [3, 2], activation="Softmax")

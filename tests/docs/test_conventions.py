"""docs/conventions.md: every row holds, on our side and on PyTorch's.

Each row of the page has a check of the same name here. It measures both sides, and gives back, as words, what the row's
two cells must say.
"""

from __future__ import annotations

import copy
import inspect
import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn
from autograd import Value, detect_anomaly, gradcheck, log, maximum, minimum, sigmoid, softplus
from nn import schedules

torch: Any = pytest.importorskip("torch")
F = torch.nn.functional

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conventions.md"
Words = str | tuple[str, ...]
CHECKS: dict[str, Callable[[], tuple[Words, Words]]] = {}


def row(name: str) -> Callable[[Callable[[], tuple[Words, Words]]], None]:
    def keep(check: Callable[[], tuple[Words, Words]]) -> None:
        assert name not in CHECKS
        CHECKS[name] = check

    return keep


def rows() -> Iterator[tuple[str, str, str]]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")] if line.startswith("|") else []
        if cells and cells[0] != "what" and not cells[0].startswith("---"):
            yield cells[0], cells[1], cells[2]


def test_every_row_has_its_check_and_every_check_its_row() -> None:
    names = [name for name, _, _ in rows()]
    assert sorted(names) == sorted(CHECKS)
    assert all(
        re.fullmatch(r"\|(.+ \|){3}( .+)? \|", line) for line in PAGE.read_text().splitlines() if line[:2] == "| "
    )


@pytest.mark.parametrize(("name", "here", "there"), list(rows()))
def test_a_row_says_what_happens_on_both_sides(name: str, here: str, there: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about just what is looked at
        for cell, measured in zip((here, there), CHECKS[name](), strict=True):
            for words in (measured,) if isinstance(measured, str) else measured:
                assert re.search(rf"(?<![\w.]){re.escape(words)}(?!\w|\.\d)", cell), f"{words} is not in: {cell}"


@pytest.mark.parametrize(
    ("function", "x"),
    [
        *[(name, x) for name in ("log", "sqrt", "reciprocal", "abs", "relu") for x in (0.0, -1.0)],
        *[("pow", x) for x in ((0.0, 0.0), (0.0, 2.0), (0.0, -1.0), (-8.0, 1 / 3), (-2.0, 2.0))],
        *[("div", x) for x in ((1.0, 0.0), (0.0, 0.0), (-1.0, 0.0))],
        *[(name, x) for name in ("maximum", "minimum") for x in ((2.0, 2.0), (0.0, -0.0))],
    ],
)
def test_what_the_page_says_to_be_the_same_is_the_same(function: str, x: Any) -> None:
    numbers = x if isinstance(x, tuple) else (x,)
    values = [Value(number) for number in numbers]
    tensors = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]
    y, z = getattr(autograd, function)(*values), getattr(torch, function)(*tensors)
    y.backward()
    z.backward()
    ours = [y.data, *[v.grad for v in values]]
    assert ours == pytest.approx([z.item(), *[t.grad.item() for t in tensors]], rel=1e-15, abs=0.0, nan_ok=True)


# --- in words


def error(action: Callable[[], Any]) -> str:
    """The kind of error that something raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        action()
    return caught.type.__name__


def leaf(x: float) -> Any:
    return torch.tensor(x, requires_grad=True)


def shares(gradients: list[float]) -> str:
    return ", ".join({0.5: "½", 1.0: "1", 0.0: "0"}.get(g, str(g)) for g in gradients)


def within(numbers: Any, bound: float, words: str) -> str:
    """The words, if the numbers fill ±bound and go no further."""
    numbers = [abs(float(x)) for x in numbers]
    assert 0.97 * bound < max(numbers) <= bound * (1 + 1e-6)
    return words


def deviation(numbers: Any, sigma: float, words: str) -> str:
    numbers = [float(x) for x in numbers]
    mean = sum(numbers) / len(numbers)
    assert abs(mean) < 0.1 * sigma
    assert math.sqrt(sum((x - mean) ** 2 for x in numbers) / len(numbers)) == pytest.approx(sigma, rel=0.1)
    return words


# --- Values and graphs


@row("precision")
def _() -> tuple[Words, Words]:
    return repr(Value(0.1).data), repr(torch.tensor(0.1).item())


@row("whole numbers")
def _() -> tuple[Words, Words]:
    return repr(Value(3).data), error(lambda: torch.tensor(3, requires_grad=True))


@row("who gets a gradient")
def _() -> tuple[Words, Words]:
    x = Value(3.0)
    (x * x).backward()
    return str(x.grad), str(torch.tensor(3.0).requires_grad)


@row("no gradient yet")
def _() -> tuple[Words, Words]:
    assert not Value(1.0).has_grad
    return str(Value(1.0).grad), str(leaf(1.0).grad)


@row("gradients of inner nodes")
def _() -> tuple[Words, Words]:
    def inner(x: Any) -> Any:
        y = x * x
        (2.0 * y).backward()
        return y.grad

    return str(inner(Value(3.0))), str(inner(leaf(3.0)))


@row("backward twice")
def _() -> tuple[Words, Words]:
    x = Value(3.0)
    y = x * x
    y.backward()
    assert x.grad == 6.0
    y.backward()
    tensor = leaf(3.0)
    y = tensor * tensor
    y.backward(retain_graph=True)
    y.backward()
    assert tensor.grad == 12.0
    return (str(x.grad), "6.0"), error(y.backward)


@row("a number changed between forward and backward")
def _() -> tuple[Words, Words]:
    x = Value(3.0)
    y = x * x
    x.data = 10.0
    y.backward()
    tensor = leaf(3.0)
    y = tensor * tensor
    tensor.data.fill_(10.0)
    y.backward()
    noticed = leaf(3.0)
    y = noticed * noticed
    with torch.no_grad():
        noticed.fill_(10.0)
    return str(x.grad), (str(tensor.grad.item()), error(y.backward))


@row("x += 1")
def _() -> tuple[Words, Words]:
    def add_one(x: Any) -> Any:
        x += 1
        return x

    x = Value(3.0)
    y = add_one(x)
    assert y is not x and x.data == 3.0
    tensor = torch.tensor(3.0)
    assert add_one(tensor) is tensor
    return "a new node", ("in place", error(lambda: add_one(leaf(3.0))))


@row("==")
def _() -> tuple[Words, Words]:
    x = Value(3.0)
    assert x == x and x != Value(3.0)
    return error(lambda: x == 3), str((torch.tensor(3.0) == 3).item())


@row("float(x)")
def _() -> tuple[Words, Words]:
    return error(lambda: float(Value(2.0))), str(float(leaf(2.0)))


@row("`detect_anomaly`")
def _() -> tuple[Words, Words]:
    with detect_anomaly():
        ours = error(lambda: log(Value(0.0)))
        assert error(lambda: (Value(math.inf) * 2.0).backward()) == ours
        root = Value(4.0).sqrt()
        assert error(lambda: root.backward(math.nan)) == ours
    with torch.autograd.detect_anomaly():
        theirs = torch.log(leaf(0.0)).item()
        tensor = leaf(0.0)
        tensor.sqrt().backward()
        assert tensor.grad == math.inf
        assert error((leaf(0.0).sqrt() * 0.0).backward) == "RuntimeError"
    return ours, str(theirs)


@row("`copy.deepcopy` of a computed node")
def _() -> tuple[Words, Words]:
    x = Value(3.0)
    twin = copy.deepcopy(x * x)
    twin.backward()
    assert twin.inputs[0] is not x and twin.inputs[0].grad == 6.0 and not x.has_grad
    return "a copy of its whole graph", error(lambda: copy.deepcopy(leaf(3.0) * 2.0))


@row("tolerances of `gradcheck`")
def _() -> tuple[Words, Words]:
    def tolerances(check: Any) -> tuple[str, str]:
        defaults = inspect.signature(check).parameters
        return f"rtol {defaults['rtol'].default}", f"atol {defaults['atol'].default}"

    return tolerances(gradcheck), tolerances(torch.autograd.gradcheck)


# --- where there is no derivative, and far out


@row("nan in `maximum` and `minimum`")
def _() -> tuple[Words, Words]:
    x, y = Value(math.nan), Value(1.0)
    minimum(x, y).backward()
    assert math.isnan(x.grad) and math.isnan(y.grad)
    x, y = Value(math.nan), Value(1.0)
    z = maximum(x, y)
    z.backward()
    a, b = leaf(math.nan), leaf(1.0)
    c = torch.maximum(a, b)
    c.backward()
    assert math.isnan(z.data) and math.isnan(c.item())
    least = torch.minimum(p := leaf(math.nan), q := leaf(1.0))
    least.backward()
    assert (p.grad, q.grad) == (a.grad, b.grad)
    whole = torch.tensor([math.nan, 1.0], requires_grad=True)
    whole.max().backward()
    return shares([x.grad, y.grad]), (shares([a.grad.item(), b.grad.item()]), shares(whole.grad.tolist()))


@row("ties in max pooling")
def _() -> tuple[Words, Words]:
    numbers = [[2.0, 2.0], [1.0, 0.0]]
    image = [[Value(x) for x in line] for line in numbers]
    nn.conv.pool2d(image, 2, "max")[0][0].backward()
    tensor = torch.tensor(numbers, requires_grad=True)
    F.max_pool2d(tensor[None], 2).sum().backward()
    flat = torch.tensor([2.0, 2.0, 1.0, 0.0], requires_grad=True)
    flat.max(0).values.backward()
    theirs = shares(tensor.grad.flatten().tolist())
    assert shares(flat.grad.tolist()) == theirs
    return shares([x.grad for line in image for x in line]), theirs


@row("softplus above 20")
def _() -> tuple[Words, Words]:
    theirs = F.softplus(torch.tensor([20.0, 21.0], dtype=torch.float64)).tolist()
    assert theirs[0] > 20.0
    return f"{softplus(21.0) - 21.0:.2e}", f"{theirs[1] - 21.0:.2e}"


@row("sigmoid's slope far out")
def _() -> tuple[Words, Words]:
    x, tensor = Value(30.0), torch.tensor(30.0, dtype=torch.float64, requires_grad=True)
    sigmoid(x).backward()
    torch.sigmoid(tensor).backward()
    true = math.exp(-30.0) / (1.0 + math.exp(-30.0)) ** 2
    assert f"{x.grad:.4e}" == f"{true:.4e}"
    return f"{x.grad:.4e}", f"{tensor.grad.item():.4e}"


@row("tanh's slope far out")
def _() -> tuple[Words, Words]:
    x, tensor = Value(20.0), torch.tensor(20.0, dtype=torch.float64, requires_grad=True)
    x.tanh().backward()
    torch.tanh(tensor).backward()
    true = 4.0 * math.exp(-40.0) / (1.0 + math.exp(-40.0)) ** 2
    assert f"{x.grad:.4e}" == f"{true:.4e}"
    return f"{x.grad:.4e}", f"{tensor.grad.item():.4e}"


@row("`hypot` at (0, 0)")
def _() -> tuple[Words, Words]:
    a, b, c, d = Value(0.0), Value(0.0), leaf(0.0), leaf(0.0)
    autograd.hypot(a, b).backward()
    torch.hypot(c, d).backward()
    return f"{a.grad}, {b.grad}", f"{c.grad.item()}, {d.grad.item()}"


@row("what a maximum of three did not choose")
def _() -> tuple[Words, Words]:
    x, tensor, one = Value(-1.0), leaf(-1.0), leaf(-1.0)
    autograd.sqrt(maximum(x, 0.0, Value(0.0))).backward()
    torch.stack([tensor, leaf(0.0), leaf(0.0)]).amax().sqrt().backward()
    torch.maximum(one, torch.tensor(0.0)).sqrt().backward()
    return str(x.grad), (str(tensor.grad.item()), str(one.grad.item()))


@row("relu of -0.0")
def _() -> tuple[Words, Words]:
    return str(Value(-0.0).relu().data), str(torch.relu(torch.tensor(-0.0)).item())


@row("hinge just at its margin")
def _() -> tuple[Words, Words]:
    s, tensor = Value(1.0), leaf(1.0)
    nn.hinge(s, 1).backward()
    F.hinge_embedding_loss(tensor, torch.tensor(-1.0)).backward()  # max(0, 1 - s)
    return f"{s.grad:g}".lstrip("-"), f"{tensor.grad.item():g}"


# --- losses


@row("`squared_error`")
def _() -> tuple[Words, Words]:
    y, t = [1.0, 2.0, 2.0], [0.0, 0.0, 0.0]
    return str(nn.squared_error(y, t)), str(F.mse_loss(torch.tensor(y), torch.tensor(t)).item())


@row("`binary_cross_entropy` of several logits")
def _() -> tuple[Words, Words]:
    z, t = [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]
    theirs = F.binary_cross_entropy_with_logits(torch.tensor(z), torch.tensor(t)).item()
    return f"{nn.binary_cross_entropy(z, t):.4f}", f"{theirs:.4f}"


@row("targets of `binary_cross_entropy`")
def _() -> tuple[Words, Words]:
    theirs = F.binary_cross_entropy_with_logits(torch.tensor(1.0), torch.tensor(1.5)).item()
    return error(lambda: nn.binary_cross_entropy(1.0, 1.5)), f"{theirs:.4f}"


@row("probabilities for `cross_entropy`")
def _() -> tuple[Words, Words]:
    theirs = F.cross_entropy(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.9])).item()
    return error(lambda: nn.cross_entropy([1.0, 2.0], [0.5, 0.9])), f"{theirs:.4f}"


@row("`hinge` of one score")
def _() -> tuple[Words, Words]:
    return str(nn.hinge(0.25, 1)), str(F.hinge_embedding_loss(torch.tensor(0.25), torch.tensor(1.0)).item())


@row("`hinge` of K scores")
def _() -> tuple[Words, Words]:
    return str(nn.hinge([1.0] * 3, 0)), f"{F.multi_margin_loss(torch.tensor([1.0] * 3), torch.tensor(0)).item():.4f}"


@row("`l2_penalty`")
def _() -> tuple[Words, Words]:
    neuron = nn.Neuron(1, seed=0)
    neuron.w[0].data = neuron.b.data = 1.0
    nn.l2_penalty(neuron, 1.0).backward()
    assert neuron.w[0].grad == 1.0
    bias = torch.ones((), requires_grad=True)
    bias.grad = torch.zeros(())
    torch.optim.SGD([bias], lr=1.0, weight_decay=1.0).step()
    assert 1.0 - bias.item() == 1.0
    ours = nn.SGD([b := Value(1.0)], lr=1.0, weight_decay=1.0)
    ours.step()
    assert b.data == bias.item()
    return str(neuron.b.grad), str(1.0 - bias.item())


# --- layers


@row("a `Layer`'s activation")
def _() -> tuple[Words, Words]:
    layer = nn.Layer(1, 1, seed=0)
    linear = torch.nn.Linear(1, 1).double()
    with torch.no_grad():
        linear.weight.fill_(layer.neurons[0].w[0].data), linear.bias.fill_(0.0)
    z = linear(torch.tensor([2.0], dtype=torch.float64)).item()
    assert z == 2.0 * layer.neurons[0].w[0].data
    assert layer([2.0])[0].data == pytest.approx(math.tanh(z), rel=1e-12)
    return "tanh", "none"


@row("one output")
def _() -> tuple[Words, Words]:
    return type(nn.MLP(2, [1])([1.0, 2.0])).__name__, str(tuple(torch.nn.Linear(2, 1)(torch.ones(2)).shape))


@row("one example")
def _() -> tuple[Words, Words]:
    X = [[1.0, 2.0]] * 3
    return error(lambda: nn.MLP(2, [1])(X)), str(tuple(torch.nn.Linear(2, 1)(torch.tensor(X)).shape))


@row("lists of modules")
def _() -> tuple[Words, Words]:
    def model(base: Any, part: Any) -> Any:
        class Listed(base):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.parts = [part(), part()]

        return Listed()

    theirs = model(torch.nn.Module, lambda: torch.nn.Linear(1, 1))
    assert len(list(torch.nn.ModuleList(theirs.parts).parameters())) == 4
    return str(len(model(nn.Module, lambda: nn.Neuron(1)).parameters())), str(len(list(theirs.parameters())))


@row("a leaf as an attribute")
def _() -> tuple[Words, Words]:
    def count(base: Any, number: Any) -> str:
        model = base()
        model.w = number
        return str(len(list(model.parameters())))

    assert count(torch.nn.Module, torch.nn.Parameter(torch.tensor(1.0))) == "1"
    return count(nn.Module, Value(1.0)), count(torch.nn.Module, leaf(1.0))


@row("where the weights of `Layer` start")
def _() -> tuple[Words, Words]:
    ours = [w.data for n in nn.Layer(4, 100, seed=0).neurons for w in n.w]
    return (
        within(ours, math.sqrt(6 / 104), "±√(6/(fan_in + fan_out))"),
        within(torch.nn.Linear(4, 100).weight.flatten(), 1 / math.sqrt(4), "±1/√fan_in"),
    )


@row("where biases start")
def _() -> tuple[Words, Words]:
    (ours,) = {n.b.data for n in nn.Layer(4, 100, seed=0).neurons}
    return str(ours), within(torch.nn.Linear(4, 300).bias, 1 / math.sqrt(4), "±1/√fan_in")


@row("where the weights of `Conv2d` start")
def _() -> tuple[Words, Words]:
    ours = [p.data for p in nn.Conv2d(2, 20, 3, seed=0).weights()]
    theirs = torch.nn.Conv2d(2, 20, 3).weight.flatten()
    return (
        within(ours, math.sqrt(6 / (22 * 9)), "±√(6/((c_in + c_out)·k²))"),
        within(theirs, 1 / math.sqrt(18), "±1/√(c_in·k²)"),
    )


@row("where an `Embedding` starts")
def _() -> tuple[Words, Words]:
    ours = [p.data for p in nn.Embedding(100, 10, seed=0).parameters()]
    theirs = torch.nn.Embedding(100, 10).weight.flatten()
    return within(ours, 1.0, "U(-1, 1)"), deviation(theirs, 1.0, "N(0, 1)")


@row('init "normal"')
def _() -> tuple[Words, Words]:
    ours = [w.data for w in nn.Neuron(1000, init="normal", seed=0).w]
    return deviation(ours, 0.01, "N(0, 0.01²)"), deviation(torch.nn.init.normal_(torch.empty(1000)), 1.0, "N(0, 1)")


@row('init "uniform"')
def _() -> tuple[Words, Words]:
    ours = [w.data for w in nn.Neuron(1000, init="uniform", seed=0).w]
    theirs = torch.nn.init.uniform_(torch.empty(1000)).tolist()
    assert min(ours) < -0.9 < 0.0 <= min(theirs) < 0.1
    return within(ours, 1.0, "U(-1, 1)"), within(theirs, 1.0, "U(0, 1)")


@row("slope of the leaky ReLU")
def _() -> tuple[Words, Words]:
    theirs = F.leaky_relu(torch.tensor(-1.0, dtype=torch.float64)).item()
    return f"{-nn.activations.leaky_relu(-1.0):g}", f"{-theirs:g}"


@row("biases of a recurrent cell")
def _() -> tuple[Words, Words]:
    cell = nn.LSTMCell(1, 1)
    theirs = torch.nn.LSTMCell(1, 1)
    return str(len(cell.parameters()) - len(cell.weights())), str(len(theirs.bias_ih) + len(theirs.bias_hh))


@row("where they start")
def _() -> tuple[Words, Words]:
    cell, theirs = nn.LSTMCell(1, 100), torch.nn.LSTMCell(1, 100)
    biases = {
        gate: {n.b.data for n in getattr(cell, gate).neurons} for gate in ("input", "forget", "content", "output")
    }
    assert biases["input"] == biases["content"] == biases["output"]
    (usual,), (forget,) = biases["input"], biases["forget"]
    there = within([*theirs.bias_ih, *theirs.bias_hh], 0.1, "±1/√n")
    return (f"at {usual}", f"forget gate's at {forget}"), there


@row("padding as wide as the filter")
def _() -> tuple[Words, Words]:
    theirs = torch.nn.Conv2d(1, 1, 1, padding=1)(torch.zeros(1, 2, 2)).shape
    return error(lambda: nn.Conv2d(1, 1, 1, padding=1)), f"{theirs[1]}×{theirs[2]}"


# --- optimisers, schedules and training


@row("the learning rate of SGD")
def _() -> tuple[Words, Words]:
    return tuple(str(inspect.signature(kind).parameters["lr"].default) for kind in (nn.SGD, torch.optim.SGD))  # type: ignore[return-value]


@row("a parameter without a gradient")
def _() -> tuple[Words, Words]:
    w = Value(1.0)
    ours = nn.SGD([w], lr=0.1, momentum=0.9)
    w.grad = 1.0
    ours.step()
    ours.zero_grad()
    ours.step()
    tensor = torch.ones((), dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.SGD([tensor], lr=0.1, momentum=0.9)
    tensor.grad = torch.ones((), dtype=torch.float64)
    theirs.step()
    theirs.zero_grad()
    theirs.step()
    return f"{w.data:g}", f"{tensor.item():g}"


@row("a step to inf or nan")
def _() -> tuple[Words, Words]:
    w, tensor = Value(1.0), leaf(1.0)
    w.grad, tensor.grad = math.nan, torch.tensor(math.nan)
    ours = error(nn.SGD([w], lr=0.1).step)
    assert w.data == 1.0
    torch.optim.SGD([tensor], lr=0.1).step()
    return ours, str(tensor.item())


def their_rates(scheduler: Any, steps: int, **settings: Any) -> list[float]:
    optimizer = torch.optim.SGD([leaf(1.0)], lr=1.0)
    moved_on, rates = scheduler(optimizer, **settings), []
    for _ in range(steps + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        moved_on.step()
    return rates


@row("`cosine` after its end")
def _() -> tuple[Words, Words]:
    ours = [schedules.cosine(1.0, 10)(t) for t in range(21)]
    theirs = their_rates(torch.optim.lr_scheduler.CosineAnnealingLR, 20, T_max=10)
    assert theirs[:11] == pytest.approx(ours[:11], abs=1e-12)
    return f"{ours[20]:.1f}", f"{theirs[20]:.1f}"


@row("`warmup`")
def _() -> tuple[Words, Words]:
    theirs = their_rates(torch.optim.lr_scheduler.LinearLR, 5, total_iters=5)
    assert theirs[5] == pytest.approx(schedules.warmup(5, 1.0)(5)) == 1.0
    return f"{schedules.warmup(5, 1.0)(0)}", f"{theirs[0]:.4f}"


@row("who moves a schedule on")
def _() -> tuple[Words, Words]:
    ours = nn.SGD([Value(1.0)], lr=schedules.cosine(1.0, 10))
    ours.step()
    theirs = torch.optim.SGD([leaf(1.0)], lr=1.0)
    torch.optim.lr_scheduler.CosineAnnealingLR(theirs, T_max=10)
    theirs.step()
    return f"{ours.learning_rate:.4f}", str(theirs.param_groups[0]["lr"])


@row("batches")
def _() -> tuple[Words, Words]:
    def settings(thing: Any) -> tuple[str, ...]:
        defaults = inspect.signature(thing).parameters
        return tuple(f"{name}={defaults[name].default}" for name in ("batch_size", "shuffle"))

    loader = torch.utils.data.DataLoader(list(range(9)))
    assert [int(batch) for batch in loader] == list(range(9))
    return settings(nn.fit), settings(torch.utils.data.DataLoader)


@row("random numbers")
def _() -> tuple[Words, Words]:
    ours = [nn.Neuron(3, seed=0).state_dict() for _ in range(2)]
    theirs = [torch.nn.Linear(3, 1).weight.tolist() for _ in range(2)]
    return str(ours[0] == ours[1]), str(theirs[0] == theirs[1])

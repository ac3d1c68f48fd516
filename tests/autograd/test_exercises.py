"""Exercises that answer back: the first wrong wire, the classic mistake, and what follows rightly from a slip."""

from __future__ import annotations

import doctest
import importlib
import math
from random import Random
from typing import Any

import pytest

from autograd import SHEET, Value, detach, parse, tanh, topological_order
from autograd.exercises import Feedback, by_hand, check_backward, check_class, check_derivative, check_number
from autograd.exercises.easy import Draws
from autograd.expression import open_names

from .blunders import GRAPHS, KINDS_OF_GRADIENTS, KINDS_OF_VALUES, blunder

PRODUCT = "q = x + y; f = q * z"
NUMBERS = {"x": -2, "y": 5, "z": -4}


# --- by hand


def test_two_hundred_mistakes_on_ten_graphs_are_found_and_named() -> None:
    named, kinds = 0, set()
    for g, formula in enumerate(GRAPHS):
        rng = Random(g)
        for _ in range(20):
            made = blunder(formula, rng)
            answer = by_hand(made.root, "both").check(values=made.values, gradients=made.gradients)
            where = made.wire if not made.wire.startswith("∂") else f"∂f/{made.wire}"
            assert answer.first_wrong == where, (formula, made, answer)
            assert len(answer.slips) <= 4  # whoever names every slip names none
            assert answer.counted == answer.asked - 1, (formula, made, answer)  # all that follows counts
            named += made.kind in answer.slips
            kinds.add(made.kind)
    assert named >= 195
    assert kinds == {*KINDS_OF_VALUES, *KINDS_OF_GRADIENTS}


def test_the_right_answers_pass_also_if_they_are_rounded() -> None:
    task = by_hand("z = w*x + b; f = sigmoid(z)", "both", w=0.5, x=-2, b=0.4)
    key = task.key()
    for digits in (2, 3, 8):
        rounded = {what: round(x, digits) for what, x in key.items()}
        values = {name: rounded[name] for name in task.values}
        gradients = {name: rounded[f"∂f/∂{name}"] for name in task.gradients}
        answer = task.check(values=values, gradients=gradients)
        assert answer.passed and bool(answer), (digits, answer)
    assert str(answer) == "All 6 are right."
    assert key["∂f/∂w"] == pytest.approx(-2 * key["f"] * (1 - key["f"]))


def test_what_follows_rightly_from_a_slip_counts_and_is_said_to() -> None:
    answer = by_hand(PRODUCT, **NUMBERS).check(q=4, x=4, y=4, z=3)
    assert not answer and (answer.counted, answer.asked) == (3, 4)
    assert answer.first_wrong == "∂f/∂q" and answer.slips == ("sign",)
    assert "∂f/∂x = 4 is not −4, but it follows rightly from your ∂f/∂q: only that slip counts." in answer.lines
    # a wrong value goes on into the gradients
    values, gradients = {"q": 7, "f": -28}, {"q": -4, "x": -4, "y": -4, "z": 7}
    answer = by_hand(PRODUCT, "both", **NUMBERS).check(values=values, gradients=gradients)
    assert (answer.first_wrong, answer.counted) == ("q", 5)
    assert "∂f/∂z = 7 is not 3, but it follows rightly from your q: only that slip counts." in answer.lines


def test_a_second_slip_is_told_from_the_students_own_numbers() -> None:
    answer = by_hand(PRODUCT, **NUMBERS).check(q=4, x=-4, y=5, z=3)
    assert answer.first_wrong == "∂f/∂q"
    assert any(line.startswith("∂f/∂y = 5 is not right, even from your own numbers.") for line in answer.lines)
    assert answer.counted == 2  # z, and x, which is right by its own number


def test_a_slip_at_a_wire_that_is_not_asked_for_is_found_behind_the_numbers_that_come_of_it() -> None:
    task = by_hand("q = x + y; p = q * z; g = p + x", ["x", "y", "z"], x=-2, y=5, z=-4)
    answer = task.check(x=4, y=3, z=-4)  # × hands its two numbers on without swapping them; and q is not asked for
    assert answer.first_wrong == "∂g/∂z" and answer.slips == ("swapped",)
    assert "∂g/∂y = 3 is not right, even from your own numbers. It looks like this slip: the two inputs were" in str(
        answer
    )
    assert "The slip lies one step before: it makes ∂g/∂q = 3." in str(answer)
    assert "∂g/∂x = 4 is not −3, but it follows rightly from your ∂g/∂y" in str(answer) and answer.counted == 1
    assert "one step before" not in str(task.check(x=-3, y=17, z=3))  # no slip at q gives that
    everything = by_hand("q = x + y; p = q * z; g = p + x", x=-2, y=5, z=-4)
    assert "one step before" not in str(everything.check(p=1, q=-4, x=4, y=3, z=3))  # q is there, and right


def test_a_hint_speaks_of_what_the_student_sees() -> None:
    task = by_hand("z = w*a + b; f = sigmoid(z)", ["∂z", "∂w"], w=2, a=0.5, b=-1)
    assert "Here the local derivative is ∂(w × a)/∂w = a." in str(task.check(z=0.25, w=0.25))  # no v1 was spoken of
    assert "Here the local derivative is ∂f/∂z = f·(1 − f)." in str(task.check(z=1, w=0.5))


def test_blanks_that_are_open_are_neither_right_nor_wrong() -> None:
    answer = by_hand(PRODUCT, **NUMBERS).check(q=-4, x=..., y=None)
    assert not answer.passed and not answer.first_wrong and answer.counted == 1
    assert "Still open: ∂f/∂z, ∂f/∂y, ∂f/∂x." in answer.lines


def test_answers_may_be_given_by_name_in_a_dictionary_or_by_node() -> None:
    x, w = Value(0.5, label="x_1"), Value(-3.0, label="my weight")
    f = w * x + tanh(x)
    task = by_hand(f)
    right = {"x_1": -3 + 1 - math.tanh(0.5) ** 2, "my weight": 0.5}
    assert task.check(right).passed
    assert task.check({x: right["x_1"], w: 0.5}).passed
    assert not f.has_grad  # the graph stays as it is


def test_what_cannot_be_an_answer_is_told_in_one_sentence() -> None:
    task = by_hand(PRODUCT, **NUMBERS)
    with pytest.raises(
        TypeError, match="the answer for x must be a number such as -1.5, or ... for later, but got '4'"
    ):
        task.check(x="4")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no wire is called 'p'; there are x, y, q, z, f"):
        task.check(p=1)
    with pytest.raises(ValueError, match="the gradient of f is not asked for"):
        task.check(f=1)
    with pytest.raises(TypeError, match="values and gradients are asked for"):
        by_hand(PRODUCT, "both", **NUMBERS).check(q=3)
    with pytest.raises(ValueError, match="'gradients', 'values', 'both' or a list of names, but got 'all'"):
        by_hand(PRODUCT, "all", **NUMBERS)
    with pytest.raises(ValueError, match="nothing to ask for"):
        by_hand(Value(2.0, label="x"))
    with pytest.raises(TypeError, match="a graph has its own"):
        by_hand(Value(2.0) * 3, x=2)


def test_a_graph_whose_numbers_are_old_is_no_exercise() -> None:
    x = Value(2.0, label="x")
    f = x * x
    x.data = 3.0
    with pytest.raises(ValueError, match="brings them up to date"):
        by_hand(f)


def test_names_choose_what_is_asked_for() -> None:
    task = by_hand(PRODUCT, ["q", "∂x", "f ="], **NUMBERS)
    assert task.values == ("q", "f") and task.gradients == ("q", "x")
    assert str(task).startswith("Work out by hand: q, f, ∂f/∂q, ∂f/∂x, where q = x + y, f = q × z, at x = −2")


def test_a_number_that_stands_behind_a_cut_or_a_choice_is_judged_by_what_goes_back() -> None:
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    f = detach(x) * y + (x * -1.0).relu()
    f.label = "f"
    assert by_hand(f, ["∂y", "∂x"]).check(y=2, x=0).passed
    answer = by_hand(f, ["∂y", "∂x"]).check(y=2, x=-1)
    assert answer.first_wrong == "∂f/∂x"


def test_one_number_hears_which_known_mistake_it_is() -> None:
    assert check_number(0.333, 1 / 3).passed
    answer = check_number(0.75, 0.25, what="the share", slips={"that is what is left": 0.75, "no": 3.0})
    assert (answer.first_wrong, answer.slips) == ("the share", ("that is what is left",))
    assert str(check_number(..., 1.0, what="the loss")) == "Still open: the loss."


# --- code


class Right:
    """What a student should have at the end: about the sixty lines of the lesson."""

    def __init__(self, data: float, inputs: tuple[Any, ...] = ()) -> None:
        self.data, self.grad, self.inputs = data, 0.0, inputs
        self.push = lambda: None

    def node(self, x: Any) -> Any:
        return x if isinstance(x, Right) else type(self)(x)

    def __add__(self, other: Any) -> Any:
        other = self.node(other)
        out = type(self)(self.data + other.data, (self, other))

        def push() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out.push = push
        return out

    def __mul__(self, other: Any) -> Any:
        other = self.node(other)
        out = type(self)(self.data * other.data, (self, other))
        mine, its = self.slopes_of_a_product(other)

        def push() -> None:
            self.grad += out.grad * mine
            other.grad += out.grad * its

        out.push = push
        return out

    def slopes_of_a_product(self, other: Any) -> tuple[float, float]:
        return other.data, self.data

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __pow__(self, n: float) -> Any:
        return self.unary(self.data**n, n * self.data ** (n - 1))

    def tanh(self) -> Any:
        y = math.tanh(self.data)
        return self.unary(y, 1 - y * y)

    def unary(self, y: float, slope: float) -> Any:
        out = type(self)(y, (self,))

        def push() -> None:
            self.grad += out.grad * slope

        out.push = push
        return out

    def order(self) -> list[Any]:
        order: list[Any] = []

        def visit(node: Any) -> None:
            if node not in order:
                for x in node.inputs:
                    visit(x)
                order.append(node)

        visit(self)
        return order[::-1]

    def backward(self) -> None:
        self.grad = 1.0
        for node in self.order():
            node.push()


class Overwrites(Right):
    def __add__(self, other: Any) -> Any:
        other = self.node(other)
        out = type(self)(self.data + other.data, (self, other))

        def push() -> None:
            self.grad = out.grad
            other.grad = out.grad

        out.push = push
        return out

    def __mul__(self, other: Any) -> Any:
        other = self.node(other)
        out = type(self)(self.data * other.data, (self, other))

        def push() -> None:
            self.grad = out.grad * other.data
            other.grad = out.grad * self.data

        out.push = push
        return out


class BreadthFirst(Right):
    def order(self) -> list[Any]:
        order: list[Any] = []
        waiting = [self]
        while waiting:
            node = waiting.pop(0)
            if node not in order:
                order.append(node)
                waiting += node.inputs
        return order


class Recursive(Right):
    def backward(self) -> None:
        self.grad = 1.0

        def go(node: Any) -> None:
            node.push()
            for x in node.inputs:
                go(x)

        go(self)


class Unseeded(Right):
    def backward(self) -> None:
        for node in self.order():
            node.push()


class Keeps(Right):
    """Begins with its 1, and then adds to the wrong side."""

    def backward(self) -> None:
        self.grad = 1.0
        for node in self.order():
            for x in node.inputs:
                node.grad += x.grad


class OnlyLast(Right):
    def backward(self) -> None:
        self.grad = 1.0
        self.push()


class OneSided(Right):
    __radd__ = None  # type: ignore[assignment]


class WrongTanh(Right):
    def tanh(self) -> Any:
        return self.unary(math.tanh(self.data), 1 - self.data**2)


class WrongPower(Right):
    def __pow__(self, n: float) -> Any:
        return self.unary(self.data**n, self.data ** (n - 1))


class WrongProduct(Right):
    def slopes_of_a_product(self, other: Any) -> tuple[float, float]:
        return self.data, other.data


class HalfAProduct(Right):
    def slopes_of_a_product(self, other: Any) -> tuple[float, float]:
        return other.data, 0.0


class WrongSum(Right):
    def __add__(self, other: Any) -> Any:
        out = super().__add__(other)
        out.data += 0.5
        return out


class NoGrad:
    def __init__(self, data: float) -> None:
        self.data = data


def test_a_right_class_passes_and_so_does_the_packages_own() -> None:
    assert check_class(Right).passed
    every = ["add", "mul", "sub", "div", "neg", "pow", "tanh", "exp", "relu", "sigmoid"]
    assert check_class(Value, every).passed


@pytest.mark.parametrize(
    ("student", "step", "slip"),
    [
        (Overwrites, "(a + b) * a", "overwrites"),
        (BreadthFirst, "c + c * c, where c = a * b", "order"),
        (Recursive, "c + c, where c = a + a", "recursion"),
        (Unseeded, "a + b", "unseeded"),
        (Keeps, "a + b", "kept"),
        (OnlyLast, "(a + b) * a", "last-only"),
        (WrongTanh, "a.tanh()", "formula"),
        (WrongPower, "a**3", "formula"),
        (WrongProduct, "a * b", "swapped"),
        (HalfAProduct, "a * b", "left-out"),
    ],
)
def test_the_first_step_that_is_wrong_is_told_and_the_classic_fault_behind_it(
    student: type, step: str, slip: str
) -> None:
    answer = check_class(student)
    assert not answer.passed
    assert answer.first_wrong.endswith(f" in {step}"), answer
    assert slip in answer.slips, answer


def test_a_wrong_value_an_error_and_a_missing_slot_are_told_as_such() -> None:
    assert "a + b gives −1 at a = 0.5, b = −2; right is −1.5." in check_class(WrongSum).lines
    assert check_class(WrongTanh).lines[0].startswith("a.tanh() at a = 0.5: the gradient")  # no b: it is not in there
    answer = check_class(OneSided)
    assert answer.first_wrong == "2 + a" and "TypeError" in answer.lines[0]
    assert "NoGrad(3.0) stopped with AttributeError" in check_class(NoGrad).lines[0]
    with pytest.raises(TypeError, match="takes the class itself"):
        check_class(Right(3.0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="but got 'sinh'"):
        check_class(Right, ["sinh"])


def by_the_book(root: Value, *, adds: bool = True, ordered: bool = True) -> dict[Value, float]:
    gradients = {root: 1.0}
    order = topological_order(root)
    for node in reversed(order) if ordered else order:
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            before = gradients.get(x, 0.0) if adds else 0.0
            gradients[x] = before + gradients.get(node, 0.0) * (local or 0.0)
    return gradients


def test_a_backward_pass_is_checked_whether_it_returns_the_gradients_or_stores_them() -> None:
    assert check_backward(by_the_book).passed
    assert check_backward(lambda root: root.backward()).passed
    assert check_backward(lambda root: by_the_book(root, adds=False)).slips == ("overwrites",)
    assert "order" in check_backward(lambda root: by_the_book(root, ordered=False)).slips
    assert check_backward(lambda root: None, ["add"]).slips == ("unseeded",)
    assert check_backward(lambda root: {root: 1.0}, ["add"]).slips == ("kept",)
    assert check_backward(lambda root: {**by_the_book(root), root.inputs[-1]: 0.0}, ["mul"]).slips == ("left-out",)
    assert check_backward(lambda root: by_the_book(root, adds=False), ["neg"]).passed  # nothing is used twice there


def test_a_local_derivative_is_checked_at_several_points() -> None:
    assert check_derivative("mul", lambda a, b: (b, a)).passed
    assert check_derivative("mul", lambda a, b: (a, b)).slips == ("swapped",)
    assert check_derivative("tanh", lambda x: math.tanh(x) ** 2 - 1).slips == ("sign",)
    assert check_derivative("sigmoid", lambda x: x * (1 - x)).slips == ("formula",)
    assert "2, must come back" in str(check_derivative("div", lambda a, b: 1 / b))
    assert "ZeroDivisionError" in str(check_derivative("exp", lambda x: 1 / 0))
    for nothing in (None, "1 - t*t", Value(0.25)):  # no return; a formula as text; a node in place of its number
        answer = check_derivative("tanh", lambda x, nothing=nothing: nothing)
        assert not answer and "a number must come back, but it is " + repr(nothing) in str(answer)
    for name, op in SHEET.items():
        if op.arity is not None and name not in ("less", "less_equal", "equal", "where"):
            rule = op.partials
            right = check_derivative(name, lambda *xs, op=op, rule=rule: [d or 0.0 for d in rule(op.forward(*xs), *xs)])
            assert right.passed, name
    with pytest.raises(ValueError, match="the derivative sheet has no 'tangens'"):
        check_derivative("tangens", lambda x: x)


def test_a_leaf_may_be_called_root() -> None:
    assert by_hand("x*root", x=1, root=2).check(x=2, root=1).passed


def test_feedback_shows_what_it_says() -> None:
    answer = by_hand(PRODUCT, **NUMBERS).check(q=-4, x=-4, y=-4, z=3)
    assert isinstance(answer, Feedback) and repr(answer) == str(answer) == "All 4 are right."


@pytest.mark.parametrize("name", ["", ".paper", ".code", ".feedback"])
def test_the_examples_in_the_docstrings_are_right(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"autograd.exercises{name}")).failed == 0


# --- numbers by lot


def three_digits(x: float) -> bool:
    return math.isclose(float(f"{x:.3g}"), x, rel_tol=1e-9)


EXACT = [PRODUCT, "a = x*y; b = a + x; f = a*b", "(x - y)**2 + z*x", "x/y + y*z", "a*b*c*d + e"]
ROUNDED = ["1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", "tanh(w*x + b) * v", "sigmoid(w0*x0 + w1*x1 + w2)"]


@pytest.mark.parametrize("formula", EXACT + ROUNDED)
def test_drawn_numbers_make_short_answers_and_hide_no_mistake(formula: str) -> None:
    draws = Draws(parse(formula, dict.fromkeys(open_names(formula), 2.0)))
    for seed in range(25):
        root = parse(formula, dict.fromkeys(open_names(formula), 2.0))
        order = topological_order(root)
        named = {order[i].label: x for i, x in zip(draws.leaves, draws.draw(Random(seed)), strict=True)}
        root = parse(formula, named)
        root.backward()
        for node in topological_order(root):
            if node.op == "const":
                continue
            numbers = [node.data, node.grad]
            assert formula in ROUNDED or all(map(three_digits, numbers)), (named, node)
            assert all(0.009 < abs(x) < 1000 for x in numbers), (named, node)
            if node.op in ("mul", "div", "pow", "exp", "tanh", "sigmoid"):
                slopes = [d for x, d in zip(node.inputs, node.local_derivatives, strict=True) if x.op != "const"]
                assert not {0.0, 1.0, -1.0} & {*slopes}, (named, node)


def test_a_derivative_that_is_not_written_yet_is_still_open():
    answer = check_derivative("tanh", lambda x: ...)
    assert not answer and answer.first_wrong == "" and "Still open" in str(answer)


def test_no_number_is_drawn_for_which_a_choice_has_no_derivative() -> None:
    formula = "max(a*b, c) + where(a > b, a, 2*b) - relu(c)"
    draws = Draws(parse(formula, a=2, b=3, c=5))
    for seed in range(20):
        named = dict(zip("abc", draws.draw(Random(seed)), strict=True))
        root = parse(formula, named)
        root.backward()
        assert named["a"] * named["b"] != named["c"] != 0.0
        assert all(node.grad for node in topological_order(root) if node.op == ""), named  # nobody is left out

"""Training on the compiled program: what `fit` does unless it is told ``compiled=False``.

The loss of one example is traced once (`nn.training.programs`), and the NumPy program that comes out takes the place of
the graphs:

    for batch in batches:
        mean, gradient = program.mean(batch, X, Y)
        w = optimizer.step_arrays(w, gradient)

Everything else, from shuffling to early stopping, is `fit`'s own and the same for both. The parameters are read from
the Values before each epoch and written back after it, so that callbacks, validation and whoever looks at the model
find them where they always are.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import NonFiniteError, Value
from autograd.compiler import compile as compile_function
from autograd.compiler.check import FAR, moved, only_rounding
from autograd.compiler.compiled import Compiled
from autograd.modes import collector_resting

from .. import optim
from ..layers import as_list
from ..module import in_one_piece, put
from .examples import Array, Examples
from .history import History
from .loops import EagerLoop, Problem, in_batch, number_of
from .metrics import decided, labels
from .programs import (
    FAMILIAR,
    STRANGE,
    Form,
    NotCompiled,
    Program,
    agree,
    forget,
    forms,
    keep,
    kept,
    key_of,
    output_program,
    outputs,
    reason,
    spread,
)
from .structure import known, structure_of


def best_loop(problem: Problem) -> EagerLoop:
    """The loop on arrays, or, where that cannot be, the eager one, with a warning that says why."""
    try:
        return CompiledLoop(problem)
    except NotCompiled as error:
        _stay_eager(problem.history, str(error), error.loud)
        return EagerLoop(problem)


SMALL = 256  # batches up to this size are also those in which examples are compared: their memory is needed anyway


class Trial(NamedTuple):
    """What the scalar code gives for the losses of some examples, times ``sign``: the program is held to it.

    ``far`` says whether that is with the parameters far from where they are.
    """

    chosen: list[int]
    sign: float
    far: bool
    expected: Array


class CompiledLoop(EagerLoop):
    """The same inner loop on arrays. During an epoch the parameters live here; around it, in the Values as always.

    Raises:
        NotCompiled: with the reason.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        why = no_arrays(self.mover)
        if why:
            raise NotCompiled(why, loud=False)
        self.structure, parameters = problem.structure, problem.structure.parameters
        same = self.mover.parameters == parameters  # one list less
        self.bound = parameters if same else list(self.mover.parameters)
        self.moved = self.bound if same else [*self.bound, *set(parameters).difference(self.bound)]
        self.ours = self.structure.ours and known(self.loss)
        self.plain = self.structure.plain and self.ours
        if not self.plain:
            self.before = [p.data for p in self.moved], self.mover.state_dict()
        self.taken: dict[Any, Compiled[Any]] = {}  # the programs, to be kept with the model for the next time
        try:
            with collector_resting():
                self._prepare()
        except NotCompiled:
            raise
        except Exception as error:
            raise NotCompiled(reason(error)) from error
        shrunk = set(self.weights)  # none without a penalty
        self.shrinking = np.array([p in shrunk for p in self.bound], dtype=float) if shrunk else np.zeros(0)
        self.fixed_weights = [*shrunk.difference(self.bound)] if shrunk else []
        self.fixed_penalty = 0.0
        self.live = False
        # what a step changes, stored all at once, so that Ctrl-C finds it whole: parameters, gradient, memory, count
        self.state: tuple[Any, Any, list[Any], int] = (None, None, [], 0)

    def _prepare(self) -> None:
        """The data as arrays, and the programs: those that there are from before, or new ones, compared."""
        examples, held, structure = self.problem.examples, self.problem.held_out, self.structure
        first = examples.places[0]
        count = len(as_list(self.problem.blank))
        first_form, *others = forms(self.loss, count, [part.y for part in (examples, held) if part])
        self._take_form(first_form)
        key = key_of(first_form.loss, *self.tables)
        step = kept(structure, key) if self.plain else None
        if step is not None:
            self.program = Program(step, self.bound)
            if self._differs(self._trial([first])):
                forget(structure, key)
                step = None
        if step is None:
            trials = self._trials()  # first, so that the scalar code's graphs are gone when a program comes
            try:
                step = self._compiled(first_form, first)
            except Exception:
                if not others:
                    raise
                self._take_form(others[0])
                step = self._compiled(others[0], first)
            self.program = Program(step, self.bound)
            why = next(filter(None, map(self._differs, trials)), "")
            if why:
                raise NotCompiled(why)
        if self.plain:
            self.taken[key] = step
        if self.metric is None:
            return
        key = key_of("outputs", self.X)  # at the outputs the metric looks
        step = kept(structure, key) or output_program(self.model, examples.row(first), structure.ours)
        if outputs(step, [first], self.X).ndim > 2:
            raise NotCompiled("the model returns lists of lists")
        self.taken[key] = step
        self.predictor = Program(step, self.bound)
        if self.problem.metric == "accuracy":
            self.classes = {id(part): _by_place(part, count) for part in (examples, held) if part}

    def _take_form(self, form: Form) -> None:
        """The data as arrays, with the targets as a form of the loss has them."""
        examples, held = self.problem.examples, self.problem.held_out
        self.X, self.Y = examples.X, form.as_array(examples.y)
        self.tables = [self.X, self.Y, *([] if examples.weights is None else [examples.weights])]
        self.held_Y = form.as_array(held.y) if held else self.Y

    def _compiled(self, form: Form, first: int) -> Compiled[Any]:
        twice = self.plain and form.classes is not None  # with a class the loss is traced twice, for the same Values
        given: list[Any] = []  # what the model gave the first time

        def loss_of_one(x: Any, t: Any, *weight: Any) -> Any:
            if given:
                y = given.pop()
            else:
                y = self.model(x)
                given.extend([y] * twice)
            return weight[0] * form.loss(y, t) if weight else form.loss(y, t)

        target, weights = form.classes or self.Y[first].tolist(), [1.0 for _ in self.tables[2:]]
        x = self.problem.examples.row(first)
        return compile_function(loss_of_one, x, target, *weights, mean=True, check=not self.ours)

    # --- the program against the scalar code

    def _trials(self) -> list[Trial]:
        """What the program will be held to: the scalar code, on real examples with their real targets.

        What `compile` checks is whether the program does what the function does with Values. A function that asks
        ``t == 1`` gets False for every Value, and no complaint; only here does that show. The examples are spread over
        the data; some are taken with their signs flipped, and with parameters moved far. Of a plain model, which asks
        for nothing, two will do: for a small table each costs as much as some steps.
        """
        places = self.problem.examples.places
        signs: tuple[float, ...] = (1.0, -1.0)
        if self.plain:
            chosen, few, signs = [places[0]], [places[-1]], signs[:1]
        else:
            chosen = spread(places, FAMILIAR if self.ours else STRANGE)
            few = spread(places, 1 if self.ours else 2 * FAMILIAR)
        if not self.ours:  # also one example for each of the first few different targets
            first = {repr(self.problem.examples.target(i)): i for i in reversed(places)}
            chosen = sorted({*chosen, *list(first.values())[-STRANGE:]})
        trials = [self._trial(chosen)]
        self.far = np.array(moved([p.data for p in self.moved], FAR, random.Random(0)))
        for sign in signs:
            with suppress(Exception):  # an example with its signs flipped need not make sense
                trials.append(self._trial(few, sign, far=True))
        return trials

    def _trial(self, chosen: list[int], sign: float = 1.0, far: bool = False) -> Trial:
        first, tried = self.problem.examples.places[0], self.problem.first_loss
        if self.plain and not far and tried is not None and chosen[0] == first:  # it is known from `fit`'s own trial
            return Trial(chosen, sign, far, np.array([tried, *self._scalar(chosen[1:], sign)]))
        with self._parameters(self.far.tolist() if far else None):
            return Trial(chosen, sign, far, self._scalar(chosen, sign))

    @contextmanager
    def _parameters(self, numbers: Sequence[float] | None) -> Iterator[None]:
        """Inside, the parameters have these numbers, if there are any."""
        changed = [] if numbers is None else self.moved
        before = [p.data for p in changed]
        try:
            put(changed, numbers or [])
            yield
        finally:
            put(changed, before)

    def _scalar(self, chosen: list[int], sign: float, how: Callable[[float], float] | None = None) -> Array:
        """The losses of some examples by the scalar code, after each parameter was changed by ``how``."""
        examples = self.problem.examples
        with self._parameters(how and [how(p.data) for p in self.moved]), collector_resting():
            pairs = [((sign * self.X[i]).tolist(), examples.target(i)) for i in chosen]
            return np.array([number_of(self.loss(self.model(x), target)) for x, target in pairs])

    def _differs(self, trial: Trial) -> str:
        """Where the program differs from a trial, in words; "" if nowhere."""
        chosen, sign, far, expected = trial
        with self._parameters(self.far.tolist() if far else None):
            self.program.step.pull()
            rows = np.resize(chosen, max(len(chosen), self.problem.size if self.problem.size <= SMALL else 0))
            found = self.losses(range(len(rows)), sign * self.X[rows], self.Y[rows])[: len(chosen)]
            tolerance = 1e-6 if far else 1e-9
            with np.errstate(all="ignore"):
                wrong = ~np.isclose(found, expected, tolerance, tolerance) & np.isfinite(expected)
            # where the loss is not finite already, the first step will tell
            if not wrong.any() or (not far and not np.isfinite(expected).all()):
                return ""
            nudged = partial(self._scalar, chosen, sign)
            if far and only_rounding(nudged, found, expected, wrong, float(np.finfo(float).eps)):
                return ""
        k = int(np.flatnonzero(wrong)[0])
        where = " with its parameters moved" + (" and the example's signs flipped" if sign < 0.0 else "") if far else ""
        return (
            f"the program gives {found[k]:.10g} for the loss of example {chosen[k]}{where}, but the scalar code gives "
            f"{expected[k]:.10g}. Does the model or the loss ask for a number, as in `if t == 1`?"
        )

    def doubted(self) -> EagerLoop | None:
        if self.plain:  # it was compared where it began, and nothing can change without `Structure.same` seeing it
            return None
        places = self.problem.examples.places
        self.settle()
        few = random.Random(0).sample(places, 1 if self.ours else min(len(places), 4 * FAMILIAR))
        why = self._differs(self._trial(few))
        if not why:
            return None
        put(self.moved, self.before[0])
        self.mover.load_state_dict(self.before[1])
        _stay_eager(self.problem.history, f"after the first epoch, {why}", loud=True)
        return EagerLoop(self.problem)

    def refreshed(self) -> EagerLoop:
        """This loop, if the program still computes what the model does after a callback; else another."""
        if self.mover.parameters == self.bound:
            first = [self.problem.examples.places[0]]
            if self.structure.same(self.model) if self.plain else not self._differs(self._trial(first)):
                return self
        self.problem.structure, self.problem.first_loss = structure_of(self.model), None
        return best_loop(self.problem)

    def close(self) -> None:
        self.settle()
        structure, taken = self.structure, self.taken
        vars(self).clear()  # memory for what is kept
        for key, step in taken.items():
            keep(structure, key, step)

    # --- an epoch

    def epoch(self, epoch: int, sequence: Any, size: int) -> dict[str, float]:
        if not self.live:
            self.pull()
        return super().epoch(epoch, np.array(sequence, dtype=np.intp), size)

    def pull(self) -> None:
        """Read the parameters from the Values."""
        for step in (self.program.step, *([self.predictor.step] if self.metric is not None else [])):
            step.pull()
        w = np.array([p.data for p in self.bound])
        self.state = (w, None, self.mover.memory, self.mover.t)
        self.fixed_penalty = 0.5 * self.l2 * math.fsum(w.data * w.data for w in self.fixed_weights)
        self.live = True

    def settle(self) -> None:
        """Write parameters and gradients into the Values: of the last full step, even if Ctrl-C comes in the middle."""
        if self.live:
            in_one_piece(self.push)

    def push(self) -> None:
        w, g, self.mover.memory, self.mover.t = self.state
        put(self.bound, w.tolist())
        if g is not None:
            for p, x in zip(self.bound, g.tolist(), strict=True):
                p.grad = x
        self.live = False

    def step(self, when: tuple[int, int], chosen: Any, weight: float) -> tuple[float, float]:
        mover, w = self.mover, self.state[0]
        self.program.load(w)
        mean, g = self.program.mean(chosen, *self.tables)
        if len(self.tables) > 2:  # the program's mean is Σ wᵢ·lossᵢ / n
            mean, g = mean * len(chosen) / weight, g * (len(chosen) / weight)
        self.problem.history.compiled = self.problem.history.compiled or self.program.step.backend
        if self.l2:
            shrinking = w * self.shrinking
            mean += 0.5 * self.l2 * float(shrinking @ shrinking) + self.fixed_penalty
            g = g + self.l2 * shrinking
        if not math.isfinite(mean) or not np.isfinite(g).all():
            return self.step_eagerly(when, chosen, weight)
        metrics = self.metrics(self.problem.examples, chosen)
        try:
            new = mover.step_arrays(w, g)
        except NonFiniteError as error:
            self.give_up(f"{error}, in {in_batch(when)}", when, None)
        self.state = new, g, mover.memory, mover.t
        return mean, metrics

    def step_eagerly(self, when: tuple[int, int], chosen: Any, weight: float) -> tuple[float, float]:
        """The same step through the graphs, which know the node at which a number stopped being finite."""
        self.push()
        result = super().step(when, chosen.tolist(), weight)
        self.pull()  # it came through: an overflow in a sum of losses, say
        return result

    def losses(self, chosen: Any, X: Array, Y: Array) -> Array:
        """The loss of each chosen example, as if all weighed 1."""
        return outputs(self.program.step, chosen, X, Y, *[np.ones(len(X)) for _ in self.tables[2:]])

    def metrics(self, examples: Examples, chosen: Any) -> float:
        """The sum of the metric over examples, at the parameters of the last `pull` or step."""
        if self.metric is None:
            return 0.0
        self.predictor.load(self.state[0])
        found = outputs(self.predictor.step, chosen, examples.X)
        if self.problem.metric == "accuracy":
            right = self.classes[id(examples)][chosen]
            return float(np.count_nonzero(decided(found, self.problem.threshold) == right))
        pairs = zip(found.tolist(), map(int, chosen), strict=True)
        return math.fsum(self.measure(_as_values(y), examples.target(i)) for y, i in pairs)

    def measured(self, epoch: int, examples: Examples) -> dict[str, float]:
        self.program.load(self.state[0])
        total = float(self.losses(examples.places, examples.X, self.held_Y).sum())
        return self.finite(epoch, examples, total, self.metrics(examples, examples.places))


def _by_place(examples: Examples, outputs: int) -> Array:
    """The class of each example's target, where its row is in the table."""
    classes = np.zeros(len(examples.X), dtype=int)
    classes[examples.places] = labels(examples, outputs)
    return classes


def _as_values(output: Any) -> Any:
    """A model's output as a metric expects it."""
    return [Value(y) for y in output] if isinstance(output, list) else Value(output)


def _stay_eager(history: History, why: str, loud: bool) -> None:
    history.compiled, history.why = False, why
    if loud:
        warnings.warn(
            f"training goes on without the compiler, and is much slower: {why}. compiled=False turns this off",
            RuntimeWarning,
            stacklevel=7,
        )


def no_arrays(mover: optim.Optimizer) -> str:
    """Why an optimiser cannot move an array of parameters; "" if it can."""
    kind, base = type(mover), optim.Optimizer
    if isinstance(mover, optim.Newton):
        return "Newton's method differentiates the graph of the loss twice"
    if kind.step is not base.step and kind.step_arrays is base.step_arrays:
        return f"{kind.__name__} has a step of its own"
    if kind not in optim.OPTIMIZERS.values():
        memory = list(mover.memory_starts.values())
        try:
            moved = mover.rule(
                np.array([0.5, -0.25]), np.array([-0.125, 0.75]), 0.01, 1, *[np.full(2, m) for m in memory]
            )
            single = [mover.rule(w, g, 0.01, 1, *memory) for w, g in ((0.5, -0.125), (-0.25, 0.75))]
            same = all(agree(np.broadcast_to(a, 2), b) for a, b in zip(moved, zip(*single, strict=True), strict=True))
        except Exception as error:
            return f"the rule of {kind.__name__} does not run on arrays: {error}"
        if not same:
            return f"the rule of {kind.__name__} gives something else on arrays than on numbers"
    return ""

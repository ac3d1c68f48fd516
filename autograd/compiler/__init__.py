"""`compile`: from a graph of scalars back to the vectorised program that an expert would have written.

    step = compile(loss, x, y)      # loss is plain scalar code; x and y are one example
    step(X, Y)                      # the mean loss over a batch; step.gradient is its gradient
    print(step.source)              # the program

The function is run once, on Values, and the graph that it leaves is rewritten, one pass per file, each with its effect
on a network of two neurons, and on three time steps, shown at the top:

    trace          run the function once, and write down what it did
    lookups        the same for functions in which a whole number chooses an entry of a list (`Index`)
    normalise      constants fold; trees of + - and products become linear nodes
    classes        nodes that do the same have one colour; what is repeated after itself takes turns
    turns          the turns of a loop in step
    arrange        every class becomes a box of nodes with axes, in which operands lie in step
    layout         every box gets a name and a place in memory
    differentiate  the derivative sheet, run on symbols that stand for arrays, gives statements forward and backward
    write          the statements as text
    in_place       the same as what runs on NumPy, each operation into memory bound beforehand

    boxes          the axes of a list of nodes
    groups         what a box of nodes is computed from
    program        what a program is made of: definitions, loops
    views          the slices by which some places of an array are read
    axes           expressions with their axes in another order, or another shape
    contract       a sum of products over any axes, as a product of matrices where it is one
    reading        how nodes are read: as views, or gathered; masks; names
    forward        each group as one definition, loops as loops
    adjoints       what is sent to each array on the way back, and its sum
    finding        what an index finds, and what goes back from there
    shares         exp(x - logsumexp(x)): read where it is there already, and in place a quotient
    workspace      the names and the memory of what runs on NumPy
    plan           these passes in a row: what every backend works from
    backends/      the ways to run it: arrays in place, JAX, straight-line Python, Numba
    compiled       the object that the caller holds, and the choice of what runs it
    arguments      from what the caller gives to columns of numbers, and the results back
    check          does the program do what the scalar code does?
    describe       the statements as data, for people and drawings
    symbols        what the sheet's rules are run on to become text
    listing        where tracebacks find the text
    standalone     the text as a file of its own, which needs NumPy only
    words          the functions that such a file carries along
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict, Unpack, overload

from ..modes import TracingError, collector_resting
from ..needs import needs_numpy
from ..value import Value
from .index import Index

if TYPE_CHECKING:
    from .compiled import Compiled, Floats


class _Options(TypedDict, total=False):
    params: Sequence[Value] | None
    dtype: str
    backend: str
    check: bool


class _Model(Protocol):
    """A network of which nobody can tell before it runs whether it gives one Value or several."""

    def parameters(self) -> list[Value]: ...
    def __call__(self, x: Any, /) -> Value | Sequence[Any]: ...


# A loss gives its mean, a float; a prediction gives an array.
@overload
def compile(
    f: Callable[..., Value], /, *example: Any, mean: Literal[True] | None = None, **options: Unpack[_Options]
) -> Compiled[float]: ...
@overload
def compile(
    f: Callable[..., Value | Sequence[Any]], /, *example: Any, mean: Literal[False], **options: Unpack[_Options]
) -> Compiled[Floats]: ...
@overload
def compile(
    f: Callable[..., Value | Sequence[Any]], /, *example: Any, mean: bool, **options: Unpack[_Options]
) -> Compiled[float | Floats]: ...
@overload
def compile(
    f: Callable[..., Sequence[Any]], /, *example: Any, mean: None = None, **options: Unpack[_Options]
) -> Compiled[Floats]: ...
@overload
def compile(
    f: _Model, /, *example: Any, mean: bool | None = None, **options: Unpack[_Options]
) -> Compiled[float | Floats]: ...
def compile(
    f: Callable[..., Any],
    /,
    *example: Any,
    params: Sequence[Value] | None = None,
    dtype: str = "float64",
    backend: str = "auto",
    check: bool = True,
    mean: bool | None = None,
) -> Compiled[Any]:
    """Compile a function of one sample into a program for batches of samples.

    Args:
        f: plain scalar code: it gets the example's arguments with a Value for every number, and returns one Value (a
            loss), or a nested list of them (a prediction).
        example: one sample: for each argument a number, or a nested list or array of numbers. Only its shape matters,
            but it should be a point where ``f`` is defined. An `Index` stands where a whole number is to choose.
        params: the parameters, in any order; other Values that ``f`` meets are then constants. By default every Value
            that ``f`` uses and did not make itself.
        dtype: "float64" or "float32".
        backend: "numpy", the grouped program; "python", straight-line code that needs the standard library only, for
            small or irregular graphs and small batches; "jax" and "numba", if they are installed; "javascript", loops
            for a page, run by Node.js; "auto" chooses between the first two.
        check: evaluate other samples (near the example, signs flipped, large), with parameters that are moved far, and
            compare with the scalar code; this finds randomness, and what was frozen by way of text or types.
        mean: whether a call gives the mean over the batch and leaves the gradient (True), or what ``f`` returns for
            each sample (False). By default True if ``f`` returns one Value, else False.

    Returns:
        the compiled function: call it with arrays whose first axis is the batch.

    Raises:
        TracingError: where ``f`` reads a number that depends on the sample or on a parameter (``.data``, ``if``,
            ``float``, ``max``, an index), with the file and line, and what to write instead, such as `where`; or if the
            check finds that the program does not compute what ``f`` does.
        ValueError, TypeError: for arguments that make no sense.
        ImportError: where there is no NumPy, as in some browsers.
    """
    if not callable(f):
        hint = (
            "; for a Value that is already computed, wrap what computes it in a function"
            if isinstance(f, Value)
            else ""
        )
        raise TypeError(f"expected a function to compile, but got {type(f).__name__}{hint}")
    needs_numpy("compile")
    from .arguments import Arguments
    from .check import check as compare
    from .compiled import BACKENDS, Compiled
    from .lookups import trace

    names = ("auto", *BACKENDS)
    if backend not in names:
        raise ValueError(f"backend must be one of {', '.join(map(repr, names))}, but got {backend!r}")
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype must be 'float64' or 'float32', but got {dtype!r}")
    _check_example(f, example)
    with collector_resting():  # its passes over a million new containers take as long as the compiler's own
        step: Compiled[Any] = Compiled(trace(f, example, params), Arguments(f, example, dtype), backend, mean)
        if check:
            compare(step, f, example)
    return step


def _check_example(f: Callable[..., Any], example: tuple[Any, ...]) -> None:
    import inspect

    try:
        signature = inspect.signature(f)
    except ValueError:  # it has none that can be read
        return
    try:
        signature.bind(*example)
    except TypeError as error:
        raise TypeError(
            "after the function give one sample, with an example of each of its arguments, "
            f"as in compile(f, X[0], y[0]): {error}"
        ) from None


__all__ = ["Index", "TracingError", "compile"]

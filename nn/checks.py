"""Whether an argument is what it has to be, a number, a size, a pair, an index: one clear error for all of `nn`.

Each check takes the argument's name, for the message, and what was given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from numbers import Real
from typing import Any, TypeVar

from autograd import Value
from autograd.hints import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


def number(name: str, x: object) -> float:
    """A setting that must be a number, as it came.

    Raises:
        TypeError: for anything else: a string, None, a list, True.
    """
    if isinstance(x, bool) or not isinstance(x, Real):
        read = _as_float(x) if isinstance(x, str) else None
        hint = "" if read is None else f"; without the quotes: {read}"
        raise TypeError(f"{name} must be a number, but got {type(x).__name__}: {x!r:.60}{hint}")
    return x  # type: ignore[return-value]


def _as_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def in_unit(name: str, x: object) -> float:
    """A number of at least 0 and below 1, as it came; else a ValueError."""
    if not 0.0 <= number(name, x) < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, but got {x!r}")
    return number(name, x)


def positive(name: str, x: object) -> float:
    """A number above 0, as it came; else a ValueError."""
    if not number(name, x) > 0.0:
        raise ValueError(f"{name} must be above 0, but got {x!r}")
    return number(name, x)


def not_negative(name: str, x: object) -> float:
    """A number from 0 up, as it came; else a ValueError."""
    if not number(name, x) >= 0.0:
        raise ValueError(f"{name} must not be negative, but got {x!r}")
    return number(name, x)


def pair(name: str, x: object) -> tuple[float, float]:
    """Two numbers; else a TypeError, or for another count of them a ValueError."""
    if not isinstance(x, (tuple, list)):
        raise TypeError(f"{name} is a pair of numbers, but got {type(x).__name__}: {x!r:.60}")
    if len(x) != 2:
        raise ValueError(f"{name} is a pair of numbers, but got {len(x)}: {x!r:.60}")
    return number(f"{name}[0]", x[0]), number(f"{name}[1]", x[1])


def deviation(name: str, x: object) -> None:
    """A standard deviation, a finite number from 0 up; else a ValueError."""
    if isinstance(x, bool) or not isinstance(x, Real) or not 0.0 <= float(x) < math.inf:
        raise ValueError(f"{name} must be a number from 0 up, but got {x!r}")


# --- whole numbers


def whole(name: str, x: Any, least: int = 1) -> int:
    """A whole number of at least ``least`` as an int; NumPy's kinds and 100.0 count, too.

    Raises:
        TypeError: for anything else: 2.5, "3", True.
        ValueError: for a smaller one.
    """
    truth = type(x).__name__ in ("bool", "bool_")  # Python's and NumPy's, which before 2.0 had an __index__
    if truth or not (hasattr(x, "__index__") or (isinstance(x, Real) and float(x).is_integer())):
        raise TypeError(f"{name} must be a whole number, but got {type(x).__name__}: {x!r:.60}")
    n = int(x)
    if n < least:
        raise ValueError(f"{name} must be at least {least}, but got {x!r:.60}")
    return n


def rows_and_columns(name: str, x: Any, least: int = 1) -> tuple[int, int]:
    """(rows, columns), two whole numbers, from a pair or from one number for both; errors as of `whole`."""
    x = x.tolist() if hasattr(x, "tolist") else x
    both = x if isinstance(x, (tuple, list)) else (x, x)
    if len(both) != 2:
        raise ValueError(f"{name} is one number, or a pair (rows, columns), but got {x!r}")
    return whole(name, both[0], least), whole(name, both[1], least)


def index(name: str, x: Any, n: int) -> int:
    """A place among n, counted from 0, as an int. A negative one is refused: it would silently count from the end.

    Raises:
        TypeError: for anything but a whole number; for a Value.
        ValueError: for one that is not 0…n-1.
    """
    if isinstance(x, Value):
        raise TypeError(
            f"{name} must be a plain whole number, but is a Value: which row is looked up cannot be differentiated, "
            "or recorded by the compiler. Give the one-hot vector instead, as one_hot(index, n) makes it"
        )
    if isinstance(x, bool) or not isinstance(x, Real) or x % 1 != 0:  # which of inf and nan is nan
        raise TypeError(f"{name} must be a whole number 0…{n - 1}, but got {x!r:.60}")
    if not 0 <= x < n:  # type: ignore[operator]
        raise ValueError(f"there are {n} places, 0…{n - 1}, but {name} is {x!r:.60}")
    return int(float(x))


# --- what goes by a name


def one_of(what: str, given: object, known: Collection[str], elsewhere: Mapping[str, str] | None = None) -> None:
    """Raises ValueError if what was ``given`` is not one of the known words; ``elsewhere`` is as for `named`."""
    if not isinstance(given, str) or given not in known:
        hint = did_you_mean(given, known, elsewhere) if isinstance(given, str) else ""
        raise ValueError(f"{what} is one of {', '.join(known)}, but got {given!r}{hint}")


def named(
    what: str, form: str, given: str | F, known: Mapping[str, F], elsewhere: Mapping[str, str] | None = None
) -> F:
    """The function of this name, whatever its capitals, or the function itself.

    Args:
        what: of which kind it is, for the messages: "a loss".
        form: what such a function is called with: "(output, target)".
        given: the name, or the function.
        known: the functions by their names.
        elsewhere: what other libraries call them.

    Raises:
        ValueError: for a name that is not known; the message lists those that are.
        TypeError: for anything that is neither a string nor callable.
    """
    if callable(given):
        return given
    if not isinstance(given, str):
        raise TypeError(f"{what} is a name or a function {form}, but got {type(given).__name__}")
    if given.lower() not in known:
        hint = did_you_mean(given, known, elsewhere)
        raise ValueError(f"{what} is one of {', '.join(known)}, or a function, but got {given!r}{hint}")
    return known[given.lower()]

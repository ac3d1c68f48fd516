"""Whether a setting is a number, and in its range: one clear error for every optimiser, schedule and loss."""

from __future__ import annotations

from numbers import Real


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


def in_unit(name: str, x: object) -> None:
    """A number of at least 0 and below 1; else a ValueError."""
    if not 0.0 <= number(name, x) < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, but got {x!r}")


def positive(name: str, x: object) -> None:
    """A number above 0; else a ValueError."""
    if not number(name, x) > 0.0:
        raise ValueError(f"{name} must be above 0, but got {x!r}")


def not_negative(name: str, x: object) -> None:
    """A number from 0 up; else a ValueError."""
    if not number(name, x) >= 0.0:
        raise ValueError(f"{name} must not be negative, but got {x!r}")


def pair(name: str, x: object) -> tuple[float, float]:
    """Two numbers; else a TypeError, or for another count of them a ValueError."""
    if not isinstance(x, (tuple, list)):
        raise TypeError(f"{name} is a pair of numbers, but got {type(x).__name__}: {x!r:.60}")
    if len(x) != 2:
        raise ValueError(f"{name} is a pair of numbers, but got {len(x)}: {x!r:.60}")
    return number(f"{name}[0]", x[0]), number(f"{name}[1]", x[1])


__all__ = ["in_unit", "not_negative", "number", "pair", "positive"]

"""What an exercise answers: `Feedback`; and the smallest exercise, one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

from ..graph import format_number
from ..messages import messages
from ..mistakes import close
from ..reals import is_real

Answer: TypeAlias = "float | EllipsisType | None"  # what stands in a blank: a number, or nothing yet


@dataclass(frozen=True, slots=True)
class Feedback:
    """The answer to an answer. It shows what it says, and is true if everything is right.

    Attributes:
        lines: what is said, line by line.
        passed: whether everything that was asked is there and right.
        first_wrong: the first wire or step that is wrong, such as "∂f/∂x"; "" if none is.
        slips: the classic slips by which one may have come to it: keys of `autograd.mistakes.SLIPS` and the like.
        counted: how many of the answers count: those that are right, and those that follow rightly from a slip.
        asked: how many answers were asked for.
    """

    lines: tuple[str, ...]
    passed: bool
    first_wrong: str = ""
    slips: tuple[str, ...] = ()
    counted: int = 0
    asked: int = 1

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return "\n".join(self.lines)

    __repr__ = __str__


def said(key: str, **slots: object) -> str:
    """A sentence of the table of messages."""
    return messages()[key].format(**slots)


def told_slips(slips: Sequence[str], kind: str = "slip") -> str:
    """What the slips look like, as a sentence; of another ``kind``: the faults of a program."""
    named = [messages().get(f"{kind}-{slip}", slip) for slip in slips]
    if not named:
        return said("answer-unknown")
    return said("answer-slip", slip=named[0]) if len(named) == 1 else said("answer-slips", slips="; ".join(named))


def number_in(answer: object, what: str) -> float | None:
    """The number that stands in a blank; None for a blank that is still open.

    Raises:
        TypeError: if something else stands there.
    """
    if answer is None or answer is ...:
        return None
    if isinstance(answer, bool) or not is_real(answer):
        hint = "; write it without the quotes" if isinstance(answer, str) else ""
        raise TypeError(
            f"the answer for {what} must be a number such as -1.5, or ... for later, but got {answer!r}{hint}"
        )
    return float(answer)  # type: ignore[arg-type]


def check_number(
    answer: Answer, right: float, *, what: str = "your answer", slips: Mapping[str, float] | None = None
) -> Feedback:
    """Check one number, to about three digits.

    >>> check_number(0.75, 0.25, what="the share", slips={"that is what is left": 0.75})
    The first wrong one is the share: 0.75 is not right. It looks like this slip: that is what is left.

    Args:
        answer: the student's number; ``...`` or None while the blank is open.
        right: the right one: best as the expression that computes it, so that it is not to be read in the cell.
        what: what the number is.
        slips: numbers that one comes to by a known mistake, each under the sentence that names the mistake.

    Raises:
        TypeError: if the answer is no number.
    """
    guess = number_in(answer, what)
    if guess is None:
        return Feedback((said("answer-blank", names=what),), False)
    if close(guess, right):
        return Feedback((said("answer-one"),), True, counted=1)
    fitting = tuple(told for told, x in (slips or {}).items() if close(guess, x))
    line = said("first-wrong", what=what, guess=format_number(guess))
    return Feedback((f"{line} {told_slips(fitting)}",), False, what, fitting)


__all__ = ["Answer", "Feedback", "check_number", "number_in", "said", "told_slips"]

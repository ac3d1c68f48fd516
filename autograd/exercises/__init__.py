"""Exercises that answer back: the student writes, and hears which wire or step is the first wrong one, and why.

By hand, with a formula or any graph:

>>> from autograd.exercises import by_hand
>>> task = by_hand("q = x + y; f = q * z", x=-2, y=5, z=-4)
>>> task
Work out by hand: ∂f/∂z, ∂f/∂q, ∂f/∂y, ∂f/∂x, where q = x + y, f = q × z, at x = −2, y = 5, z = −4.
>>> task.check(q=-4, x=-4, y=4, z=...)
Right: ∂f/∂q, ∂f/∂x.
The first wrong one is ∂f/∂y: 4 is not right. It looks like this slip: the sign.
Still open: ∂f/∂z.
2 of 4 count.

And in code: a class of one's own, a backward pass, a local derivative.

>>> from autograd.exercises import check_backward, check_class, check_derivative, check_number
>>> answer = check_derivative("tanh", lambda x: 1 - x**2)
>>> answer.first_wrong, answer.slips
('the derivative of tanh at x = −1.5', ('formula',))

What comes back is a `Feedback`: it says so itself, in a terminal and in a notebook, and is true if all is right.
"""

from __future__ import annotations

from .code import check_backward, check_class, check_derivative
from .feedback import Feedback, check_number
from .paper import ByHand, by_hand

__all__ = ["ByHand", "Feedback", "by_hand", "check_backward", "check_class", "check_derivative", "check_number"]

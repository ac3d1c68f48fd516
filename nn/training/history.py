"""What training leaves behind and says on the way: `History`, `EpochEnd`, `NonFiniteLossError`, and the bar."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograd import NonFiniteError, Value

from ..module import Module
from ..optim import Optimizer


class NonFiniteLossError(NonFiniteError):
    """The loss or its gradient became inf or nan. The message names epoch, batch and node.

    Attributes:
        epoch, batch (int): where, counted from 1.
        node (Value | None): the first node that is not finite, inputs before outputs; for a gradient, the parameter.
        history (History): the epochs before it.
    """

    epoch = 0
    batch = 0
    node: Value | None = None
    history: History


class History(dict[str, list[float]]):
    """What `fit` saw, epoch by epoch: a dict of lists of equal length.

    Always there: "epoch" (from 1), "loss" (the mean over the epoch of what was minimised, each batch before its step)
    and "lr". With a metric also its name, with validation "val_loss" and "val_" + the metric's name.

    Attributes:
        stopped (str): why training ended: "epochs", "tolerance", "patience", "callback" or "interrupted".
        best_epoch (int | None): the epoch with the lowest validation loss.
        compiled (str | bool): the backend of the compiled program, "numpy" or "python"; False for eager training.
        why (str): why training was eager, if it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stopped = ""
        self.best_epoch: int | None = None
        self.compiled: str | bool = False
        self.why = ""

    def record(self, row: dict[str, float]) -> None:
        """Append one epoch's numbers."""
        for name, x in row.items():
            self.setdefault(name, []).append(x)


@dataclass
class EpochEnd:
    """What a callback is given after each epoch. Call ``stop()``, or return True, to end training."""

    epoch: int
    model: Module
    optimizer: Optimizer
    history: History
    stopping: bool = field(default=False, repr=False)

    def stop(self) -> None:
        self.stopping = True


Callback = Callable[[EpochEnd], Any]


class Bar:
    """A tqdm bar over the epochs, with the loss and the metric beside it; silent where nobody looks."""

    def __init__(self, epochs: int, wanted: bool) -> None:
        self.bar: Any = None
        if wanted:
            try:
                from tqdm import tqdm
            except ImportError:
                return
            notebook = "ipykernel" in sys.modules  # there stderr is no terminal, but somebody looks
            self.bar = tqdm(total=epochs, desc="fit", unit="epoch", disable=None if not notebook else False)

    def show(self, row: dict[str, float]) -> None:
        if self.bar is not None:
            shown = {key: f"{x:.4g}" for key, x in row.items() if key not in ("epoch", "lr")}
            self.bar.set_postfix(shown, refresh=False)
            self.bar.update()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()

"""Convolution on the compiled program: the step against PyTorch, and the digits of the curriculum (C2).

    python benchmarks/convolution.py                 all sections
    python benchmarks/convolution.py step digits

The net is that of the lecture: 8 filters of 3×3 with ReLU, mean pooling by 2×2, a dense layer of 10, softmax and
cross-entropy, on 8×8 digits. ``step`` times loss and gradient of a batch, all contenders interleaved in one process
with one BLAS thread; medians and ratios. ``digits`` trains it and prints the accuracy on the fifth of the examples that
was set aside before anything was chosen. ``folds`` trains it five times, so that each example is held out once. All
need scikit-learn for the digits; PyTorch takes part where installed.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
from compile import Contenders, interleaved, optional, show  # noqa: E402

import autograd  # noqa: E402
import nn  # noqa: E402

# Chosen by 6-fold cross-validation inside the training part, from: padding 0 or 1, pooling with or without overlap,
# ReLU or tanh, two learning rates, and training on the digits alone or also moved by a pixel (98.8 and 99.0 % there).
PADDING = 1
EPOCHS = 20
MOVES = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
SETTINGS: dict[str, Any] = {
    "loss": "cross_entropy",
    "schedule": nn.schedules.cosine(0.03, EPOCHS),
    "epochs": EPOCHS,
    "batch_size": 16,
    "l2": 1e-4,
    "progress": False,
}


def net(padding: int = 0, pool: str = "mean", seed: int = 0) -> nn.Sequential:
    side = (6 + 2 * padding) // 2
    return nn.Sequential(
        nn.Reshape(1, 8, 8),
        nn.Conv2d(1, 8, 3, padding=padding, activation="relu", init="he", seed=seed),
        nn.Pool2d(2, pool),
        nn.Flatten(),
        nn.Layer(8 * side * side, 10, "linear", seed=seed + 1),
    )


def torch_step(
    torch: Any, model: nn.Sequential, padding: int, pool: str, X: Any, y: Any, kind: Any
) -> Callable[[], Any]:
    """The same net with the same weights in PyTorch, with one thread."""
    torch.set_num_threads(1)
    filters, neurons = model.layers[1].filters, model.layers[4].neurons
    pooling = {"mean": torch.nn.AvgPool2d, "max": torch.nn.MaxPool2d}[pool](2)
    convolution = torch.nn.Conv2d(1, 8, 3, padding=padding, dtype=kind)
    dense = torch.nn.Linear(len(neurons[0].w), 10, dtype=kind)
    with torch.no_grad():
        convolution.weight[:] = torch.tensor(
            [[[[w.data for w in r] for r in c] for c in f.w] for f in filters], dtype=kind
        )
        dense.weight[:] = torch.tensor([[w.data for w in n.w] for n in neurons], dtype=kind)
        convolution.bias[:], dense.bias[:] = 0.0, 0.0
    theirs = torch.nn.Sequential(convolution, torch.nn.ReLU(), pooling, torch.nn.Flatten(), dense)
    x, target = torch.tensor(X.reshape(-1, 1, 8, 8), dtype=kind), torch.tensor(y)

    def step() -> Any:
        for p in theirs.parameters():
            p.grad = None
        loss = torch.nn.functional.cross_entropy(theirs(x), target)
        loss.backward()
        return loss

    return step


def section_step() -> None:
    torch = optional("torch")
    X, y = map(np.array, nn.data.digits())
    Y = np.eye(10)[y]
    for padding, pool, batch in ((0, "mean", 256), (1, "mean", 256), (0, "max", 256), (0, "mean", 32)):
        model = net(padding, pool)

        def loss(x: Any, t: Any, model: nn.Sequential = model) -> Any:
            return nn.cross_entropy(model(x), t)

        start = time.perf_counter()
        step = autograd.compile(loss, X[0], Y[0])
        x, t = X[:batch], Y[:batch]
        step(x, t)
        print(f"\ntrace, compile, check and first call {time.perf_counter() - start:.2f} s", end="")
        print(f"; {len(step.source.splitlines())} lines")
        contenders: Contenders = {"compiled": lambda step=step, x=x, t=t: step(x, t)}
        if torch is not None:
            double = torch_step(torch, model, padding, pool, x, y[:batch], torch.float64)
            assert abs(double().item() - step(x, t)) < 1e-12
            contenders["PyTorch, one thread"] = double
            contenders["PyTorch, one thread, float32"] = torch_step(
                torch, model, padding, pool, x, y[:batch], torch.float32
            )
        if (padding, pool, batch) == (0, "mean", 256):
            contenders["eager Values, 1 of the 256"] = lambda loss=loss, x=x, t=t: loss(
                x[0].tolist(), t[0].tolist()
            ).backward()
        show(f"8 filters of 3×3, padding {padding}, {pool} pooling, dense 10, batch {batch}", interleaved(contenders))


def moved(X: Any, y: Any) -> tuple[Any, Any]:
    """Each digit as it is, and moved by one pixel to each of the four sides: it is still the same digit."""
    images = np.array(X).reshape(-1, 8, 8)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    variants = [padded[:, 1 + i : 9 + i, 1 + j : 9 + j] for i, j in MOVES]
    return np.concatenate(variants).reshape(-1, 64), np.tile(np.array(y), len(MOVES))


def trained(X: Any, y: Any, seed: int) -> tuple[nn.Sequential, float]:
    """A net, and the seconds that its training took."""
    model = net(PADDING, seed=seed)
    X, y = moved(X, y)
    start = time.perf_counter()
    nn.fit(model, X, y, seed=seed, **SETTINGS)
    return model, time.perf_counter() - start


def section_digits(turns: int = 3) -> None:
    X, y = nn.data.digits()
    X_train, y_train, X_test, y_test = nn.data.split(X, y, 0.2, seed=0)
    models, seconds = zip(*(trained(X_train, y_train, seed) for seed in range(turns)), strict=True)
    found = [nn.accuracy(model, X_test, y_test) for model in models]
    print(f"\ndigits 8×8, {len(models[0].parameters()):,} parameters, {EPOCHS} epochs, {turns} seeds")
    print(f"  right of {len(X_test)} held out: " + ", ".join(f"{a:.2%}" for a in found) + " (bar: 98 %)")
    print(f"  training, compiling included: {statistics.median(seconds):.2f} s (bar: 10 s)")


def section_folds(folds: int = 5) -> None:
    X, y = map(np.array, nn.data.digits())
    right = 0.0
    mixed = np.random.default_rng(0).permutation(len(X))
    for k, out in enumerate(np.array_split(mixed, folds)):
        kept = np.setdiff1d(mixed, out)
        model, _ = trained(X[kept], y[kept], seed=k)
        right += nn.accuracy(model, X[out], y[out]) * len(out)
    print(f"\ndigits 8×8, {folds} folds: {right / len(X):.2%} of {len(X):,}, each held out once")


SECTIONS = {"step": section_step, "digits": section_digits, "folds": section_folds}

if __name__ == "__main__":
    for _section in sys.argv[1:] or SECTIONS:
        SECTIONS[_section]()

"""Training speed: eager Values against micrograd, eager against compiled `fit`, and the digits of the curriculum (B16).

    python benchmarks/train.py [--quick] [--digits]

Moons: 100 points, MLP(2, [16, 16, 1]), the loop of micrograd's own demo (hinge loss plus an L2 penalty, one graph for
all 100 examples, gradient descent), the very same function for both libraries, turn by turn in one process, from the
same weights. Each turn begins with a garbage collection outside the measured time, so that neither pays for the other's
garbage. Times are medians; the losses of both must agree.

``--digits`` trains 64-100-10 on the 8×8 digits (scikit-learn) and prints the accuracy on the fifth of the examples
that was set aside before anything was chosen. It takes some seconds, with ``--eager`` some minutes.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nn
from autograd import Value


def demo_step(model: Any, number: Any, X: list[list[float]], y: list[int], lr: float) -> float:
    """One step of micrograd's demo; ``number`` is the library's Value."""
    scores = [model([number(x) for x in row]) for row in X]
    losses = [(1 + -t * s).relu() for t, s in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    total = data_loss + 1e-4 * sum(p * p for p in model.parameters())
    model.zero_grad()
    total.backward()
    for p in model.parameters():
        p.data -= lr * p.grad
    loss: float = total.data
    return loss


def moons(turns: int) -> float:
    """Milliseconds per step for each, and their ratio."""
    from micrograd.engine import Value as MicrogradValue
    from micrograd.nn import MLP as MicrogradMLP

    X, classes = nn.data.moons(100, seed=1)
    y = [2 * t - 1 for t in classes]
    ours, theirs = nn.MLP(2, [16, 16, 1], activation="relu", init="he", seed=1), MicrogradMLP(2, [16, 16, 1])
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q.data = p.data
    times: dict[str, list[float]] = {"chainrule": [], "micrograd": [], "eager fit": []}
    by_fit = nn.MLP(2, [16, 16, 1], activation="relu", init="he", seed=1)
    optimizer = nn.SGD(lr=0.05)
    for _ in range(turns):
        found = []
        for name, model, number in (("chainrule", ours, Value), ("micrograd", theirs, MicrogradValue)):
            gc.collect()
            start = time.perf_counter()
            found.append(demo_step(model, number, X, y, 0.05))
            times[name].append(time.perf_counter() - start)
        if abs(found[0] - found[1]) > 1e-9:
            raise AssertionError(f"the two libraries disagree: {found[0]!r} and {found[1]!r}")
        gc.collect()
        start = time.perf_counter()
        options: Any = {"l2": 2e-4, "shuffle": False, "progress": False, "compiled": False}
        nn.fit(by_fit, X, y, loss="hinge", optimizer=optimizer, epochs=1, **options)
        times["eager fit"].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = statistics.median(b / a for a, b in zip(times["chainrule"], times["micrograd"], strict=True))
    print(f"moons, 100 points, MLP(2, [16, 16, 1]): one step, median of {turns} turns")
    for name, seconds in medians.items():
        print(f"  {name:10} {1e3 * seconds:8.1f} ms   {medians['micrograd'] / seconds:5.2f} × micrograd's speed")
    print(f"  the same loop, turn by turn: chainrule is {ratio:.2f} times as fast (median of the ratios)")
    return ratio


def compiled(epochs: int = 20, turns: int = 3) -> float:
    """How many times as fast `fit` is on the compiled program, compiling included: moons as above, batches of 10."""
    X, y = nn.data.moons(100, seed=1)
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(turns):
        histories = []
        for way in (False, True):
            model = nn.MLP(2, [16, 16, 1], activation="relu", init="he", seed=1)
            gc.collect()
            start = time.perf_counter()
            options: Any = {"loss": "binary_cross_entropy", "batch_size": 10, "progress": False, "compiled": way}
            histories.append(nn.fit(model, X, y, epochs=epochs, **options)["loss"])
            times[way].append(time.perf_counter() - start)
        if max(abs(a - b) for a, b in zip(*histories, strict=True)) > 1e-9:
            raise AssertionError("eager and compiled training disagree")
    eager, fast = (statistics.median(times[way]) for way in (False, True))
    print(f"fit, moons, {epochs} epochs of 10 batches, median of {turns} turns")
    print(f"  eager {eager:.2f} s, compiled {fast:.3f} s (with compiling): {eager / fast:.0f} times as fast")
    return eager / fast


# Chosen by 4-fold cross-validation inside the training part.
DIGITS: dict[str, Any] = {"hidden": 100, "lr": 0.02, "l2": 2e-3, "epochs": 20, "batch_size": 16, "seed": 0}


def digits(eager: bool = False) -> float:
    """The accuracy on held-out 8×8 digits of a network with one hidden layer of 100, softmax, cross-entropy and L2."""
    X, y = nn.data.digits()
    X_train, y_train, X_test, y_test = nn.data.split(X, y, 0.2, seed=0)
    model = nn.MLP(64, [DIGITS["hidden"], 10], activation="relu", init="he", seed=DIGITS["seed"])
    start = time.perf_counter()

    def report(event: nn.training.EpochEnd) -> None:
        row = {name: values[-1] for name, values in event.history.items()}
        seconds = time.perf_counter() - start
        print(
            f"  epoch {event.epoch:2}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  {seconds:.0f} s",
            flush=True,
        )

    nn.fit(
        model,
        X_train,
        y_train,
        loss="cross_entropy",
        optimizer="adam",
        schedule=nn.schedules.cosine(DIGITS["lr"], DIGITS["epochs"]),
        epochs=DIGITS["epochs"],
        batch_size=DIGITS["batch_size"],
        l2=DIGITS["l2"],
        metric="accuracy",
        seed=DIGITS["seed"],
        callbacks=report,
        progress=False,
        compiled=not eager,
    )
    found = nn.accuracy(model, X_test, y_test)
    print(f"digits 8×8, 64-{DIGITS['hidden']}-10: {found:.2%} of {len(X_test)} held-out examples (bar: 97.3%)")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 turns instead of 21")
    parser.add_argument("--digits", action="store_true", help="train on the 8×8 digits, too")
    parser.add_argument("--eager", action="store_true", help="the digits without the compiler; some minutes")
    options = parser.parse_args()
    moons(5 if options.quick else 21)
    compiled()
    if options.digits or options.eager:
        start = time.perf_counter()
        digits(options.eager)
        print(f"  {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()

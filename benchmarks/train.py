"""Training speed: eager Values against micrograd, eager against compiled `fit`, and the digits of the curriculum (B16).

    python benchmarks/train.py [--quick] [--digits] [--bars]

Moons: 100 points, MLP(2, [16, 16, 1]), the loop of micrograd's own demo (hinge loss plus an L2 penalty, one graph for
all 100 examples, gradient descent), the very same function for both libraries, turn by turn in one process, from the
same weights. Each turn begins with a garbage collection outside the measured time, so that neither pays for the other's
garbage. Times are medians; the losses of both must agree.

``--digits`` trains 64-100-10 on the 8×8 digits (scikit-learn) and prints the accuracy on the fifth of the examples
that was set aside before anything was chosen. It takes some seconds, with ``--eager`` some minutes.

``--bars`` measures training on arrays (it needs PyTorch and scikit-learn), each library on one thread:

    fit         784-100-10, 20,000 rows, batches of 64, Adam: an epoch against PyTorch's loop in float64, turn by turn
    before      from the call of `fit` to its first step, in epochs: in a fresh process, of the same model again, and of
                another model of the same structure. It is what a call takes less its epochs, so that checks that come
                after the first epoch count, too
    memory      the most that a call holds at once beyond X and the model, in sizes of X (tracemalloc; a fresh process)
    predict     against scikit-learn's network of the same shape, after the first call
    estimators  `MLPClassifier` against scikit-learn's with the same solver, batches and epochs, turn by turn over the
                same splits. The first fit of a structure, which traces it, is shown beside the others
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

if {"--bars", "--part"} & {*sys.argv}:  # before anything loads NumPy
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
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


# --- the bars

ROWS, SIZES, BATCH = 20_000, (784, 100, 10), 64


def wide() -> tuple[Any, Any, Any]:
    """A network of 784-100-10, and examples for it."""
    import numpy as np

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(ROWS, SIZES[0])), rng.integers(0, SIZES[2], ROWS)
    return nn.MLP(SIZES[0], SIZES[1:], "relu", seed=0), X, y


def train_wide(model: Any, X: Any, y: Any, epochs: int) -> float:
    """Seconds of processor time for a call of `fit`."""
    start = time.process_time()
    options: Any = {"loss": "cross_entropy", "batch_size": BATCH, "progress": False}
    nn.fit(model, X, y, optimizer="adam", lr=1e-3, epochs=epochs, **options)
    return time.process_time() - start


def part_before() -> list[float]:
    """Epochs before the first step: of the first call in this process, the second, and another model's first."""
    model, X, y = wide()
    first, second = train_wide(model, X, y, 1), train_wide(model, X, y, 1)
    other = train_wide(nn.MLP(SIZES[0], SIZES[1:], "relu", seed=1), X, y, 1)
    epoch = statistics.median((train_wide(model, X, y, 4) - train_wide(model, X, y, 1)) / 3 for _ in range(2))
    return [x / epoch - 1.0 for x in (first, second, other)]


def part_memory() -> list[float]:
    """The most that the first and the second call hold at once, in sizes of X."""
    model, X, y = wide()
    found = []
    tracemalloc.start()
    for _ in range(2):
        gc.collect()
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        train_wide(model, X, y, 1)
        found.append((tracemalloc.get_traced_memory()[1] - held) / X.nbytes)
    return found


def part_fit(turns: int = 5) -> list[float]:
    """An epoch of ours in PyTorch's, the median, and each one's milliseconds."""
    import torch

    torch.set_num_threads(1)
    model, X, y = wide()
    net = torch.nn.Sequential(torch.nn.Linear(*SIZES[:2]), torch.nn.ReLU(), torch.nn.Linear(*SIZES[1:])).double()
    adam, criterion = torch.optim.Adam(net.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss()
    rows, classes = torch.from_numpy(X), torch.from_numpy(y)

    def theirs(epochs: int) -> float:
        start = time.process_time()
        for _ in range(epochs):
            order, total = torch.randperm(ROWS), 0.0
            for k in range(0, ROWS, BATCH):
                chosen = order[k : k + BATCH]
                adam.zero_grad()
                loss = criterion(net(rows[chosen]), classes[chosen])
                loss.backward()
                adam.step()
                total += loss.item() * len(chosen)
        return time.process_time() - start

    train_wide(model, X, y, 1)
    theirs(1)
    pairs = []
    for _ in range(turns):  # what a call does besides its epochs is `part_before`'s
        ours = (train_wide(model, X, y, 4) - train_wide(model, X, y, 1)) / 3
        pairs.append((ours, theirs(3) / 3))
    ratio = statistics.median(a / b for a, b in pairs)
    return [ratio, *(1e3 * statistics.median(pair[k] for pair in pairs) for k in (0, 1))]


def ratio_of(ours: Any, theirs: Any, turns: int) -> float:
    """Processor time of ours in that of theirs, turn by turn; the median."""
    ratios = []
    for _ in range(turns):
        times = []
        for f in (ours, theirs):
            start = time.process_time()
            f()
            times.append(time.process_time() - start)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios)


def part_predict(turns: int = 41) -> list[float]:
    """`predict` in scikit-learn's: 5,000 rows of 784, 540 digits, and the estimator's own of these."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # scikit-learn's network has not converged after an epoch
    model, X, y = wide()
    theirs = MLPClassifier(SIZES[1:2], max_iter=1).fit(X[:1000], y[:1000])
    nn.predict(model, X[:5000])
    found = [ratio_of(lambda: nn.predict(model, X[:5000]), lambda: theirs.predict(X[:5000]), turns)]
    digits, classes = digits_table()
    ours = nn.MLPClassifier((100,), "relu", epochs=1).fit(digits, classes)
    theirs = MLPClassifier((100,), max_iter=1).fit(digits, classes)
    few = digits[:540]
    for f in (lambda: nn.predict(ours.model_, few), lambda: ours.predict(few)):
        f()
        found.append(ratio_of(f, lambda: theirs.predict(few), 5 * turns))
    return found


def digits_table() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


def part_estimators(splits: int = 6) -> dict[str, list[float]]:
    """Per data set: fit in scikit-learn's (median, and the first), both accuracies, and the difference's error."""
    import warnings

    from sklearn.datasets import load_breast_cancer, load_iris, load_wine
    from sklearn.model_selection import StratifiedKFold
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # as many epochs as asked for is not convergence
    tables = {f.__name__[5:]: f(return_X_y=True) for f in (load_iris, load_wine, load_breast_cancer)}
    found = {}
    kinds = {"16 tanh, batches of 32, 20 epochs": (16, "tanh", 32, 0.01, 20)}
    kinds["100 relu, batches of 200, 50 epochs"] = 100, "relu", 200, 0.001, 50  # scikit-learn's defaults
    for (name, (X, y)), (kind, (width, activation, size, lr, epochs)) in itertools.product(
        {**tables, "digits": digits_table()}.items(), kinds.items()
    ):
        X = X if name == "digits" else StandardScaler().fit_transform(X)
        hidden, times, scores = (width,), [], []
        for k, (train, test) in enumerate(StratifiedKFold(splits, shuffle=True, random_state=0).split(X, y)):
            common: Any = {"activation": activation, "batch_size": min(size, len(train)), "random_state": k}
            ours = nn.MLPClassifier(hidden, lr=lr, epochs=epochs, **common)
            solver: Any = {"learning_rate_init": lr, "max_iter": epochs, "n_iter_no_change": epochs, "tol": 0.0}
            theirs = MLPClassifier(hidden, alpha=0.0, **solver, **common)
            row = []
            for estimator in (ours, theirs):
                gc.collect()
                start = time.process_time()
                estimator.fit(X[train], y[train])
                row.append(time.process_time() - start)
            times.append(row[0] / row[1])
            scores.append([estimator.score(X[test], y[test]) for estimator in (ours, theirs)])
        apart = [a - b for a, b in scores]
        error = statistics.stdev(apart) / len(apart) ** 0.5
        means = [statistics.mean(s[k] for s in scores) for k in (0, 1)]
        found[f"{name}, {kind}"] = [statistics.median(times[1:]), times[0], *means, error]
    return found


def part(name: str) -> Any:
    """What a part of the bars gives, in a process of its own."""
    command = [sys.executable, __file__, "--part", name]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def bars(quick: bool) -> None:
    first, second, other = (
        statistics.median(x) for x in zip(*[part("before") for _ in range(1 if quick else 5)], strict=True)
    )
    print(f"before the first step, in epochs: {first:.2f} (bar 4), again {second:.2f} (0.3), another model {other:.2f}")
    print("peak memory above X: {:.2f} × X, again {:.2f} (bar 0.25)".format(*part("memory")))
    print("an epoch of 784-100-10: {:.2f} × PyTorch's (bar 1.1): {:.0f} and {:.0f} ms".format(*part("fit")))
    print(
        "predict: 5,000×784 {:.2f} × scikit-learn's, 540 digits {:.2f}, estimator {:.2f} (2)".format(*part("predict"))
    )
    for name, (ratio, fresh, ours, theirs, error) in part("estimators").items():
        print(
            f"MLPClassifier.fit, {name}: {ratio:.2f} × scikit-learn's (bar 1.0), the first time {fresh:.2f}; "
            f"accuracy {ours:.3f} and {theirs:.3f} ± {error:.3f}"
        )


PARTS = {f.__name__[5:]: f for f in (part_before, part_memory, part_fit, part_predict, part_estimators)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 turns instead of 21")
    parser.add_argument("--digits", action="store_true", help="train on the 8×8 digits, too")
    parser.add_argument("--eager", action="store_true", help="the digits without the compiler; some minutes")
    parser.add_argument("--bars", action="store_true", help="training on arrays against PyTorch and scikit-learn")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part]()))
        return
    if options.bars:
        bars(options.quick)
        return
    moons(5 if options.quick else 21)
    compiled()
    if options.digits or options.eager:
        start = time.perf_counter()
        digits(options.eager)
        print(f"  {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()

"""How fast is a compiled scalar graph? What `autograd.compile` is measured by, with the contenders beside it.

    python benchmarks/compile.py                 all sections
    python benchmarks/compile.py digits irregular

All contenders of a section run interleaved in one process with one BLAS thread, and medians and ratios are printed.
PyTorch, scikit-learn, JAX, CasADi, Numba and micrograd take part where they are installed.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import ast  # noqa: E402
import itertools  # noqa: E402
import math  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

import autograd  # noqa: E402
from autograd import Index, Value, logsumexp, maximum, relu  # noqa: E402
from autograd.compiler.backends import python as straight  # noqa: E402
from benchmarks.programs import arrays, frameworks, scalars  # noqa: E402

Contenders = dict[str, Callable[[], Any]]
Clock = Callable[[], float]


def interleaved(
    contenders: Contenders, seconds: float = 2.0, least: int = 7, clock: Clock = time.perf_counter
) -> dict[str, float]:
    """The median time of each, in seconds: they take turns, so that a busy moment hits all of them alike.

    In another order each time: the threads of a framework are awake for a while after it, which takes from the next.
    """
    batches: dict[str, int] = {}
    for name, call in contenders.items():
        call()
        start = time.perf_counter()
        call()
        batches[name] = max(1, int(2e-3 / max(time.perf_counter() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    end = time.perf_counter() + seconds * len(contenders)
    order, shuffle = list(contenders.items()), random.Random(0).shuffle
    while time.perf_counter() < end or len(times[name]) < least:
        shuffle(order)
        for name, call in order:
            count = batches[name]
            start = clock()
            for _ in range(count):
                call()
            times[name].append((clock() - start) / count)
        if time.perf_counter() > end + 60 * seconds:
            break
    return {name: statistics.median(ts) for name, ts in times.items()}


def show(title: str, medians: dict[str, float], ours: str = "compiled") -> None:
    print(f"\n{title}")
    for name, t in medians.items():
        ratio = "" if name == ours else f"   compiled / this = {medians[ours] / t:.3g}"
        print(f"  {name:34} {_time(t):>12}{ratio}")


def _time(t: float) -> str:
    return f"{t * 1e6:.1f} µs" if t < 1e-3 else f"{t * 1e3:.3f} ms" if t < 1.0 else f"{t:.2f} s"


def optional(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return __import__(name)
    except ImportError:
        return None


# --------------------------------------------------------------------------------------------------------------------
# The same network three times: scalar Values, NumPy by hand, PyTorch


def parameters(sizes: Sequence[int], seed: int = 0) -> list[tuple[list[list[Value]], list[Value]]]:
    r = random.Random(seed)
    return [
        ([[Value(r.gauss(0, (1 / a) ** 0.5)) for _ in range(a)] for _ in range(b)], [Value(0.0) for _ in range(b)])
        for a, b in itertools.pairwise(sizes)
    ]


def scalar_loss(layers: Any) -> Callable[[Any, Any], Any]:
    def loss(x: Any, y: Any) -> Any:
        for k, (w, b) in enumerate(layers):
            x = [sum((wi * xi for wi, xi in zip(row, x, strict=True)), bi) for row, bi in zip(w, b, strict=True)]
            if k + 1 < len(layers):
                x = [z.tanh() for z in x]
        return logsumexp(x) - sum(yi * zi for yi, zi in zip(y, x, strict=True))

    return loss


def numpy_weights(layers: Any) -> list[Any]:
    return [np.array([[v.data for v in row] for row in w]).T.copy() for w, _ in layers] + [
        np.array([v.data for v in b]) for _, b in layers
    ]


def hand_numpy(layers: Any, X: Any, Y: Any) -> Callable[[], Any]:
    """Backpropagation for a two-layer tanh network with softmax cross-entropy, as one writes it by hand."""
    w1, w2, b1, b2 = numpy_weights(layers)
    n = len(X)

    def step() -> Any:
        h = np.tanh(X @ w1 + b1)
        z = h @ w2 + b2
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - (z * Y).sum(axis=1)).mean()
        dz = (e / total - Y) / n
        dw2 = h.T @ dz
        db2 = dz.sum(axis=0)
        dh = dz @ w2.T
        dz1 = dh * (1.0 - h * h)
        dw1 = X.T @ dz1
        db1 = dz1.sum(axis=0)
        return loss, dw1, db1, dw2, db2

    return step


def hand_numpy_in_place(layers: Any, X: Any, Y: Any) -> Callable[[], Any]:
    """The same by somebody who minds every allocation: samples as columns, every result into memory of its own."""
    w1, w2, b1, b2 = numpy_weights(layers)
    w1, w2, b1, b2 = w1.T.copy(), w2.T.copy(), b1[:, None].copy(), b2[:, None].copy()
    n, (m, _), (k, _) = len(X), w1.shape, w2.shape
    x, y = X.T, np.ascontiguousarray(Y.T)
    h, dh, slope, z, e = np.empty((m, n)), np.empty((m, n)), np.empty((m, n)), np.empty((k, n)), np.empty((k, n))
    top, total, each, ones = np.empty((1, n)), np.empty((1, n)), np.empty((1, n)), np.full(n, 1.0)
    dw1, dw2, db1, db2 = np.empty_like(w1), np.empty_like(w2), np.empty(m), np.empty(k)

    def step() -> Any:
        np.matmul(w1, x, h)
        np.add(h, b1, h)
        np.tanh(h, h)
        np.matmul(w2, h, z)
        np.add(z, b2, z)
        np.maximum.reduce(z, 0, None, top, True)
        np.subtract(z, top, z)
        np.exp(z, e)
        np.add.reduce(e, 0, None, total, True)
        np.multiply(z, y, z)
        np.add.reduce(z, 0, None, each, True)
        np.divide(e, total, e)
        np.log(total, total)
        loss = (np.add.reduce(total[0]) - np.add.reduce(each[0])) / n
        np.subtract(e, y, e)
        np.multiply(e, 1.0 / n, e)
        np.matmul(e, h.T, dw2)
        np.matmul(e, ones, db2)
        np.matmul(w2.T, e, dh)
        np.multiply(h, h, slope)
        np.subtract(1.0, slope, slope)
        np.multiply(dh, slope, dh)
        np.matmul(dh, x.T, dw1)
        np.matmul(dh, ones, db1)
        return loss, dw1, db1, dw2, db2

    return step


def torch_step(torch: Any, layers: Any, X: Any, Y: Any) -> Callable[[], Any]:
    torch.set_num_threads(1)
    model = torch.nn.Sequential()
    for k, (w, b) in enumerate(layers):
        linear = torch.nn.Linear(len(w[0]), len(w), dtype=torch.float64)
        with torch.no_grad():
            linear.weight[:] = torch.tensor([[v.data for v in row] for row in w], dtype=torch.float64)
            linear.bias[:] = torch.tensor([v.data for v in b])
        model.append(linear)
        if k + 1 < len(layers):
            model.append(torch.nn.Tanh())
    x, target = torch.tensor(X), torch.tensor(Y.argmax(axis=1))

    def step() -> Any:
        for p in model.parameters():
            p.grad = None
        loss = torch.nn.functional.cross_entropy(model(x), target)
        loss.backward()
        return loss

    return step


def digits() -> tuple[Any, Any]:
    """The digits of scikit-learn, or numbers of the same shape."""
    try:
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        return X / 16.0, y
    except ImportError:
        generator = np.random.default_rng(0)
        return generator.uniform(size=(1797, 64)), generator.integers(0, 10, 1797)


def section_digits() -> None:
    torch = optional("torch")
    X, y = digits()
    X, Y = np.ascontiguousarray(X[:1437]), np.eye(10)[y[:1437]]
    layers = parameters([64, 32, 10])
    loss = scalar_loss(layers)
    start = time.perf_counter()
    step = autograd.compile(loss, X[0], Y[0], backend="numpy")
    step(X[:1], Y[:1])
    print(f"digits MLP 64-32-10: trace, compile, check and first call {time.perf_counter() - start:.3f} s")
    print(f"source: {step.source.count(chr(10)) - 1} lines")
    for n in (1437, 32, 1):
        A, B = X[:n].copy(), Y[:n].copy()
        contenders: Contenders = {
            "compiled": lambda A=A, B=B: step(A, B),
            "hand-written NumPy": hand_numpy(layers, A, B),
        }
        if torch is not None:
            contenders["PyTorch, one thread"] = torch_step(torch, layers, A, B)
        contenders["hand-written NumPy, in place"] = hand_numpy_in_place(layers, A, B)
        found, expected = step(A, B), hand_numpy(layers, A, B)()
        assert all(np.allclose(g.T, d) for g, d in zip(expected, hand_numpy_in_place(layers, A, B)(), strict=True))
        assert abs(found - expected[0]) < 1e-12
        assert abs(np.linalg.norm(step.gradient) ** 2 - sum((g**2).sum() for g in expected[1:])) < 1e-10
        show(f"digits MLP, loss + gradient, batch {n}", interleaved(contenders))


def section_eager() -> None:
    """The same gradient, sample by sample on Values and on micrograd, from a few samples."""
    X, y = digits()
    X, Y = np.ascontiguousarray(X[:1437]), np.eye(10)[y[:1437]]
    layers = parameters([64, 32, 10])
    loss = scalar_loss(layers)
    step = autograd.compile(loss, X[0], Y[0])
    xs, ys = X[:10].tolist(), Y[:10].tolist()

    def eager() -> None:
        for x, t in zip(xs, ys, strict=True):
            loss(x, t).backward()

    contenders: Contenders = {"compiled": lambda: step(X, Y), "eager Values": eager}
    engine = optional("micrograd.engine")
    if engine is not None:
        from micrograd.engine import Value as Micro

        micro = [([[Micro(v.data) for v in row] for row in w], [Micro(v.data) for v in b]) for w, b in layers]

        def micrograd() -> None:
            for x, t in zip(xs, ys, strict=True):
                h: Any = x
                for k, (w, b) in enumerate(micro):
                    h = [
                        sum((wi * xi for wi, xi in zip(row, h, strict=True)), bi) for row, bi in zip(w, b, strict=True)
                    ]
                    if k == 0:
                        h = [v.relu() for v in h]  # micrograd has no tanh, exp or log: relu and a squared error instead
                sum(((v - g) ** 2 for v, g in zip(h, t, strict=True)), Micro(0)).backward()

        contenders["micrograd (relu, squared error)"] = micrograd
    medians = interleaved(contenders)
    for name in medians:
        if name != "compiled":
            medians[name] *= 1437 / 10
    show("digits MLP, full batch of 1437, against scalar engines (10 samples, scaled up)", medians)


def section_inside() -> None:
    """The loss of micrograd's demonstration, which goes through its 100 samples itself: with no argument, and what it
    does to each as a function of one sample."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(100, 2))
    y = np.sign(X[:, 0] * X[:, 1])
    layers = parameters([2, 16, 16, 1])
    xs, ys = X.tolist(), y.tolist()

    def score(x: Any) -> Any:
        for k, (w, b) in enumerate(layers):
            x = [sum((wi * xi for wi, xi in zip(row, x, strict=True)), bi) for row, bi in zip(w, b, strict=True)]
            x = [v.relu() for v in x] if k < len(layers) - 1 else x
        return x[0]

    def penalty() -> Any:
        return 1e-4 * sum(p * p for w, b in layers for row in [*w, b] for p in row)

    def total() -> Any:
        return sum((1 + -t * score(x)).relu() for x, t in zip(xs, ys, strict=True)) * (1.0 / len(xs)) + penalty()

    start = time.perf_counter()
    step = autograd.compile(total)
    step()
    seconds = time.perf_counter() - start
    other = autograd.compile(lambda x, t: (1 + -t * score(x)).relu() + penalty(), X[0], y[0])
    assert abs(step() - other(X, y)) < 1e-12
    text = step.source
    lines = text[text.index("def program") :].count("\n")
    print(f"\nmicrograd's demonstration, 100 samples inside the loss: compiled in {seconds:.2f} s, {lines} lines")
    contenders: Contenders = {
        "compiled, no argument": step,
        "compiled, the samples are arguments": lambda: other(X, y),
        "eager Values": lambda: total().backward(),
    }
    show("the same, loss + gradient", interleaved(contenders), "compiled, no argument")


def section_large() -> None:
    layers = parameters([784, 100, 10])
    loss = scalar_loss(layers)
    generator = np.random.default_rng(0)
    X, Y = generator.uniform(size=(1000, 784)), np.eye(10)[generator.integers(0, 10, 1000)]
    start = time.perf_counter()
    step = autograd.compile(loss, X[0], Y[0])
    built = time.perf_counter() - start
    step(X, Y)
    print(
        f"\n784-100-10: trace + compile, with the check {built:.2f} s; "
        f"first step {time.perf_counter() - start - built:.2f} s"
    )
    start = time.perf_counter()
    autograd.compile(loss, X[0], Y[0], check=False)
    print(f"784-100-10: trace + compile, check=False {time.perf_counter() - start:.2f} s")
    show(
        "784-100-10 at batch 1000",
        interleaved({"compiled": lambda: step(X, Y), "hand-written NumPy": hand_numpy(layers, X, Y)}),
    )


def section_convolution() -> None:
    convolution_net([8])
    convolution_net([8, 16])


def convolution_net(channels: Sequence[int], size: int = 8, batch: int = 256) -> None:
    """3×3 convolutions with relu, 2×2 max pooling and a dense layer, written out pixel by pixel."""
    torch = optional("torch")
    r = random.Random(0)
    stages = [
        [
            ([[[Value(r.gauss(0, 0.3)) for _ in range(3)] for _ in range(3)] for _ in range(a)], Value(0.0))
            for _ in range(b)
        ]
        for a, b in itertools.pairwise([1, *channels])
    ]
    left = size - 2 * len(channels)
    flat = channels[-1] * (left // 2) ** 2
    out = [([Value(r.gauss(0, 0.2)) for _ in range(flat)], Value(0.0)) for _ in range(10)]

    def convolve(maps: Any, filters: Any) -> Any:
        n = len(maps[0]) - 2
        window = list(itertools.product(range(len(maps)), range(3), range(3)))
        return [
            [
                [relu(sum((k[c][a][d] * maps[c][i + a][j + d] for c, a, d in window), b)) for j in range(n)]
                for i in range(n)
            ]
            for k, b in filters
        ]

    def loss(x: Any, y: Any) -> Any:
        maps = [x]
        for filters in stages:
            maps = convolve(maps, filters)
        features = [
            maximum(m[i][j], m[i][j + 1], m[i + 1][j], m[i + 1][j + 1])
            for m in maps
            for i in range(0, left, 2)
            for j in range(0, left, 2)
        ]
        z = [sum((wi * v for wi, v in zip(w, features, strict=True)), b) for w, b in out]
        return logsumexp(z) - sum(a * v for a, v in zip(y, z, strict=True))

    generator = np.random.default_rng(0)
    X, Y = generator.uniform(size=(batch, size, size)), np.eye(10)[generator.integers(0, 10, batch)]
    start = time.perf_counter()
    step = autograd.compile(loss, X[0], Y[0])
    step(X, Y)
    print(f"\nconvolutions {channels}: trace, compile, check and first call {time.perf_counter() - start:.2f} s")
    contenders: Contenders = {"compiled": lambda: step(X, Y)}
    if torch is not None:
        torch.set_num_threads(1)
        model = torch.nn.Sequential()
        for a, b in itertools.pairwise([1, *channels]):
            model.extend([torch.nn.Conv2d(a, b, 3), torch.nn.ReLU()])
        model.extend([torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(flat, 10)])
        model.double()
        filters = [(k, b) for stage in stages for k, b in stage]
        numbers = [v.data for k, _ in filters for m in k for row in m for v in row] + [
            v.data for w, _ in out for v in w
        ]
        weights = [p for p in model.parameters() if p.dim() > 1]
        with torch.no_grad():
            for p in model.parameters():
                p.zero_()
            for p in weights:
                p[:] = torch.tensor(numbers[: p.numel()], dtype=torch.float64).reshape(p.shape)
                numbers = numbers[p.numel() :]
        x, target = torch.tensor(X[:, None]), torch.tensor(Y.argmax(axis=1))

        def torch_conv() -> Any:
            for p in model.parameters():
                p.grad = None
            value = torch.nn.functional.cross_entropy(model(x), target)
            value.backward()
            return value

        assert abs(torch_conv().item() - step(X, Y)) < 1e-12
        contenders["PyTorch, one thread"] = torch_conv
    title = f"3×3 convolutions of {channels} maps, max pooling, dense, on {size}×{size}, batch {batch}"
    show(title, interleaved(contenders))


def irregular_plan(nodes: int, leaves: Sequence[float], seed: int = 0) -> list[tuple[int, int, int]]:
    """Random operations on random earlier nodes: + × − mostly, one in six tanh, sin or sigmoid, and tanh of what would
    grow beyond 2 (without it, rounding errors grow like the numbers, and nobody's gradient is right)."""
    r = random.Random(seed)
    pool = list(leaves)
    plan = []
    for i in range(nodes):
        op = r.choice([0, 0, 1, 1, 2, r.randrange(3, 6)])
        j, k = r.randrange(max(0, i + len(leaves) - 500), i + len(leaves)), r.randrange(i + len(leaves))
        a, b = pool[j], pool[k]
        y = [a + b, a * b, a - b, math.tanh(a), math.sin(a), 1 / (1 + math.exp(-a))][op]
        if abs(y) > 2.0:
            op, y = 3, math.tanh(a)
        pool.append(y)
        plan.append((op, j, k))
    return plan


def irregular(plan: Any, leaves: Sequence[Any], tanh: Any, sin: Any, sigmoid: Any) -> Any:
    pool = list(leaves)
    put = pool.append
    for op, i, j in plan:
        a, b = pool[i], pool[j]
        if op == 0:
            put(a + b)
        elif op == 1:
            put(a * b)
        elif op == 2:
            put(a - b)
        elif op == 3:
            put(tanh(a))
        elif op == 4:
            put(sin(a))
        else:
            put(sigmoid(a))
    used = {i for _, i, _ in plan} | {j for op, _, j in plan if op < 3}
    total = leaves[0] * 0.0
    for k, v in enumerate(pool):
        if k not in used:  # so that every node has a part in the result
            total = total + v
    return tanh(total * 0.01)


def section_irregular() -> None:
    r = random.Random(1)
    leaves = [Value(r.gauss(0, 1)) for _ in range(20)]
    plan = irregular_plan(20_000, [v.data for v in leaves])

    def f() -> Any:
        return irregular(plan, leaves, Value.tanh, Value.sin, Value.sigmoid)

    start = time.perf_counter()
    step = autograd.compile(f, backend="python")
    step()
    print(
        f"\nirregular graph of 20,000 nodes: trace, compile, check and first call {time.perf_counter() - start:.2f} s"
    )
    chosen = autograd.compile(f, check=False).backend
    print(f"auto chooses {chosen}")

    def eager() -> None:
        for v in leaves:
            v.grad = None
        f().backward()

    eager()
    assert np.allclose([v.grad for v in step.parameters], step.gradient, rtol=1e-10, atol=0)
    run = step._run_by("python").run
    theta = step.theta.tolist()
    contenders: Contenders = {
        "compiled": step,
        "the straight-line function alone": lambda: run(theta, (), True),
        "eager Values": eager,
    }
    if optional("numba") is not None:
        tape = autograd.compile(f, backend="numba", check=False)
        assert abs(tape() - step()) < 1e-12
        assert np.allclose(tape.gradient, step.gradient, rtol=1e-10, atol=0)
        contenders["compiled, numba"] = tape
    casadi = optional("casadi")
    if casadi is not None:
        x = casadi.SX.sym("x", 20)
        y = irregular(plan, [x[k] for k in range(20)], casadi.tanh, casadi.sin, lambda v: 1 / (1 + casadi.exp(-v)))
        function = casadi.Function("f", [x], [y, casadi.gradient(y, x)])
        point = np.array([v.data for v in leaves])
        assert np.allclose(np.array(function(point)[1]).ravel(), [v.grad for v in leaves], rtol=1e-8)
        contenders["CasADi SX"] = lambda: function(point)
    show("irregular graph of 20,000 nodes, batch 1", interleaved(contenders))


def section_tricks() -> None:
    """What each trick of the straight-line backend is worth: the same graphs without it, one by one."""
    r = random.Random(1)
    leaves = [Value(r.gauss(0, 1)) for _ in range(20)]
    graphs: dict[str, Callable[[], Any]] = {}
    for nodes in (20_000, 300):
        plan = irregular_plan(nodes, [v.data for v in leaves])
        graphs[f"irregular graph of {nodes:,} nodes"] = lambda plan=plan: irregular(
            plan, leaves, Value.tanh, Value.sin, Value.sigmoid
        )
    layers = parameters([8, 8, 1])
    graphs["network of 8-8-1 sigmoids"] = lambda: network_of_sigmoids(layers, leaves[:8])
    ways = [(title, f, True) for title, f in graphs.items()]
    for title, f, backward in [*ways, *[(f"{title}, no way back", f, False) for title, f, _ in ways]]:
        contenders: Contenders = {}
        for name, change in {"compiled": {}, "compiled, once more": {}, **TRICKS}.items():
            step = without(change, f, backward)
            program, theta = step._run_by("python"), step.theta.tolist()
            contenders[name] = lambda p=program, theta=theta, backward=backward: p.run(theta, (), backward)
        program = program.program(backward, careful=True)
        contenders["math's functions, ieee's if they raise"] = lambda p=program, theta=theta: p(theta, ())
        print(f"\n{title}, batch 1: what it takes without each trick")
        medians = interleaved(contenders, seconds=0.5, clock=time.thread_time)
        for name, t in medians.items():
            print(f"  {name:40} {_time(t):>12}   {t / medians['compiled']:.2f}")


def without(change: dict[str, Any], f: Callable[[], Any], backward: bool = True) -> Any:
    """f compiled and run once, while these names of the backend's module mean something else."""
    before = {name: getattr(straight, name) for name in change}
    vars(straight).update(change)
    try:
        step = autograd.compile(f, backend="python", check=False)
        step._run_by("python").run(step.theta.tolist(), (), backward)
    finally:
        vars(straight).update(before)
    return step


def called_anew(lines: list[str]) -> list[str]:
    """In place of a generator that does the work, one that calls a function for each sample."""
    loop = ["def program():", "    result = None", "    while True:", "        result = once(*(yield result))"]
    return ["def once(parameters, sample):", *lines[1:], *loop]


TRICKS: dict[str, dict[str, Any]] = {
    "sigmoid in place, equal parts made one": {"written_out": lambda x, once: x},
    "terms subtracted instead of negated": {"_total": " + ".join},
    "statements of one form in a row": {"alike_together": list},
    "few names, used again": {"reuse_names": list},
    "no name for what is used once": {"MAX_INLINE": 0},
    "a generator that keeps its frame": {"wait_for_samples": called_anew},
    "memory filled before the first run": {"HOLES": 0},
}


def network_of_sigmoids(layers: Any, x: Any) -> Any:
    for w, b in layers:
        x = [sum((wi * xi for wi, xi in zip(row, x, strict=True)), bi).sigmoid() for row, bi in zip(w, b, strict=True)]
    return x[0]


def section_training() -> None:
    try:
        from sklearn.neural_network import MLPClassifier
    except ImportError:
        print("\ntraining: scikit-learn is not installed")
        return
    X, y = digits()
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order]
    train, test = slice(0, 1437), slice(1437, None)
    Y = np.eye(10)[y]

    def ours() -> float:
        layers = parameters([64, 32, 10], seed=1)
        loss = scalar_loss(layers)
        step = autograd.compile(loss, X[0], Y[0])
        generator = np.random.default_rng(0)
        theta, g = step.theta, step.gradient
        m, v, buffer = np.zeros_like(theta), np.zeros_like(theta), np.zeros_like(theta)
        t = 0
        for _ in range(80):
            shuffled = generator.permutation(1437)
            A, B = X[shuffled], Y[shuffled]
            for k in range(0, 1437, 64):
                step(A[k : k + 64], B[k : k + 64])
                t += 1
                m += 0.1 * (g - m)
                np.multiply(g, g, buffer)
                v += 0.001 * (buffer - v)
                theta -= 0.005 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        step.push()
        predict = autograd.compile(lambda x: scalar_logits(layers, x), X[0], check=False)
        return float((predict(X[test]).argmax(axis=1) == y[test]).mean())

    def theirs() -> float:
        model = MLPClassifier(
            (32,), activation="tanh", batch_size=64, learning_rate_init=0.005, max_iter=80, random_state=1, alpha=0.0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.set_params(n_iter_no_change=80).fit(X[train], y[train])
        return float(model.score(X[test], y[test]))

    rows: dict[str, list[tuple[float, float]]] = {"compiled": [], "MLPClassifier": []}
    for _ in range(3):
        for name, call in (("compiled", ours), ("MLPClassifier", theirs)):
            start = time.perf_counter()
            accuracy = call()
            rows[name].append((time.perf_counter() - start, accuracy))
    print("\ntraining digits, 80 epochs of batches of 64 with Adam, held-out accuracy (build included)")
    for name, found in rows.items():
        print(f"  {name:34} {_time(statistics.median(t for t, _ in found)):>12}   {found[0][1]:.4f}")


def scalar_logits(layers: Any, x: Any) -> Any:
    for k, (w, b) in enumerate(layers):
        x = [sum((wi * xi for wi, xi in zip(row, x, strict=True)), bi) for row, bi in zip(w, b, strict=True)]
        if k + 1 < len(layers):
            x = [z.tanh() for z in x]
    return x


def section_jax() -> None:
    jax = optional("jax")
    if jax is None:
        print("\njax is not installed")
        return
    jax.config.update("jax_enable_x64", True)
    X, y = digits()
    X, Y = X[:1436], np.eye(10)[y[:1436]]
    layers = parameters([64, 32, 10])
    loss = scalar_loss(layers)
    step = autograd.compile(loss, X[0], Y[0], backend="numpy")
    other = autograd.compile(loss, X[0], Y[0], backend="jax", check=False)
    a, b = step(X, Y), other(X, Y)
    print(
        f"\njax: |loss difference| {abs(a - b):.1e}, "
        f"largest gradient difference {abs(step.gradient - other.gradient).max():.1e}"
    )
    show(
        "digits MLP, batch 1436, numpy and jax",
        interleaved({"compiled": lambda: step(X, Y), "jax.jit, two threads": lambda: other(X, Y)}),
    )


# --------------------------------------------------------------------------------------------------------------------
# What happens again and again: a GPT, recurrence


def statements(source: str) -> int:
    """How many statements a program has, those in loops counted once."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source))) - 1  # less the `def` itself


def built(case: scalars.Case, **options: Any) -> tuple[Any, float, int]:
    """A compiled case, without the check of other samples; the seconds that it took, and the number of nodes."""
    start = time.perf_counter()
    step = autograd.compile(case.loss, *case.example, check=False, **options)
    step._run_by("numpy")
    return step, time.perf_counter() - start, step.plan.nodes


def show_built(title: str, step: Any, seconds: float, nodes: int) -> None:
    count = statements(step.plan.readable.source)
    print(
        f"  {title:34} {count:6,} statements   {nodes:9,} nodes, {seconds:6.2f} s, {seconds / nodes * 1e6:5.1f} µs each"
    )


def section_statements() -> None:
    """The length of a program does not grow with what is repeated."""
    print("\nstatements of the program, and what it takes to trace and compile")
    for length in (4, 8, 16, 32):
        show_built(f"GPT, {length} tokens", *built(scalars.GPT(length).case(), backend="numpy"))
    for heads in (1, 2):
        show_built(f"GPT, 16 tokens, {heads} head{'s' * (heads > 1)}", *built(scalars.GPT(16, heads).case()))
    for blocks in (2, 4):
        show_built(f"GPT, 8 tokens, {blocks} blocks", *built(scalars.GPT(8, 4, blocks).case()))
    model, tokens = scalars.GPT(16), [Index(27)] * 16
    indexed = scalars.Case(model.loss_of_indices, [tokens, tokens], model.parameters)
    show_built("GPT, 16 tokens that are indices", *built(indexed, backend="numpy"))
    for steps in (50, 200):
        show_built(f"RNN, {steps} steps", *built(scalars.rnn(steps, 8, 16)))
    for steps in (25, 50):
        show_built(f"LSTM, {steps} steps", *built(scalars.lstm(steps, 8, 16)))


def section_gpt() -> None:
    """The scalar GPT's step beside the expert's array programs."""
    model = scalars.GPT(16)
    case = model.case()
    step, seconds, nodes = built(case, backend="numpy")
    print()
    show_built("GPT, 16 tokens", step, seconds, nodes)
    indices = [Index(model.tokens)] * model.length
    of_indices = autograd.compile(model.loss_of_indices, indices, indices, backend="numpy", check=False)
    generator = np.random.default_rng(0)
    hand, eye = arrays.ByHandGPT(model), np.eye(model.tokens)
    for n in (1, 32):
        text, following = generator.integers(0, model.tokens, (2, n, model.length))
        X, Y = eye[text], eye[following]
        assert abs(step(X, Y) - hand.step(text, following)) < 1e-12
        assert np.allclose(step.gradient, arrays.same_order(step, case.parameters, hand.gradient()), 1e-9, 1e-12)
        contenders: Contenders = {
            "compiled": lambda X=X, Y=Y: step(X, Y),
            "compiled, tokens are indices": lambda text=text, following=following: of_indices(text, following),
            "hand-written NumPy": lambda text=text, following=following: hand.step(text, following),
        }
        others = {"PyTorch, one thread": ("torch", frameworks.torch_gpt), "jax.jit": ("jax", frameworks.jax_gpt)}
        add_frameworks(contenders, others, step(X, Y), model, text, following)
        show(f"GPT in scalars, 16 tokens, loss + gradient, batch {n}", interleaved(contenders))


def section_recurrence() -> None:
    """RNN and LSTM beside those of the frameworks."""
    inputs, hidden, n = 8, 16, 32
    kinds = {"RNN": (200, scalars.rnn, arrays.ByHandRNN), "LSTM": (50, scalars.lstm, arrays.ByHandLSTM)}
    generator = np.random.default_rng(0)
    for kind, (steps, make, by_hand) in kinds.items():
        case = make(steps, inputs, hidden)
        step, seconds, nodes = built(case, backend="numpy")
        print()
        show_built(f"{kind}, {steps} steps", step, seconds, nodes)
        X, Y = generator.normal(size=(n, steps, inputs)), generator.normal(size=(n, steps))
        hand = by_hand(case, inputs, hidden)
        assert abs(step(X, Y) - hand.step(X, Y)) < 1e-12
        assert np.allclose(step.gradient, arrays.same_order(step, case.parameters, hand.gradient()), 1e-9, 1e-12)
        contenders: Contenders = {"compiled": lambda s=step, X=X, Y=Y: s(X, Y)}
        contenders["hand-written NumPy"] = lambda h=hand, X=X, Y=Y: h.step(X, Y)
        others = {
            f"torch.nn.{kind}, one thread": ("torch", frameworks.torch_recurrent),
            "jax.jit, lax.scan": ("jax", frameworks.jax_recurrent),
        }
        add_frameworks(contenders, others, step(X, Y), kind, case, inputs, hidden, X, Y)
        show(f"{kind}, {steps} steps of {inputs} inputs, {hidden} hidden units, batch {n}", interleaved(contenders))


def add_frameworks(contenders: Contenders, others: Any, expected: float, *given: Any) -> None:
    """Those that are installed, if they compute the same loss."""
    for name, (package, make) in others.items():
        found = optional(package)
        if found is not None:
            contenders[name] = make(found, *given)
            assert abs(float(contenders[name]()) - expected) < 1e-10, name


def section_refusal() -> None:
    """What it takes to see that in a graph nothing is repeated."""
    r = random.Random(1)
    leaves = [Value(r.gauss(0, 1)) for _ in range(20)]
    plan = irregular_plan(20_000, [v.data for v in leaves])
    case = scalars.Case(lambda: irregular(plan, leaves, Value.tanh, Value.sin, Value.sigmoid), [], leaves)
    rounds = []
    for _ in range(5):
        start = time.process_time()
        step = autograd.compile(case.loss, check=False)
        rounds.append(time.process_time() - start)
    assert step.backend == "python"
    each = statistics.median(rounds) / step.plan.nodes * 1e6
    print(
        f"\nrandom graph of 20,000 nodes: traced and refused in {statistics.median(rounds):.2f} s, {each:.1f} µs a node"
    )


def section_seeds() -> None:
    """Two processes that hash differently write the same source."""
    script = (
        "import hashlib, sys; sys.path.insert(0, '.')\n"
        "import autograd\nfrom benchmarks.programs import scalars\n"
        "text = ''\n"
        "for make in scalars.CASES.values():\n"
        "    case = make()\n"
        "    text += autograd.compile(case.loss, *case.example, backend='numpy', check=False).source\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    root = Path(__file__).resolve().parents[1]
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    verdict = "equal" if len(found) == 1 else "DIFFERENT"
    print(f"\nthe sources of {len(scalars.CASES)} programs under two hash seeds: {verdict}")


SECTIONS = {
    "digits": section_digits,
    "eager": section_eager,
    "inside": section_inside,
    "large": section_large,
    "convolution": section_convolution,
    "irregular": section_irregular,
    "tricks": section_tricks,
    "training": section_training,
    "jax": section_jax,
    "statements": section_statements,
    "gpt": section_gpt,
    "recurrence": section_recurrence,
    "refusal": section_refusal,
    "seeds": section_seeds,
}

if __name__ == "__main__":
    for _section in sys.argv[1:] or SECTIONS:
        SECTIONS[_section]()

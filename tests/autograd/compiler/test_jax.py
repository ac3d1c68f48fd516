"""The jax backend runs the readable program, and shards it. In a process of its own: it wants several devices."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")

PROGRAM = """
import re
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import autograd
from tests.autograd.compiler.models import CASES, Source, batch_of

def close(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max() <= 1e-12 * max(1.0, np.abs(np.asarray(b)).max())

for name in CASES:
    f, example = CASES[name](Source(1))
    batch = batch_of(example, 8)
    step, other = (autograd.compile(f, *example, backend=b, check=False) for b in ("numpy", "jax"))
    assert close(step(*batch), other(*batch)), name
    assert close(other.gradient, step.gradient), name
    assert other.backend == "jax"

from tests.autograd.compiler.test_edges import EDGES, OPERANDS, ROWS, SHAPES, check
q, k = OPERANDS["parameters"], OPERANDS["batched"]
for f in (ROWS["maximum"], ROWS["minimum"], ROWS["logsumexp"]):
    check(lambda x: [y for shape in SHAPES.values() for y in shape(f, q(x), k(x))], [0.1, 0.2, 0.3, 0.4], "jax", (2,))
for name in ("all three, some twice", "constants", "no arguments, constants"):
    check(*EDGES[name], "jax", (2,))

from tests.autograd.compiler.test_data_in_the_function import multilayer, recurrent, volatility
for made in (multilayer, recurrent, volatility):  # two are loops whose turns read numbers
    step, other = (autograd.compile(made(30), backend=b, check=False) for b in ("numpy", "jax"))
    assert close(step(), other()), made
    assert close(other.gradient, step.gradient), made

# XLA adds products without rounding them first, so that -inf + 1e200² is -inf, where scalar code has nan
ws = [[autograd.Value(1e200), autograd.Value(1e200), autograd.Value(0.5 * k)] for k in range(3)]
far = lambda x: sum(sum(w * v for w, v in zip(row, x)).tanh() for row in ws)
step = autograd.compile(far, [0.1, 0.2, 0.3], backend="jax", check=False)
assert np.isnan(step([[1e200, -1e200, 1.0]])) and np.isnan(step.outputs([[1e200, -1e200, 1.0]])[0])
assert np.isnan(step.gradient).sum() == 9

# and takes 1e-310 for 0
w = autograd.Value(2.0)
step = autograd.compile(lambda x: autograd.where(x > 0.0, w, 0.0), 0.1, backend="jax", check=False)
assert step([1e-310]) == 2.0 and step.gradient == [1.0]

predict = autograd.compile(lambda x: [w * x, x.tanh()], 1.0, backend="jax")
assert close(predict(np.array([1.0, 3.0])), [[2.0, np.tanh(1.0)], [6.0, np.tanh(3.0)]])

# what goes back to one entry of a state, from a running sum of its own
from benchmarks.programs import randomly
assert randomly.compare(64231, ["jax"]) == ("right", "")

f, example = CASES["MLP with softmax cross-entropy"](Source(1))
batch = batch_of(example, 16)
step = autograd.compile(f, *example, backend="jax")
loss = step(*batch)
for count in (2, 8):
    mesh = Mesh(np.array(jax.devices()[:count]), ("batch",))
    split, everywhere = NamedSharding(mesh, PartitionSpec("batch")), NamedSharding(mesh, PartitionSpec())
    shards = [jax.device_put(X, split) for X in batch]
    theta = jax.device_put(step.theta, everywhere)
    compiled = jax.jit(step.function, out_shardings=everywhere).lower(theta, *shards).compile()
    found, gradient = compiled(theta, *shards)
    assert close(found, loss) and close(gradient, step.gradient)
    print(count, len(re.findall(r"= .* all-reduce(?:-start)?\\(", compiled.as_text())))
"""


def test_the_jax_backend_equals_numpy_and_shards_with_one_sum_over_devices() -> None:
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split("\n")[:2] == ["2 1", "8 1"]

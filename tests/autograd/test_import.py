"""`import autograd` needs the standard library and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return run.stdout


def test_importing_and_using_the_engine_loads_only_the_standard_library() -> None:
    code = """
import sys
before = set(sys.modules)
import autograd as ag
x = ag.Value(0.5)
y = ag.loads(ag.dumps((x * x + 2).tanh() + ag.parse("max(a, 2) ** 2", a=3)))
y.backward()
ag.grad(ag.grad(ag.sigmoid))(1.0), ag.hessian(lambda v: v[0] * v[1])([1.0, 2.0]), ag.gradcheck(ag.tanh, [0.5])
list(ag.backward_steps(y)), ag.recompute(y)
loaded = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(sorted(loaded))
"""
    assert python(code).strip() == "['autograd']"


def test_the_engine_works_where_numpy_cannot_be_imported() -> None:
    code = """
import sys
sys.modules["numpy"] = None
import autograd as ag
print(ag.grad(lambda v: ag.dot(v, v))([1.0, 2.0]), ag.maximum(ag.Value(1.0), 2).data)
"""
    assert python(code).strip() == "[2.0, 4.0] 2.0"


def test_importing_the_engine_leaves_the_recursion_limit_and_the_collector_alone() -> None:
    code = """
import gc, sys
before = sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled()
import autograd
print(before == (sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled()))
"""
    assert python(code).strip() == "True"


def test_importing_the_other_packages_loads_nothing_that_talks_to_a_network_or_starts_programs() -> None:
    code = """
import sys
import nn, viz, viz.cli
heavy = "email http matplotlib socket ssl subprocess urllib.request webbrowser xml".split()
print([name for name in heavy if name in sys.modules])
"""
    assert python(code).strip() == "[]"

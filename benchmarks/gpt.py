"""The GPT of `benchmarks/programs/gpt200.py` against itself: its own engine, chainrule's, and chainrule's compiler.

    python benchmarks/gpt.py [--steps 500] [--batch 8] [--slow-steps 3]

The three programs are one text. In the second its engine has been replaced by an import, and in the third the lines of
`CHANGES` were changed, too. Each runs in a process of its own. The first two are given a few steps only, after which
their losses must be those of the compiled one, and what a step takes is scaled up; the third runs in full, and all that
it takes counts, with imports, tracing, compiling and the check.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "benchmarks" / "programs" / "gpt200.py"
COMPILE = "program = compile(loss_of, [Index(len(letters))] * context, [Index(len(letters))] * context)"

IMPORTS = """from autograd import Index, compile, softmax
from autograd import Value
from nn import Adam

"""
CHANGES = [
    ("\n\ndef update(inputs", f"\n{COMPILE}\n\n\ndef update(inputs"),
    ("    loss = update(inputs, targets)", "    loss = program.update(optimizer, inputs, targets)"),
    ("# --- what it writes", "program.push()\n# --- what it writes"),
]


def with_chainrules_engine(text: str) -> str:
    """The program with an import in the place of its engine."""
    start, end = text.index("# --- the engine"), text.index("# --- the text")
    return text[:start] + IMPORTS + text[end:]


def compiled(text: str) -> str:
    """The program of `with_chainrules_engine`, and its training step handed to `compile`."""
    text = with_chainrules_engine(text)
    for old, new in CHANGES:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in the program, not once")
        text = text.replace(old, new)
    return text


def run(text: str, steps: int, batch: int) -> tuple[float, list[str]]:
    """The processor time of a program with so many steps, in seconds, and the lines that it prints."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.py"
        place = f"Path({str(PROGRAM)!r}).resolve()"
        file.write_text(text.replace("Path(__file__).resolve()", place), encoding="utf-8")
        before = os.times()
        done = subprocess.run(
            [sys.executable, str(file), str(steps), str(batch)],
            env={**os.environ, **threads, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        )
        after = os.times()
    spent = (after.children_user + after.children_system) - (before.children_user + before.children_system)
    return spent, done.stdout.splitlines()


def losses(lines: list[str]) -> list[float]:
    return [float(line.split()[-1]) for line in lines if line.startswith("step")]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=8, help="pieces of text in each step")
    parser.add_argument("--slow-steps", type=int, default=3, help="of the two that are not compiled")
    options = parser.parse_args()
    text = PROGRAM.read_text(encoding="utf-8")
    texts = {"own engine": text, "chainrule": with_chainrules_engine(text), "compiled": compiled(text)}
    print(f"GPT of {PROGRAM.name}: {options.steps} steps of {options.batch} pieces; lines changed: {len(CHANGES)}")
    start = time.perf_counter()
    whole, lines = run(texts["compiled"], options.steps, options.batch)
    print("\n".join(f"    {line}" for line in lines))
    print(f"  compiled      {whole:8.2f} s in all ({time.perf_counter() - start:.1f} s by the clock)")
    expected = losses(run(texts["compiled"], options.slow_steps, options.batch)[1])
    for name in ("chainrule", "own engine"):
        (first, found), (more, _) = (run(texts[name], k, options.batch) for k in (1, 1 + options.slow_steps))
        assert abs(losses(found)[0] - expected[0]) < 1e-4, "the programs do not compute the same"
        each = (more - first) / options.slow_steps
        total = first + each * (options.steps - 1)
        print(f"  {name:12}  {total:8.0f} s in all, at {each:.2f} s a step: {total / whole:.0f} times as long")


if __name__ == "__main__":
    main()

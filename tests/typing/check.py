"""A user's script through mypy and pyright in their strictest modes, and its careless twin, which must not get through.

    python tests/typing/check.py                       the packages of this folder
    python tests/typing/check.py PYTHON                those that are installed for this Python

`test_typing.py` runs it on the source tree; `.ci/run` on the wheel, where `py.typed` must tell the checkers to look.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPT, MISSPELT = "users_script.py", "misspelt.py"
Report = list[tuple[str, int, str]]  # file, line, what is said about it
Checker = Callable[[Path, str | None], Report]

# NumPy's own, in the type of every array: its shape, and the precision of its numbers
OF_NUMPY = re.compile(r"ndarray\[tuple\[Any, \.\.\.\], (numpy\.)?dtype\[(numpy\.)?floating\[Any\]\]\]")


def assigned(script: str) -> list[str]:
    """Every name that a script gives to something, functions and classes aside."""
    nodes: Iterable[ast.AST] = ast.walk(ast.parse(script))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return sorted(names - {"_"})


def run(command: list[str], folder: Path, **settings: str) -> str:
    environment = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")} | settings
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=600, check=False
    )
    if not done.stdout.strip():
        sys.exit(f"{' '.join(command)} said nothing but: {done.stderr}")
    return done.stdout


def mypy(folder: Path, python: str | None) -> Report:
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-pretty"]
    command += ["--no-error-summary", "--hide-error-context", f"--cache-dir={folder / 'cache'}", "--config-file="]
    found = {"MYPYPATH": str(ROOT)} if python is None else {}
    output = run([*command, f"--python-executable={python or sys.executable}", SCRIPT, MISSPELT], folder, **found)
    lines = re.findall(r"^([\w.]+):(\d+): (error: .*|note: Revealed type is .*)$", output, re.MULTILINE)
    return [(file, int(line), said.removeprefix("error: ").removeprefix("note: ")) for file, line, said in lines]


def pyright(folder: Path, python: str | None) -> Report:
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT)] if python is None else []}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", python or sys.executable]
    output = json.loads(run(command, folder))
    return [
        (Path(d["file"]).name, d["range"]["start"]["line"] + 1, d["message"].partition("\n")[0])
        for d in output["generalDiagnostics"]
        # of the twin, what a misspelt name leads to does not count as a report of the name itself
        if not d.get("rule", "").startswith(("reportUnknown", "reportUnused")) or Path(d["file"]).name == SCRIPT
    ]


def complaints(checker: Checker, python: str | None = None) -> list[str]:
    """What is wrong: an error or an Any in the script, a mistake in its twin that was not seen."""
    script, misspelt = ((HERE / name).read_text(encoding="utf-8") for name in (SCRIPT, MISSPELT))
    with tempfile.TemporaryDirectory() as folder:
        asked = "".join(f"reveal_type({name})\n" for name in assigned(script))
        (Path(folder) / SCRIPT).write_text(f"{script}\n{asked}", encoding="utf-8")
        (Path(folder) / MISSPELT).write_text(misspelt, encoding="utf-8")
        report = checker(Path(folder), python)
    wrong, revealed, seen = [], 0, set()
    for file, line, said in report:
        if file == MISSPELT:
            seen.add(line)
        elif re.match(r"Revealed type is|Type of", said):
            revealed += 1
            if re.search(r"\b(Any|Unknown)\b", OF_NUMPY.sub("an array", said)):
                wrong.append(f"line {line}: {said}")
        else:
            wrong.append(f"{file}:{line}: {said}")
    if revealed != asked.count("\n"):
        wrong.append(f"{asked.count(chr(10))} names were asked about, but {revealed} types were told")
    marked = {k for k, line in enumerate(misspelt.splitlines(), 1) if line.endswith("# wrong")}
    lines = misspelt.splitlines()
    wrong += [f"{MISSPELT}:{k}: not reported: {lines[k - 1]}" for k in sorted(marked - seen)]
    wrong += [f"{MISSPELT}:{k}: reported, but right: {lines[k - 1]}" for k in sorted(seen - marked)]
    return wrong


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else None
    all_wrong = {checker.__name__: complaints(checker, chosen) for checker in (mypy, pyright)}
    for name, wrong in all_wrong.items():
        print(f"{name}: {'; '.join(wrong) or 'nothing to complain about'}")
    sys.exit(any(all_wrong.values()))

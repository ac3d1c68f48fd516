"""Run the notebooks in fresh kernels, and hold their stored outputs to what they give now.

    python notebooks/execute.py                 run all; fail on an error, or where an output of ours has changed
    python notebooks/execute.py 01 07           only these
    python notebooks/execute.py --language zh   those of notebooks/zh
    python notebooks/execute.py 01 --write      run, and store the outputs in the file

It needs `pip install "chainrule[notebooks,plots,sklearn]"`. From a clone it finds the packages beside this folder.

Compared are the outputs that this project makes: text, tables, SVG, HTML, LaTeX. What matplotlib paints, a PNG or an
animation in HTML, differs from one version and machine to the next, so only its presence is compared. Anything on
stderr counts as an error: a notebook for learners shows no warnings.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

HERE = Path(__file__).resolve().parent
LARGEST = 400_000  # bytes a notebook may take: it must open at once in a browser, and read well in a diff
PAINTED = ("image/png", "image/jpeg")  # not ours, see above
PAINTED_HTML = 'data-painted="matplotlib"'


def notebooks(chosen: list[str], folder: Path = HERE) -> list[Path]:
    """The files whose names begin with one of `chosen`; all of them when it is empty."""
    every = sorted(folder.glob("[0-9][0-9]-*.ipynb"))
    unknown = [c for c in chosen if not any(path.name.startswith(c) for path in every)]
    if unknown:
        raise SystemExit(f"no notebook begins with {unknown[0]!r}; there are: {', '.join(p.stem for p in every)}")
    return [path for path in every if not chosen or path.name.startswith(tuple(chosen))]


def run(stored: Any, folder: str) -> Any:
    """A copy of the notebook `stored`, run from its first cell to its last in a new kernel that works in `folder`."""
    fresh = nbformat.from_dict({**stored, "cells": [dict(cell) for cell in stored.cells]})
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as sockets:
        # two runs side by side can pick the same port before either takes it; sockets that are files never meet
        own = {} if os.name == "nt" else {"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}
        NotebookClient(
            fresh,
            timeout=300,
            kernel_name="python3",
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
            config=Config(own),
        ).execute()
    return tidy(fresh)


def tidy(notebook: Any) -> Any:
    """Keep what a reader needs, so that running twice gives the same bytes: no timings, no random cell ids."""
    language = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": language})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "text/html" in data:  # holds the same picture, in a form that an untrusted notebook shows too
                for kind in ("image/svg+xml", "application/pdf"):
                    data.pop(kind, None)
    return notebook


def shown(cell: Any) -> list[tuple[str, str]]:
    """What a reader sees below a cell, as (kind, text), with pictures that are not ours reduced to their kind."""
    seen = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            seen.append((output.name, output.text))
        elif output.output_type == "error":
            seen.append(("error", f"{output.ename}: {output.evalue}"))
        elif painted := [kind for kind in PAINTED if kind in output.data]:
            seen.append((painted[0], ""))
        else:
            seen.extend((kind, _text(data)) for kind, data in sorted(output.data.items()))
    return [(kind, "" if kind == "text/html" and PAINTED_HTML in text else text) for kind, text in seen]


def _text(data: Any) -> str:
    return data if isinstance(data, str) else "".join(data) if isinstance(data, list) else repr(data)


def problems(stored: Any, fresh: Any) -> Iterator[str]:
    """Everything that is wrong with a notebook: one sentence each."""
    for number, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True), 1):
        for kind, text in shown(new):
            if kind == "stderr":
                yield f"cell {number} writes to stderr: {text.strip()}"
            if kind.startswith("application/vnd.jupyter.widget"):
                yield f"cell {number} shows a widget, which vanishes without a kernel"
        if shown(old) != shown(new):
            yield f"cell {number} shows something else now:\n{_difference(shown(old), shown(new))}"
    if (size := len(nbformat.writes(fresh))) > LARGEST:
        yield f"it takes {size:,} bytes; {LARGEST:,} is the limit"


def _difference(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> str:
    def lines(seen: list[tuple[str, str]]) -> list[str]:
        return [f"[{kind}] {line}" for kind, text in seen for line in text.splitlines() or [""]]

    changed = difflib.unified_diff(lines(old), lines(new), "stored", "now", lineterm="", n=1)
    return "\n".join(f"    {line[:160]}" for line in list(changed)[:30])


def check(path: Path, write: bool) -> tuple[Path, float, list[str]]:
    """Run one notebook; with `write`, store its outputs. Gives the seconds it took and what is wrong with it."""
    began = time.perf_counter()
    stored = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:  # a notebook leaves no files behind
        try:
            fresh = run(stored, folder)
        except CellExecutionError as error:
            return path, time.perf_counter() - began, [str(error)]
    wrong = list(problems(fresh if write else stored, fresh))
    if write and not wrong:
        path.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8")
    return path, time.perf_counter() - began, wrong


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the notebooks and compare their outputs with the stored ones.")
    parser.add_argument("notebook", nargs="*", help="beginnings of file names, such as 01; all when left out")
    parser.add_argument("--write", action="store_true", help="store the new outputs in the files")
    parser.add_argument("--jobs", type=int, default=2, help="how many to run at a time (2)")
    parser.add_argument("--language", default="", help="the folder of a translation, such as zh")
    options = parser.parse_args(arguments)
    paths = notebooks(options.notebook, HERE / options.language)

    with tempfile.TemporaryDirectory() as settings:
        os.environ["IPYTHONDIR"] = settings  # nobody's personal start-up files
        if importlib.util.find_spec("viz") is None:
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
        with ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(lambda path: check(path, options.write), paths))

    for path, seconds, wrong in results:
        print(f"{path.name:45} {seconds:6.1f} s  {path.stat().st_size / 1000:6.0f} kB  {'FAILED' if wrong else 'ok'}")
        for problem in wrong:
            print(f"  {problem}", file=sys.stderr)
    return int(any(wrong for _, _, wrong in results))


if __name__ == "__main__":
    sys.exit(main())

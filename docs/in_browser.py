"""The part of the site that runs Python in the reader's browser: JupyterLite, with chainrule and the lessons.

Next to nothing of it stands in this repository. It is fetched when the site is built, by the versions and the hashes in
the folder ``pins``, and after that everything comes from the site itself:

* Pyodide, which is CPython for browsers, as it is published for Node.js: without NumPy and without Matplotlib;
* IPython and what it needs, as plain wheels;
* chainrule's own wheel, built from this folder;
* ``lite/waiting.js``, which keeps what is run while Python is on its way.

Lessons that need NumPy or Matplotlib say so in their first cell.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pages
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PINS = DOCS / "pins"
KERNEL = "@jupyterlite/pyodide-kernel-extension"
# What Python is told to load before the first cell: all that the kernel would otherwise look for on another host.
LOADED = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython", "chainrule")
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


class CannotFetch(RuntimeError):
    """Something that is not in this repository could not be had; the message says what, and why."""


def build(site: Path) -> None:
    """JupyterLite with the lessons, in a folder of the site.

    Raises:
        CannotFetch: if npm is missing, or an index cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="chainrule-lite") as work:
        parts = Path(work)
        tools = fetch(parts)
        source, built = parts / "source", parts / "built"
        python = source / "static" / "pyodide"
        python_for_pages(python, parts, tools)
        settings = {"litePluginSettings": {f"{KERNEL}:kernel": kernel_settings()}, "appName": "chainrule"}
        write_json(source / "jupyter-lite.json", {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings})
        write_json(source / "overrides.json", LOOK)
        [kernel] = parts.glob("tools-wheels/jupyterlite_pyodide_kernel-*.whl")
        options = {"no_sourcemaps": True, "federated_extensions": [str(kernel)], "apps": ["lab", "notebooks", "edit"]}
        write_json(source / "jupyter_lite_config.json", {"LiteBuildConfig": options})
        command = ["-m", "jupyterlite_core", "build", "--lite-dir", source, "--output-dir", built, "--no-libarchive"]
        run([sys.executable, *command], tools)
        add_lessons(built)
        add_waiting(built)
        shutil.rmtree(site / pages.JUPYTERLITE, ignore_errors=True)
        shutil.copytree(built, site / pages.JUPYTERLITE)


def kernel_settings() -> dict[str, Any]:
    """Of JupyterLite's Python: what is loaded at its start, and that no package is looked for elsewhere."""
    return {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": list(LOADED)}}


# Light or dark as the reader's system is; no announcements, which would be asked for elsewhere.
LOOK = {
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


# --- what is fetched


def fetch(folder: Path) -> dict[str, str]:
    """Everything by its pinned version and hash, and the environment in which the tools of ``pins/tools.txt`` run."""
    if (npm := shutil.which("npm")) is None:
        raise CannotFetch("there is no npm, which comes with Node.js; it fetches Pyodide")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    exact = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    run([*pip, "download", *exact, "-r", PINS / "tools.txt", "-d", folder / "tools-wheels"])
    python = ["--python-version", "3.14"]  # the one of Pyodide
    run([*pip, "download", *exact, *python, "-r", PINS / "wheels.txt", "-d", folder / "wheels"])
    run([*pip, "install", "--no-deps", "--target", folder / "tools", *sorted(folder.glob("tools-wheels/*.whl"))])
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, folder / name)
    run([npm, "ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
    return {**os.environ, "PYTHONPATH": str(folder / "tools"), "PYTHONDONTWRITEBYTECODE": "1"}


def run(command: list[Any], environment: dict[str, str] | None = None) -> None:
    """Run a program; its last words are the reason if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900)
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines()
        raise CannotFetch(f"{Path(words[0]).name} {' '.join(words[1:6])} ... failed: {' / '.join(said[-3:])}")


# --- Python, and what it can import


def python_for_pages(folder: Path, parts: Path, tools: dict[str, str]) -> None:
    """Pyodide with all wheels in one folder, and the list of them that it reads, ``pyodide-lock.json``."""
    folder.mkdir(parents=True)
    published = parts / "node_modules" / "pyodide"
    for name in PYODIDE:
        shutil.copy(published / name, folder / name)
    for wheel in parts.glob("wheels/*.whl"):
        shutil.copy(wheel, folder / wheel.name)
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], tools)
    [kernel] = parts.glob("tools-wheels/jupyterlite_pyodide_kernel-*.whl")
    with zipfile.ZipFile(kernel) as archive:
        for name in archive.namelist():
            if re.search(r"/pypi/(piplite|pyodide_kernel|ipykernel)-[^/]*\.whl$", name):
                (folder / Path(name).name).write_bytes(archive.read(name))
    info = json.loads((published / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    packages = dict(sorted((entry["name"], entry) for entry in map(package, folder.glob("*.whl"))))
    known = set(packages)
    for entry in packages.values():
        entry["depends"] = sorted(known & set(entry["depends"]))
    write_json(folder / "pyodide-lock.json", {"info": info, "packages": packages})


def package(wheel: Path) -> dict[str, Any]:
    """What Pyodide wants to know of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = message_from_bytes(archive.read(next(name for name in names if name.endswith("/METADATA"))))
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    place = {"sys_platform": "emscripten", "python_version": "3.14", "extra": ""}
    return {
        "name": canonicalize_name(metadata["Name"]),
        "version": metadata["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted({name.partition("/")[0].removesuffix(".py") for name in names if is_code(name)}),
        "depends": [canonicalize_name(r.name) for r in needed if r.marker is None or r.marker.evaluate(place)],
        "unvendored_tests": False,
    }


def is_code(name: str) -> bool:
    """Whether a file of a wheel is one that can be imported by its first name."""
    return name.endswith(".py") and name.count("/") <= 1 and ".d" not in name.partition("/")[0]


# --- the lessons


def add_lessons(built: Path) -> None:
    """The notebooks without their outputs, and the list by which JupyterLite finds them."""
    entries = list(lessons(built / "files"))
    whole = {**entry("", "directory"), "content": entries, "format": "json", "mimetype": None, "size": None}
    write_json(built / "api" / "contents" / "all.json", whole)
    path = built / "jupyter-lite.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["jupyter-config-data"]["contentsAllJsonFile"] = "all.json"
    write_json(path, settings)


def lessons(folder: Path) -> Iterator[dict[str, Any]]:
    """Write each lesson; gives its entry in the list."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in pages.notebooks():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
        write_json(folder / path.name, notebook)
        size = (folder / path.name).stat().st_size
        yield {**entry(path.name, "notebook"), "content": None, "format": None, "mimetype": None, "size": size}


def entry(path: str, kind: str) -> dict[str, Any]:
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    return {"name": path, "path": path, "type": kind, "writable": True, "created": date, "last_modified": date}


# --- our own script


def add_waiting(built: Path) -> None:
    """``lite/waiting.js``, an extension of JupyterLite like those that were built in, and its place in their list."""
    folder = built / "extensions" / "chainrule" / "static"
    folder.mkdir(parents=True)
    shutil.copy(DOCS / "lite" / "waiting.js", folder)
    path = built / "jupyter-lite.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    ours = {"name": "chainrule", "load": "static/waiting.js", "extension": "./extension"}
    settings["jupyter-config-data"]["federated_extensions"].append(ours)
    write_json(path, settings)


def write_json(path: Path, what: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(what, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


__all__ = ["CannotFetch", "build"]

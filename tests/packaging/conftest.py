"""Building the package once, and fresh environments to install it into."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSIONS = ("3.11", "3.12", "3.13")


def run(
    command: Sequence[str | Path], *, cwd: Path, env: dict[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; on failure, the test shows what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def without_python_settings() -> dict[str, str]:
    """The environment of this process without what would let a fresh environment find this one's packages."""
    return {key: text for key, text in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}


def bare() -> dict[str, str]:
    """An environment in which no program can be found: an empty PATH, and nothing else that can be left out."""
    return {"PATH": "", **{key: os.environ[key] for key in ("SYSTEMROOT",) if key in os.environ}}


@dataclass(frozen=True)
class Environment:
    """A virtual environment. It has no pip of its own: ours installs into it, which saves two seconds for each."""

    folder: Path

    @property
    def scripts(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / "python"

    @property
    def packages(self) -> Path:
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return Path(self.run("-c", code).stdout.strip())

    def run(
        self, *arguments: str | Path, env: dict[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python, in its own folder."""
        return run([self.python, *arguments], cwd=self.folder, env=env or without_python_settings(), check=check)

    def pip(self, *arguments: str | Path) -> None:
        options = ["--quiet", "--disable-pip-version-check"]
        run([sys.executable, "-m", "pip", "--python", self.python, *options, *arguments], cwd=self.folder)

    def install(self, *arguments: str | Path) -> None:
        """Without bytecode, which comes with the first import: that of all of NumPy takes longer than all the rest."""
        self.pip("install", "--no-compile", *arguments)


def new_environment(folder: Path, python: str = sys.executable) -> Environment:
    run([python, "-m", "venv", "--without-pip", folder], cwd=folder.parent, env=without_python_settings())
    return Environment(folder)


# --- what is built


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="session")
def built(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Built:
    """The wheel from the source tree, the sdist, and the wheel from that sdist."""
    for tool in ("build", "hatchling"):
        pytest.importorskip(tool, reason=f"building the package needs {tool}: pip install -e '.[test]'")
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("these tests need the source tree")
    build = [sys.executable, "-m", "build", "--no-isolation"]
    direct = made_once("direct", lambda folder: run([*build, "--wheel", "--outdir", folder, ROOT], cwd=folder))
    through = made_once("through", lambda folder: run([*build, "--outdir", folder, ROOT], cwd=folder))
    return Built(next(direct.glob("*.whl")), next(through.glob("*.tar.gz")), next(through.glob("*.whl")))


# --- what pip can reach


@pytest.fixture(scope="session")
def pip_download(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Fetch one wheel from pip's index, or skip the test."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    folder = tmp_path_factory.mktemp("downloads")

    def fetch(name: str) -> Path:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--retries",
            "1",
            "-d",
            folder,
            name,
        ]
        if run(command, cwd=folder, check=False).returncode:
            pytest.skip(f"pip cannot reach its index, or finds no {name} there")
        return next(folder.glob(f"{name}-*.whl"))

    return fetch


# --- the Pythons of this machine


def find_python(version: str) -> str | None:
    """A Python of that version, if one can be found and runs."""
    if version == HERE:
        return sys.executable
    home = Path.home()
    places = [shutil.which(f"python{version}")]
    for folder in (Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", home / ".local/share/uv/python"):
        places += [str(path) for path in sorted(folder.glob(f"*{version}.*/bin/python{version}"))]
    code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    for place in places:
        if place:
            done = run([place, "-c", code], cwd=ROOT, env=without_python_settings(), check=False)
            if done.stdout.strip() == version:
                return place
    return None


@pytest.fixture(scope="session")
def installed(
    built: Built, pip_download: Callable[[str], Path], made_once: Callable[[str, Callable[[Path], object]], Path]
) -> Callable[[str], Environment]:
    """The wheel, installed with what it needs into a fresh environment of a given Python version."""

    def install(version: str) -> Environment:
        def fill(folder: Path) -> None:
            python = find_python(version)
            if python is None:
                pytest.skip(f"no Python {version} on this machine")
            pip_download("tqdm")  # skips if the index cannot be reached
            new_environment(folder / "env", python).install(built.wheel)

        return Environment(made_once(f"python{version}", fill) / "env")

    return install

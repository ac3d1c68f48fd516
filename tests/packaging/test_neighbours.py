"""HIPS autograd has the same import name as chainrule's engine. What is said when both are installed?"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import HERE, ROOT, Built, Environment, new_environment

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def hips(pip_download: Callable[[str], Path]) -> Path:
    return pip_download("autograd")


@pytest.fixture(scope="module")
def environment(
    installed: Callable[[str], Environment], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Environment]:
    """Fresh environments that see the things which both distributions need, but neither of the two."""
    packages = installed(HERE).packages
    shared = tmp_path_factory.mktemp("shared")
    for name in packages.iterdir():
        if not name.name.startswith(("autograd", "nn", "viz", "chainrule")):
            (shared / name.name).symlink_to(name)

    def make() -> Environment:
        fresh = new_environment(tmp_path_factory.mktemp("neighbours") / "env")
        (fresh.packages / "shared.pth").write_text(f"{shared}\n", encoding="utf-8")
        return fresh

    return make


def error_of(environment: Environment, package: str) -> str:
    """The last line of the error that importing the package ends in."""
    done = environment.run("-c", f"import {package}", check=False)
    assert done.returncode == 1, f"import {package} raised nothing"
    start = done.stderr.index("ImportError:")
    return done.stderr[start:]


def test_the_two_guards_are_the_same_text() -> None:
    assert (ROOT / "nn/_guard.py").read_bytes() == (ROOT / "viz/_guard.py").read_bytes()


def test_only_init_has_a_name_that_hips_uses_too(hips: Path) -> None:
    with zipfile.ZipFile(hips) as archive:
        theirs = {name for name in archive.namelist() if name.startswith("autograd/")}
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "autograd").rglob("*.py")}
    assert ours & theirs == {"autograd/__init__.py"}


def test_hips_first_then_chainrule_works_and_warns(
    hips: Path, built: Built, environment: Callable[[], Environment]
) -> None:
    both = environment()
    both.install("--no-deps", hips)
    both.install("--no-deps", built.wheel)
    code = "import autograd, nn, viz; print(autograd.DISTRIBUTION)"
    done = both.run("-c", code)
    assert done.stdout.strip() == "chainrule"
    assert done.stderr.count("UserWarning: HIPS autograd") == 1
    assert str(both.packages / "autograd") in done.stderr
    # the warning's own words: uninstalling either one breaks the other
    both.pip("uninstall", "-y", "autograd")
    message = error_of(both, "viz")
    assert "__init__.py" in message
    assert "uninstalled" in message
    assert "--force-reinstall" in message
    mend_and_check(both, built, uninstall=False)


def test_chainrule_first_then_hips_raises_and_says_how_to_mend_it(
    hips: Path, built: Built, environment: Callable[[], Environment]
) -> None:
    both = environment()
    both.install("--no-deps", built.wheel)
    both.install("--no-deps", hips)
    for package in ("nn", "viz", "viz.cli"):
        message = error_of(both, package)
        assert "HIPS autograd" in message
        assert "installed after chainrule" in message
        assert str(both.packages / "autograd" / "__init__.py") in message
        assert "python3 -m venv .venv" in message
    line = "ImportError: cannot import name 'Value' from 'autograd'"
    done = both.run("-c", "from autograd import Value", check=False)
    assert line in done.stderr
    assert f"\n{line}\n" in (ROOT / "README.md").read_text(encoding="utf-8")  # so that a search finds the mend
    mend_and_check(both, built, uninstall=True)


def mend_and_check(both: Environment, built: Built, *, uninstall: bool) -> None:
    """Do what the message says, and find chainrule working without a warning."""
    if uninstall:
        both.pip("uninstall", "-y", "autograd")
    both.install("--force-reinstall", "--no-deps", built.wheel)
    assert (
        both.run("-W", "error", "-c", "import autograd, nn, viz; print(autograd.DISTRIBUTION)").stdout == "chainrule\n"
    )


def test_hips_in_front_of_a_development_install_raises(hips: Path, environment: Callable[[], Environment]) -> None:
    both = environment()
    both.install("--no-deps", hips)
    # what `pip install -e .` writes: a line that puts the source tree behind site-packages
    (both.packages / "chainrule.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    message = error_of(both, "viz")
    assert "HIPS autograd" in message
    assert "search path" in message


def test_a_file_of_ones_own_named_autograd_is_named(environment: Callable[[], Environment], built: Built) -> None:
    own = environment()
    own.install("--no-deps", built.wheel)
    (own.folder / "autograd.py").write_text("", encoding="utf-8")
    message = error_of(own, "nn")
    assert str(own.folder / "autograd.py") in message
    assert "another name" in message
    assert "HIPS" not in message

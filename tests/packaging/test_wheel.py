"""What is built, and that it works where it is installed."""

from __future__ import annotations

import email
import re
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import autograd

from .conftest import HERE, ROOT, VERSIONS, Built, Environment, bare, run

pytestmark = pytest.mark.packaging

PACKAGES = ("autograd", "nn", "viz")


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata_of(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_the_wheel_holds_the_three_packages_and_nothing_else(built: Built) -> None:
    info = f"chainrule-{autograd.__version__}.dist-info"
    expected = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    for package in PACKAGES:
        paths = (ROOT / package).rglob("*")
        expected |= {p.relative_to(ROOT).as_posix() for p in paths if p.is_file() and "__pycache__" not in p.parts}
    assert files_of(built.wheel) == expected
    assert {f"{package}/{name}" for package in PACKAGES for name in ("__init__.py", "py.typed")} <= expected


def test_the_sdist_builds_the_same_wheel(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as one, zipfile.ZipFile(built.wheel_of_sdist) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        for name in one.namelist():
            assert one.read(name) == other.read(name), name


def test_the_sdist_holds_what_is_needed_to_read_test_and_change_it(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"} <= names
    assert {"autograd/ops.py", "tests/packaging/test_wheel.py", "docs/make_pictures.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", "dist"))]


def test_the_metadata_says_what_it_is_and_what_it_needs(built: Built) -> None:
    metadata = metadata_of(built.wheel)
    assert metadata["Name"] == "chainrule"
    assert metadata["Version"] == autograd.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    needs = metadata.get_all("Requires-Dist", [])
    always = [need for need in needs if "extra ==" not in need]
    assert sorted(re.split(r"[<>=!~ ]", need)[0] for need in always) == ["graphviz", "numpy", "tqdm"]
    assert all(">=" in need for need in always), always
    extras = {"png", "plots", "graphviz", "notebooks", "jax", "sklearn", "scipy", "test", "dev"}
    assert extras <= set(metadata.get_all("Provides-Extra", []))


def test_the_readme_and_the_licence_come_along(built: Built) -> None:
    payload = metadata_of(built.wheel).get_payload()
    assert "chainrule" in str(payload)
    assert "the chainrule developers" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_installed_wheel_draws_where_no_program_can_be_found(
    version: str, installed: Callable[[str], Environment], tmp_path: Path
) -> None:
    environment = installed(version)
    command = environment.scripts / "chainrule"
    files = ["--out", "graph.svg", "--steps", "steps.html"]
    done = run([command, "(x + y) * z", "x=-2", "y=5", "z=-4", *files], cwd=tmp_path, env=bare())
    assert "-12" in done.stdout.replace("−", "-")
    picture = ET.parse(tmp_path / "graph.svg").getroot()
    assert picture.tag.endswith("svg")
    page = (tmp_path / "steps.html").read_text(encoding="utf-8")
    assert ".cr-player{" in page and '"cr-count"' in page  # the style and the script come along
    shown = run([command, "--version"], cwd=tmp_path, env=bare()).stdout
    assert autograd.__version__ in shown


@pytest.mark.parametrize("version", VERSIONS)
def test_the_installed_packages_import_from_the_wheel(version: str, installed: Callable[[str], Environment]) -> None:
    environment = installed(version)
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import autograd, nn, viz, pathlib\n"
        "for package in (autograd, nn, viz):\n"
        "    folder = pathlib.Path(package.__file__).parent\n"
        "    assert (folder / 'py.typed').is_file()\n"
        "    print(folder)\n"
    )
    found = environment.run("-I", "-c", code).stdout.split("\n")[:3]
    assert [Path(folder).parent for folder in found] == [environment.packages] * 3


# --- the same picture everywhere

DRAW = """
import sys
from autograd import Value, exp, parse, relu, sigmoid
from viz import draw_graph

def chain():
    x = total = Value(0.1, label="x")
    for i in range(40):
        total = (total * 1.1 + x).tanh() if i % 3 else relu(total - 0.01) + x
    return total

def layer():
    xs = [Value(0.1 * i, label=f"x{i}") for i in range(6)]
    hidden = [sigmoid(sum(x * (0.3 * i - 0.2 * j) for i, x in enumerate(xs))) for j in range(5)]
    return sum(h * h for h in hidden)

def wide():
    xs = [Value(float(i), label=f"x{i}") for i in range(60)]
    return sum((a * b for a, b in zip(xs, xs[1:])), Value(0.0))

graphs = [
    parse("(x + y) * z", x=-2, y=5, z=-4),
    parse("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", w0=2, x0=-1, w1=-3, x1=-2, w2=-3),
    Value(3.0, label="a") + 1 / Value(0.0, label="b"),
    chain(),
    layer(),
    wide(),
]
for root in graphs:
    root.backward()
    for options in ({}, {"theme": "dark", "rankdir": "TB"}, {"local": True}):
        sys.stdout.buffer.write(draw_graph(root, **options).svg.encode() + b"\\n")
"""


def test_two_processes_and_two_pythons_draw_the_same_bytes(
    installed: Callable[[str], Environment], tmp_path: Path
) -> None:
    here = installed(HERE)
    script = tmp_path / "draw.py"
    script.write_text(DRAW, encoding="utf-8")
    pictures = {}
    for seed in ("1", "2"):
        pictures[HERE, seed] = here.run("-B", script, env={**bare(), "PYTHONHASHSEED": seed}).stdout
    others = [version for version in VERSIONS if version != HERE]
    for version in others:
        try:
            environment = installed(version)
        except pytest.skip.Exception:
            continue
        pictures[version, "3"] = environment.run("-B", script, env={**bare(), "PYTHONHASHSEED": "3"}).stdout
    assert pictures[HERE, "1"].count("</svg>") >= 18
    assert len(set(pictures.values())) == 1, f"different among {sorted(pictures)}"

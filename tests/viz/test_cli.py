"""The ``chainrule`` command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import __version__
from viz.cli import main

from .reading import read

ROOT = Path(__file__).resolve().parents[2]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    command = [sys.executable, "-m", "viz.cli", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False)


def rows(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.split("\n")[2:] if line and not line.startswith("wrote")]


def test_it_prints_the_table_and_writes_the_picture(capsys: Captured) -> None:
    assert main(["(x + y) * z", "x=-2", "y=5", "z=-4"]) == 0
    printed = capsys.readouterr().out
    assert rows(printed) == [
        ["x", "−2", "−4"],
        ["y", "5", "−4"],
        ["v1", "+", "x,", "y", "3", "−4"],
        ["z", "−4", "3"],
        ["f", "×", "v1,", "z", "−12", "1"],
    ]
    assert printed.endswith("\nwrote graph.svg\n")
    assert read(Path("graph.svg").read_text(encoding="utf-8")).width > 100


def test_it_runs_as_a_module() -> None:
    done = run("(x + y) * z", "x=-2", "y=5", "z=-4")
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("graph.svg").is_file()


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["-x", "x=2"], "−2"),
        (["-x + 3", "x=2", "--local"], "1"),
        (["--", "-x", "x=2"], "−2"),
        (["--theme", "dark", "-x*y", "x=-2", "y=-3"], "−6"),
        (["--theme=dark", "--", "--x", "x=2"], "2"),
        (["x*y", "--rankdir", "TB", "x=2", "--no-grad", "y=.5e1"], "10"),
        (["q = x + y; f = q * z", "x=1", "y=2", "z=3"], "9"),
        (["π*r**2", "r=2", "π=3"], "12"),
        (["x", "x=1e400"], "inf"),
        (["x", "x=-inf"], "−inf"),
        (["x*0", "x=nan"], "nan"),
        (["x", "x = 5"], "5"),
        (["-3"], "−3"),
        (["1/x", "x=0"], "inf"),
    ],
)
def test_formulas_and_numbers(words: list[str], result: str, capsys: Captured) -> None:
    assert main(words) == 0
    assert rows(capsys.readouterr().out)[-1][-2] == result


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "please give a formula and its numbers"),
        ([""], "the formula is empty"),
        (["x +", "x=1"], "the formula ends too early, at column"),
        (["x", "y=1"], "x has no value; give it one, as in x=2"),
        (["x"], "x has no value"),
        (["x", "x=1", "y=2"], "y has a value but is not in the formula"),
        (["x", "x=1", "x=2"], "x was given twice"),
        (["x", "x"], "expected name=number, such as x=-2, but got 'x'"),
        (["x", "=1"], "expected name=number"),
        (["x", "2=1"], "expected name=number"),
        (["x", "x="], "x must be a number such as -1.5, but got ''"),
        (["x", "x=two"], "x must be a number such as -1.5, but got 'two'"),
        (["x", "x=1+1j"], "x must be a number"),
        (["x", "x=0x10"], "x must be a number"),
        (["x", "x=1", "--bogus"], "unrecognized arguments: --bogus"),
        (["x", "x=1", "--thema", "dark"], "unrecognized arguments: --thema"),
        (["x", "x=1", "-o", "f.txt"], "--out must end in"),
        (["x", "x=1", "--fmt", "zzz"], "fmt must be a format spec"),
        (["x", "x=1", "--scale", "big"], "invalid float value"),
        (["x", "x=1", "--theme", "blue"], "invalid choice: 'blue'"),
        (["x", "x=1", "--rankdir", "XY"], "invalid choice: 'XY'"),
        (["x", "x=1", "--engine", "neato"], "invalid choice: 'neato'"),
        (["x", "x=1", "--out"], "expected one argument"),
        (["x", "x=1", "--out", "f.txt"], "--out must end in .svg, .html, .dot, .png or .pdf, but got 'f.txt'"),
        (["x", "x=1", "--out", ""], "--out must end in"),
        (["x", "x=1", "--out", "."], "--out must end in"),
        (["x", "x=1", "--out", "no/where/f.svg"], "could not write no/where/f.svg: there is no folder"),
        (["x.real", "x=1"], "a dot (an attribute) cannot be used in a formula"),
        (["__import__('os')"], "unknown function __import__"),
        (["f(x)", "x=1"], "unknown function f"),
        (["x\ny", "x=1", "y=2"], "at column"),
        (["(" * 500 + "x" + ")" * 500, "x=1"], ""),
        (["x" + "+x" * 600_000, "x=1"], ""),
        (["10**400*x + " + "9" * 400, "x=1"], ""),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], message: str, capsys: Captured) -> None:
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("chainrule: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert len(printed.err) < 500
    assert not list(Path().iterdir())


def test_bad_input_ends_a_process_with_status_2_too() -> None:
    done = run("x +", "x=1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["-h"]])
def test_version_and_help(words: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    if words == ["--version"]:
        assert printed == f"chainrule {__version__}\n"
    else:
        assert 'chainrule "(x + y) * z" x=-2 y=5 z=-4' in printed
        for option in ("--out", "--theme", "--rankdir", "--engine", "--no-grad", "--local", "--force", "--version"):
            assert option in printed


@pytest.mark.parametrize("name", ["f.svg", "f.html", "f.dot", "f.gv", "f.png", "f.pdf", "F.SVG"])
def test_it_writes_over_its_own_files_only(name: str, capsys: Captured) -> None:
    if name.endswith((".png", ".pdf")):
        pytest.importorskip("vl_convert")
    words = ["x * 2", "x=1", "--out", name]
    target = Path(name)
    target.write_bytes(b"somebody's work")
    assert main(words) == 2
    assert "was not written by chainrule; --force writes over it" in capsys.readouterr().err
    assert target.read_bytes() == b"somebody's work"
    assert main([*words, "--force"]) == 0
    drawn = target.read_bytes()
    assert drawn != b"somebody's work"
    assert main(["y * 3", "y=1", "--out", name]) == 0
    assert target.read_bytes() != drawn


def test_an_empty_file_and_a_folder_are_not_its_own(capsys: Captured) -> None:
    Path("empty.svg").touch()
    Path("folder.svg").mkdir()
    for name in ("empty.svg", "folder.svg"):
        assert main(["x", "x=1", "--out", name]) == 2
    assert main(["x", "x=1", "--out", "folder.svg", "--force"]) == 2
    assert capsys.readouterr().err.count("\n") == 3


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("no_grad", [False, True])
def test_gradients_and_local_derivatives_in_any_combination(local: bool, no_grad: bool) -> None:
    assert main(["x * y", "x=2", "y=3", *["--local"] * local, *["--no-grad"] * no_grad]) == 0
    kinds = {box.kind for box in read(Path("graph.svg").read_text(encoding="utf-8")).texts}
    assert ("local" in kinds) == local
    assert ("gradient" in kinds) != no_grad


def test_theme_and_direction_reach_the_picture() -> None:
    assert main(["exp(x)", "x=1", "--theme", "dark", "--rankdir", "TB"]) == 0
    page = read(Path("graph.svg").read_text(encoding="utf-8"))
    assert page.height > page.width
    assert page.styles["card"]["fill"] == "#14181f"


def test_without_graphviz_the_other_engine_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert main(["x", "x=1", "--engine", "dot"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(Path().iterdir())


def test_a_disk_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("viz.drawing.tempfile.mkstemp", fail)
    assert main(["x", "x=1"]) == 2
    assert capsys.readouterr().err.startswith("chainrule: could not write graph.svg: Permission denied")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_reader_that_leaves_early_is_no_error() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f'"{sys.executable}" -m viz.cli "x{"*x" * 60}" x=1 | head -n 0'
    done = subprocess.run(command, shell=True, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")
    assert Path("graph.svg").is_file()


def test_a_terminal_without_true_minus_signs_gets_plain_ones() -> None:
    done = run("(x + y) * z", "x=-2", "y=5", "z=-4", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert ["f", "*", "v1,", "z", "-12", "1"] in rows(done.stdout)
    assert run("π*2", "π=3", "--out", "π.svg", PYTHONIOENCODING="latin-1").returncode == 0


def test_short_options_and_help_are_understood(capsys: Captured) -> None:
    assert main(["x*2", "x=−3", "-o", "short.svg", "--fmt", ".2f"]) == 0  # a minus sign copied from our own table
    assert Path("short.svg").is_file()
    assert "−6.00" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["help"])
    assert left.value.code == 0
    assert "functions: abs, acos, asin, atan, atan2, cos" in capsys.readouterr().out

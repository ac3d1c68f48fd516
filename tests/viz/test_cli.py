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


def run(*words: str, module: str = "viz", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
    command = [sys.executable, "-m", module, *words]
    encoding = env["PYTHONIOENCODING"]
    return subprocess.run(command, env=env, capture_output=True, text=True, encoding=encoding, check=False)


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


@pytest.mark.parametrize("module", ["viz", "viz.cli"])
def test_it_runs_as_a_module(module: str) -> None:
    done = run("(x + y) * z", "x=-2", "y=5", "z=-4", module=module)
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
        (["（x＋２）＊y", "x＝１", "ｙ=−３"], "−9"),
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
        (["x", "x", "=", "1"], "expected name=number, such as x=-2, but got 'x'; write it without spaces"),
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


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
def test_any_encoding_will_do(encoding: str) -> None:
    for words in (["--help"], ["sigmoid(x) + sqrt(x) * y - z / x", "x=1", "y=2", "z=-3"]):
        done = run(*words, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, "")
        assert "?" not in done.stdout


def shell(line: str) -> tuple[int, str, str]:
    """Status, output and errors of a line in which $c is the command."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "c": f"{sys.executable} -m viz"}
    done = subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("$c --help >&-", "could not print to the standard output: it is closed"),
        ("$c --version >&-", "could not print to the standard output: it is closed"),
        ("$c x x=1 >&-", "wrote graph.svg, but could not print to the standard output: it is closed"),
        ("$c x x=1 --out - >&-", "could not print to the standard output: it is closed"),
        ("$c --help >/dev/full", "could not print to the standard output: No space left on device"),
        ("$c --version >/dev/full", "could not print to the standard output: No space left on device"),
        ("$c x x=1 >/dev/full", "wrote graph.svg, but could not print to the standard output: No space left on device"),
        ("$c x x=1 --out - >/dev/full", "could not print to the standard output: No space left on device"),
        ("ln -s /dev/full f.svg; $c x x=1 --out f.svg", "could not write f.svg: No space left on device"),
        ("$c x x=1 --steps nowhere/s.html", "could not write nowhere/s.html: there is no folder"),
        ("$c x x=1 --out $(printf n%0300d 0).svg", "File name too long"),
        ("mkdir f; cd f; rmdir ../f; $c x x=1", "could not write graph.svg: No such file or directory"),
        ("mkdir f; cd f; rmdir ../f; $c x x=1 --out f.svg --steps s.html", "No such file or directory"),
        ("$c x x=1 >/dev/full 2>/dev/full", ""),
        ("$c x+ x=1 2>/dev/full", ""),
        ("$c x+ x=1 2>&-", ""),
        ("$c --help >&- 2>&-", ""),
        ("$c x x=1 >&- 2>&-", ""),
    ],
)
def test_an_output_that_takes_nothing_is_one_line_and_status_2(line: str, message: str) -> None:
    if "/dev/full" in line and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    status, printed, complaint = shell(line)
    assert (status, printed, complaint.count("\n")) == (2, "", bool(message))
    assert complaint.startswith("chainrule: " * bool(message)) and message in complaint


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_minus_prints_the_picture_and_nothing_else() -> None:
    status, printed, told = shell('$c "σ(x)" x=-1 --out -')
    assert status == 0
    assert main(["σ(x)", "x=-1", "--out", "f.svg"]) == 0
    assert printed == Path("f.svg").read_text(encoding="utf-8")
    assert rows(told)[-1][-2:] == ["0.2689", "1"] and "wrote" not in told
    status, printed, told = shell("$c x*2 x=1 --steps - --out g.svg")
    assert (status, told.splitlines()[-1]) == (0, "wrote g.svg")
    assert printed.startswith("<!DOCTYPE html>") and printed.endswith("</html>\n")
    assert shell("$c x x=1 --out - 2>&- >h.svg")[0] == 0
    assert Path("h.svg").read_text(encoding="utf-8").endswith("</svg>\n")
    assert sorted(os.listdir()) == ["f.svg", "g.svg", "h.svg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_gets_the_picture_and_stays_a_fifo() -> None:
    assert (
        shell("mkfifo f.svg; cat f.svg >g.svg & sleep 0.1; $c x x=1 --out f.svg; status=$?; wait; exit $status")[0] == 0
    )
    assert Path("f.svg").is_fifo()
    assert main(["x", "x=1", "--out", "h.svg"]) == 0
    assert Path("g.svg").read_bytes() == Path("h.svg").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has a browser of its own")
def test_open_shows_what_was_written_in_the_browser(capsys: Captured) -> None:
    browser = Path("browser")
    browser.write_text('#!/bin/sh\necho "$1" >>opened\n')
    browser.chmod(0o755)
    done = run("x*2", "x=1", "--out", "a b.svg", "--steps", "s.html", "--open", BROWSER=str(browser.resolve()))
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("opened").read_text().split("\n") == [Path(f).resolve().as_uri() for f in ("a b.svg", "s.html")] + [""]
    done = run("x*2", "x=1", "--open", BROWSER="/nowhere/at/all", PATH="", DISPLAY="", WAYLAND_DISPLAY="")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "found no browser to open graph.svg with; it is written, please open it yourself" in done.stderr
    assert Path("graph.svg").is_file()
    for words, message in (
        (["--out", "-"], "--open shows a file; please give it a name"),
        (["--steps", "-"], "--open shows a file"),
        (["--out", "f.dot"], "no browser shows f.dot"),
    ):
        assert main(["x", "x=1", "--open", *words]) == 2
        assert message in capsys.readouterr().err


INTERRUPTED = """
import os, sys
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["CTRL_C_AT"]:
            os.kill(os.getpid(), 2)
sys.meta_path.insert(0, CtrlC())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize(
    ("way", "module"),
    [
        *(
            ("script", name)
            for name in ("signal", "viz._guard", "autograd.value", "viz.live.player", "viz.cli", "viz.raster")
        ),
        *(("viz", name) for name in ("autograd.value", "viz.raster")),
        ("viz.cli", "viz.live.player"),
    ],
)
def test_ctrl_c_at_any_time_is_one_line_and_status_130(way: str, module: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED)
    (tmp_path / "chainrule").write_text("import sys\nfrom viz.cli import main\nsys.exit(main())\n")
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "CTRL_C_AT": module}
    start = [str(tmp_path / "chainrule")] if way == "script" else ["-m", way]
    command = [sys.executable, *start, "x", "x=1", "--out", "f.png"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "chainrule: stopped\n")


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_importing_viz_elsewhere_leaves_ctrl_c_alone() -> None:
    code = "import signal, viz.cli; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout == "True\n"


def test_a_disk_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", fail)
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


def test_live_writes_a_page_that_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["(x + y) * z", "x=-2", "y=5", "z=-4", "--live", "page.html"]
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("\nwrote page.html\n")
    assert "data-chainrule-live" in Path("page.html").read_text(encoding="utf-8")
    assert main([*words, "--steps", "steps.html", "--out", "f.svg", "--theme", "dark"]) == 0  # the page may be replaced
    assert capsys.readouterr().out.endswith("\nwrote f.svg, steps.html and page.html\n")
    assert 'data-theme="dark"' in Path("page.html").read_text(encoding="utf-8")
    for wrong, message in [
        (["--live", "page.svg"], "--live must end in .html, but got 'page.svg'"),
        (["--live", "a.html", "--steps", "./a.html"], "--steps and --live are both ./a.html"),
        (["--live", "a.html", "--local"], "--local is for the picture"),
    ]:
        assert main(["x*2", "x=1", *wrong]) == 2
        assert message in capsys.readouterr().err

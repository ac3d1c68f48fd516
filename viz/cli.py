"""The ``chainrule`` command: a formula and its numbers in, a table and a picture out."""

from __future__ import annotations

import argparse
import errno
import functools
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import combinations, islice
from pathlib import Path
from typing import Any, NoReturn, TextIO

from autograd import ExpressionError, Value, __version__, parse
from autograd.expression import known_functions, open_names

from . import _ctrl_c
from .checks import ENGINES, RANKDIRS, THEMES
from .dot import EngineError
from .drawing import Drawing, draw_graph
from .live.exploring import explore
from .live.stepping import step_through
from .sheets import Worksheet

_EXAMPLES = """\
examples:
  chainrule "(x + y) * z" x=-2 y=5 z=-4
  chainrule "q = x + y; f = q * z" x=-2 y=5 z=-4 --local
  chainrule "sigmoid(w0*x0 + w1*x1 + w2)" w0=2 x0=-1 w1=-3 x1=-2 w2=-3 --out neuron.svg --theme dark
  chainrule "1 / (1 + exp(-(w*x + b)))" w=2 x=-1 b=-3 --rankdir TB --out gate.html
  chainrule "(x + y) * z" x=-2 y=5 z=-4 --out slide.png --scale 4 --fmt .2f --theme light
  chainrule "(x + y) * z" x=-2 y=5 z=-4 --steps steps.html --open
  chainrule "(x + y) * z" x=-2 y=5 z=-4 --live page.html --open
  chainrule "q = x + y; f = q * z" --seed 3 --worksheet sheet.html --key key.html

functions: {functions}
"""
# Every file that we write says so, and only such a file is written over without being told to.
_SIGNS = (b"chainrule-graph", b"chainrule-player", b"chainrule-live", b"digraph computation_graph")
_ENDINGS = (".svg", ".html", ".dot", ".gv", ".png", ".pdf")
_NO_BROWSER = (".dot", ".gv")
_STDOUT = "-"
_PAGES = ("--steps", "--live")
_SHEETS = ("--worksheet", "--key")
_SHEET_ENDINGS = (".html", ".svg", ".pdf", ".png")
# the options that have an argument, and what argparse is told of each
_OPTIONS: dict[str, dict[str, Any]] = {
    "--out": {
        "metavar": "FILE",
        "help": "the picture; graph.svg if neither this nor a page is given; also .html .dot .png .pdf; "
        "- prints the SVG",
    },
    "--steps": {
        "metavar": "FILE",
        "help": "a page that steps through the forward and the backward pass, such as steps.html; - prints it",
    },
    "--live": {
        "metavar": "FILE",
        "help": "a page that computes: drag a number, and values and gradients follow; such as page.html; - prints it",
    },
    "--worksheet": {
        "metavar": "FILE",
        "help": "a sheet of A4 with empty boxes, to be filled in by hand; .html .svg .pdf; - prints its page",
    },
    "--key": {"metavar": "FILE", "help": "the worksheet's key: the same with the answers"},
    "--blank": {
        "metavar": "WHAT",
        "help": "of the worksheet: gradients, values, both, or the names of some wires, as in q,x; "
        "gradients if not given",
    },
    "--seed": {
        "type": int,
        "metavar": "N",
        "help": "of the worksheet: draw the numbers by lot, so that answers are short",
    },
    "--theme": {"choices": THEMES, "default": "auto", "help": "colours; auto follows the reader's system"},
    "--background": {
        "default": "card",
        "metavar": "COLOUR",
        "help": "of the paper, such as #fff8e7; none for a slide",
    },
    "--rankdir": {"choices": RANKDIRS, "default": "LR", "help": "LR draws it from left to right, and so on"},
    "--engine": {"choices": ENGINES, "default": "layered", "help": "dot needs Graphviz"},
    "--fmt": {
        "default": ".4g",
        "metavar": "SPEC",
        "help": "how numbers are written, such as .2f; .4g if not given",
    },
    "--scale": {
        "type": float,
        "default": 2.0,
        "metavar": "N",
        "help": "of a PNG: dots per pixel; 2 if not given",
    },
}
_SWITCHES = {
    "--no-grad": "leave the gradients out of the picture",
    "--local": "show the local derivative on every wire",
    "--open": "show what was written in the browser",
    "--force": "write over a file that chainrule did not write",
}
_SHORT = {"-o": "--out", "-V": "--version"}
_PLAIN = str.maketrans({"−": "-", "–": "-", "─": "-", "×": "*", "÷": "/", "…": "...", "σ": "sigmoid", "√": "sqrt"})


class _Failed(Exception):
    """The command cannot do what it should; the message is one line."""


class _BadInput(_Failed):
    """Something is wrong with what was typed."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if "required" in message:
            message = 'please give a formula and its numbers, such as chainrule "(x + y) * z" x=-2 y=5 z=-4'
        raise _BadInput(message)

    def _print_message(self, message: str, file: object = None) -> None:
        """--help and --version; argparse would stop at a letter that the terminal does not know."""
        _say(message.rstrip("\n"))


def main(argv: list[str] | None = None) -> int:
    """Run the command, and return its exit status.

    That is 0, or 2 for whatever goes wrong, which is told in one line; 1 if the reader of its output has left early, as
    ``head`` does; 130 after Ctrl-C.
    """
    try:
        _ctrl_c.catch()
        return _run(sys.argv[1:] if argv is None else argv)
    except _Failed as problem:
        hint = " (chainrule --help shows examples)" if isinstance(problem, _BadInput) else ""
        _mention(f"chainrule: {' '.join(str(problem).split())}{hint}")
        return 2
    except BrokenPipeError:
        _throw_away(sys.stdout)
        return 1
    except OSError as error:  # such as a current folder that is gone
        _mention(f"chainrule: {error.strerror or error}")
        return 2
    except KeyboardInterrupt:
        _mention("chainrule: stopped")
        return _ctrl_c.STATUS


def _run(argv: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(_options_first(argv))
    pages = {option: getattr(options, option[2:]) for option in (*_PAGES, *_SHEETS)}
    if options.out is None and not any(pages.values()):
        options.out = "graph.svg"
    out = options.out
    _check_names(parser, options, pages)
    root, sheet = _graph_and_sheet(options)
    root.backward()
    files = {option: name for option, name in {"--out": out, **pages}.items() if name not in (None, _STDOUT)}
    for option, name in files.items():
        _check_overwrite(Path(name), option, options.force)
    try:
        drawing: Drawing = draw_graph(
            root,
            rankdir=options.rankdir,
            theme=options.theme,
            background=options.background,
            show_grad=not options.no_grad,
            local=options.local,
            fmt=options.fmt,
            engine=options.engine,
        )
        makers: dict[str, Callable[[], Any]] = {
            "--steps": lambda: step_through(root, theme=options.theme),
            "--live": lambda: explore(root, theme=options.theme),
            "--worksheet": lambda: sheet,
            "--key": lambda: sheet.key if sheet else None,
        }
        made = {option: make() for option, make in makers.items() if pages[option] is not None}
        if out is not None:
            _write(out, lambda: drawing.svg, lambda: drawing.save(out, scale=options.scale))
        for option, page in made.items():
            _write(pages[option], page.to_html, functools.partial(page.save, pages[option]))
    except (EngineError, ImportError, ValueError) as error:
        raise _BadInput(str(error)) from None
    *others, last = [*files.values()] or [""]
    wrote = f"wrote {' and '.join(filter(None, [', '.join(others), last]))}" if files else ""
    table = str(sheet.exercise) if sheet and {*pages, "--out"} & {*files} <= {*_SHEETS} else drawing.to_text()
    told = f"{table}\n\n{wrote}".rstrip()
    if _STDOUT not in (out, *pages.values()):
        _say(told, f"{wrote}, but ")
    else:  # which holds the picture, and nothing but the picture
        _mention(told)
    if options.open:
        _open(files.values())
    return 0


def _check_names(parser: argparse.ArgumentParser, options: argparse.Namespace, pages: dict[str, str | None]) -> None:
    """Whether the files' names go with each other and with the other options."""
    out = options.out
    if options.worksheet is options.key is None and (options.blank is not None or options.seed is not None):
        option = "--seed" if options.seed is not None else "--blank"
        raise _BadInput(f"{option} is for a worksheet; please give it a name too, such as --worksheet sheet.html")
    if out not in (None, _STDOUT) and Path(out).suffix.lower() not in _ENDINGS:
        raise _BadInput(f"--out must end in .svg, .html, .dot, .png or .pdf, but got {out!r}")
    for option, page in pages.items():
        endings = _SHEET_ENDINGS if option in _SHEETS else (".html",)
        if page not in (None, _STDOUT) and Path(page).suffix.lower() not in endings:
            raise _BadInput(f"{option} must end in {' '.join(endings)}, but got {page!r}")
    if out is None:
        for option in ("rankdir", "engine", "scale", "background", "no_grad", "local"):
            if getattr(options, option) != parser.get_default(option):
                name = option.replace("_", "-")
                raise _BadInput(f"--{name} is for the picture; please give it a name too, such as --out graph.svg")
    named = [(option, name) for option, name in {"--out": out, **pages}.items() if name is not None]
    for (first, name), (second, other) in combinations(named, 2):
        if name == other or os.path.realpath(name) == os.path.realpath(other):
            raise _BadInput(f"{first} and {second} are both {name}; please give one of them another name")
    if options.open and {out, *pages.values()} <= {None, _STDOUT}:
        raise _BadInput("--open shows a file; please give it a name, such as --out graph.svg")
    if options.open and Path(out or "").suffix.lower() in _NO_BROWSER:
        raise _BadInput(f"no browser shows {out}; with --open please let --out end in .svg, .html, .png or .pdf")


def _write(name: str, text: Callable[[], str], save: Callable[[], object]) -> None:
    """Save to the file, or, where its name is "-", print the text as it is."""
    if name == _STDOUT:
        with _printing() as stream:
            stream.buffer.write(text().encode())
        return
    try:
        save()
    except OSError as error:
        raise _Failed(f"could not write {name}: {error.strerror or error}") from None


def _open(files: Iterable[str]) -> None:
    """Show them in the browser that the system prefers, or that the variable BROWSER names."""
    import webbrowser

    for name in files:
        if not webbrowser.open(Path(name).resolve().as_uri()):
            raise _Failed(f"found no browser to open {name} with; it is written, please open it yourself")


@contextmanager
def _printing(done: str = "") -> Iterator[TextIO]:
    """The standard output. What it does not take is told now, after what is ``done``, and not by Python at the exit."""
    try:
        if sys.stdout is None:  # as it is if it was closed before Python started
            raise OSError(errno.EBADF, "it is closed")
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _throw_away(sys.stdout)
        raise _Failed(f"{done}could not print to the standard output: {error.strerror}") from None


def _say(text: str, done: str = "") -> None:
    with _printing(done) as stream:
        print(_printable(text, stream), file=stream)


def _mention(text: str) -> None:
    """Print beside the standard output. If that is impossible, the exit status has to do."""
    if sys.stderr is not None:
        try:
            print(_printable(text, sys.stderr), file=sys.stderr, flush=True)
        except OSError:
            _throw_away(sys.stderr)


def _throw_away(stream: TextIO | None) -> None:
    """Nothing reaches this stream any more; what could not be written would fail once more at the exit."""
    if stream is not None:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _options_first(argv: list[str]) -> list[str]:
    """The same words in an order that argparse cannot misread: a formula such as -x is no option."""
    options: list[str] = []
    words: list[str] = []
    if argv == ["help"]:
        return ["--help"]
    rest = iter(argv)
    for word in rest:
        word = _SHORT.get(word, word)
        if word == "--":
            words.extend(rest)
        elif word == "-h" or re.match(r"--[a-z]", word):
            options.append(word)
            if word in _OPTIONS:
                options.extend(islice(rest, 1))
        else:
            words.append(word)
    return [*options, "--", *words]


def _printable(text: str, stream: TextIO | None) -> str:
    """The text in plainer letters where the terminal, or a file that we are piped into, does not know true ones."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _parser() -> argparse.ArgumentParser:
    functions = [name for name in known_functions() if _printable(name, sys.stdout) == name]  # others cannot be typed
    parser = _Parser(
        prog="chainrule",
        description="Draw a formula's computation graph with its values and gradients.",
        epilog=_EXAMPLES.format(functions=", ".join(functions)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("formula", help="numbers, names, + - * / **, brackets and functions such as sigmoid(x)")
    parser.add_argument("values", nargs="*", metavar="name=number", help="a number for every name in the formula")
    for option, settings in _OPTIONS.items():
        parser.add_argument(option, **settings)
    for switch, told in _SWITCHES.items():
        parser.add_argument(switch, action="store_true", help=told)
    parser.add_argument("--version", action="version", version=f"chainrule {__version__}")
    return parser


def _blank(text: str | None) -> str | list[str]:
    """What is to be blank: one of the three words, or names with commas between them."""
    if text is None or text in ("gradients", "values", "both"):
        return text or "gradients"
    return [name.strip() for name in text.split(",")]


def _graph_and_sheet(options: argparse.Namespace) -> tuple[Value, Worksheet | None]:
    """The formula's graph; and its worksheet, if one is asked for, whose numbers are the graph's, too."""
    root = _graph(options.formula, options.values, options.seed is not None)
    if options.worksheet is None and options.key is None:
        return root, None
    try:
        sheet = Worksheet(root, _blank(options.blank), options.seed)
    except ValueError as error:
        raise _BadInput(str(error)) from None
    return parse(options.formula, sheet.numbers), sheet


def _graph(formula: str, assignments: list[str], draws: bool) -> Value:
    values: dict[str, float] = {}
    for text in assignments:
        # as Python reads the names in the formula; so ＝ and ２, as Chinese keyboards have them, are read, too
        name, equals, number = unicodedata.normalize("NFKC", text).partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            hint = "; write it without spaces" if "=" in assignments else ""
            raise _BadInput(f"expected name=number, such as x=-2, but got {text!r}{hint}")
        if name in values:
            raise _BadInput(f"{name} was given twice")
        try:
            values[name] = float(number.replace("−", "-"))
        except ValueError:
            raise _BadInput(f"{name} must be a number such as -1.5, but got {number!r}") from None
    try:
        if draws:  # the numbers that are not given, too, are drawn by lot later
            values = {**dict.fromkeys(open_names(formula, dict(values)), 2.0), **values}
        return parse(formula, values)
    except ExpressionError as error:
        shown = error.text if len(error.text) <= 60 else error.text[:57] + "..."
        raise _BadInput(f"{error.message}, at column {error.column + 1} of {shown!r}") from None


def _check_overwrite(out: Path, option: str, force: bool) -> None:
    """Refuse to write over what chainrule did not write."""
    try:
        if out.is_dir():
            raise _BadInput(f"{out} is a folder; please give another {option}")
        if force or not out.is_file():  # a FIFO or a device is written to, and stays what it is
            return
        content = out.read_bytes()
    except OSError as error:
        raise _Failed(f"could not read {out}: {error.strerror or error}") from None
    if not any(sign in content for sign in _SIGNS):
        raise _BadInput(f"{out} is there already and was not written by chainrule; --force writes over it")


if __name__ == "__main__":
    sys.exit(main())

"""The ``chainrule`` command: a formula and its numbers in, a table and a picture out."""

from __future__ import annotations

import argparse
import os
import re
import sys
import unicodedata
from itertools import islice
from pathlib import Path
from typing import NoReturn

from autograd import ExpressionError, Value, __version__, parse
from autograd.expression import known_functions

from .dot import EngineError
from .drawing import ENGINES, Drawing, draw_graph
from .player import step_through
from .svg import RANKDIRS, THEMES

_EXAMPLES = """\
examples:
  chainrule "(x + y) * z" x=-2 y=5 z=-4
  chainrule "q = x + y; f = q * z" x=-2 y=5 z=-4 --local
  chainrule "sigmoid(w0*x0 + w1*x1 + w2)" w0=2 x0=-1 w1=-3 x1=-2 w2=-3 --out neuron.svg --theme dark
  chainrule "1 / (1 + exp(-(w*x + b)))" w=2 x=-1 b=-3 --rankdir TB --out gate.html
  chainrule "(x + y) * z" x=-2 y=5 z=-4 --out slide.png --scale 4 --fmt .2f --theme light
  chainrule "(x + y) * z" x=-2 y=5 z=-4 --steps steps.html

functions: {functions}
"""
# Every file that we write says so, and only such a file is written over without being told to.
_SIGNS = (b"chainrule-graph", b"chainrule-player", b"digraph computation_graph")
_ENDINGS = (".svg", ".html", ".dot", ".gv", ".png", ".pdf")
_WITH_ARGUMENT = ("--out", "--steps", "--theme", "--rankdir", "--engine", "--fmt", "--scale")
_SHORT = {"-o": "--out", "-V": "--version"}
_PLAIN = str.maketrans({"−": "-", "–": "-", "─": "-", "×": "*", "÷": "/", "…": "..."})


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if "required" in message:
            message = 'please give a formula and its numbers, such as chainrule "(x + y) * z" x=-2 y=5 z=-4'
        raise _BadInput(message)


class _BadInput(Exception):
    """Something is wrong with what was typed; the message is one line."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, or 2 for bad input."""
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return status
    except _BadInput as problem:
        line = " ".join(str(problem).split())
        print(f"chainrule: {line} (chainrule --help shows examples)", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor does anything else reach it at the exit
        return 1


def _run(argv: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(_options_first(argv))
    steps = Path(options.steps) if options.steps is not None else None
    if options.out is None and not steps:
        options.out = "graph.svg"
    out = Path(options.out) if options.out is not None else None
    if out and out.suffix.lower() not in _ENDINGS:
        raise _BadInput(f"--out must end in .svg, .html, .dot, .png or .pdf, but got {options.out!r}")
    if steps and steps.suffix.lower() != ".html":
        raise _BadInput(f"--steps must end in .html, but got {options.steps!r}")
    if not out:
        for option in ("rankdir", "engine", "scale", "no_grad", "local"):
            if getattr(options, option) != parser.get_default(option):
                name = option.replace("_", "-")
                raise _BadInput(f"--{name} is for the picture; please give it a name too, such as --out graph.svg")
    if out and steps and out.resolve() == steps.resolve():
        raise _BadInput(f"--out and --steps are both {options.out}; please give one of them another name")
    root = _graph(options.formula, options.values)
    root.backward()
    for file, option in ((out, "--out"), (steps, "--steps")):
        if file:
            _check_overwrite(file, option, options.force)
    target = out
    try:
        drawing: Drawing = draw_graph(
            root,
            rankdir=options.rankdir,
            theme=options.theme,
            show_grad=not options.no_grad,
            local=options.local,
            fmt=options.fmt,
            engine=options.engine,
        )
        table = drawing.to_text()
        player = step_through(root, theme=options.theme) if steps else None
        if out:
            drawing.save(out, scale=options.scale)
        if player and steps:
            target = steps
            player.save(steps)
    except (EngineError, ImportError, ValueError) as error:
        raise _BadInput(str(error)) from None
    except OSError as error:
        raise _BadInput(f"could not write {target}: {error.strerror or error}") from None
    written = " and ".join(str(file) for file in (out, steps) if file)
    print(_printable(f"{table}\n\nwrote {written}"))
    return 0


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
            if word in _WITH_ARGUMENT:
                options.extend(islice(rest, 1))
        else:
            words.append(word)
    return [*options, "--", *words]


def _printable(text: str) -> str:
    """The text in plainer letters where the terminal, or a file that we are piped into, does not know true ones."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="chainrule",
        description="Draw a formula's computation graph with its values and gradients.",
        epilog=_EXAMPLES.format(functions=", ".join(known_functions())),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("formula", help="numbers, names, + - * / **, brackets and functions such as sigmoid(x)")
    parser.add_argument("values", nargs="*", metavar="name=number", help="a number for every name in the formula")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="the picture; graph.svg if neither this nor --steps is given; also .html .dot .png .pdf",
    )
    parser.add_argument(
        "--steps",
        metavar="FILE",
        help="a page that steps through the forward and the backward pass, such as steps.html",
    )
    parser.add_argument("--theme", choices=THEMES, default="auto", help="colours; auto follows the reader's system")
    parser.add_argument("--rankdir", choices=RANKDIRS, default="LR", help="LR draws it from left to right, and so on")
    parser.add_argument("--engine", choices=ENGINES, default="layered", help="dot needs Graphviz")
    parser.add_argument(
        "--fmt", default=".4g", metavar="SPEC", help="how numbers are written, such as .2f; .4g if not given"
    )
    parser.add_argument(
        "--scale", type=float, default=2.0, metavar="N", help="of a PNG: dots per pixel; 2 if not given"
    )
    parser.add_argument("--no-grad", action="store_true", help="leave the gradients out of the picture")
    parser.add_argument("--local", action="store_true", help="show the local derivative on every wire")
    parser.add_argument("--force", action="store_true", help="write over a file that chainrule did not write")
    parser.add_argument("--version", action="version", version=f"chainrule {__version__}")
    return parser


def _graph(formula: str, assignments: list[str]) -> Value:
    values: dict[str, float] = {}
    for text in assignments:
        name, equals, number = text.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python reads the names in the formula
        if not equals or not name.isidentifier():
            raise _BadInput(f"expected name=number, such as x=-2, but got {text!r}")
        if name in values:
            raise _BadInput(f"{name} was given twice")
        try:
            values[name] = float(number.replace("−", "-"))
        except ValueError:
            raise _BadInput(f"{name} must be a number such as -1.5, but got {number!r}") from None
    try:
        return parse(formula, values)
    except ExpressionError as error:
        shown = error.text if len(error.text) <= 60 else error.text[:57] + "..."
        raise _BadInput(f"{error.message}, at column {error.column + 1} of {shown!r}") from None


def _check_overwrite(out: Path, option: str, force: bool) -> None:
    """Refuse to write over what chainrule did not write."""
    if force or not (out.exists() or out.is_symlink()):
        return
    if not out.is_file():
        raise _BadInput(f"{out} is not a plain file; please give another {option}")
    try:
        content = out.read_bytes()
    except OSError as error:
        raise _BadInput(f"could not read {out}: {error.strerror or error}") from None
    if not any(sign in content for sign in _SIGNS):
        raise _BadInput(f"{out} is there already and was not written by chainrule; --force writes over it")


if __name__ == "__main__":
    sys.exit(main())

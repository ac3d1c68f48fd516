"""What a reader sees of code: its comments, and the strings that are shown.

A string counts as shown where it has words in it: two letters or more, beside a space or a sign of prose, or where it
stands as a title, a label or a printed word. Names of things (``"relu"``, ``"x0"``, keys of a dictionary) are none.
Whether a program in another language is still the same program is asked of Python itself, by `same_program`.

In a program that plots, a string that may become a label stands as ``zh("学习率", "learning rate")``: Matplotlib has no
letters of its own for every language, and the function of that name, `viz.chinese_labels`, takes the words that can be
drawn. What is printed needs no such care.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

SHOWN_BY = {
    "print",
    "set_title",
    "set_xlabel",
    "set_ylabel",
    "title",
    "suptitle",
    "xlabel",
    "ylabel",
    "text",
    "annotate",
}
SHOWN_AS = {"title", "label", "labels", "xlabel", "ylabel", "caption", "titles", "name"}
NEVER_SHOWN = {"loc", "bbox_to_anchor", "cmap", "mode", "end", "sep", "transform", "layout"}
_LITERAL = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')(?P<body>.*)(?P=quote)\Z", re.DOTALL)
_PROSE = re.compile(r"[^\W\d_]{2,}[,.:;!?]?\s+[^\W\d_]|[^\W\d_]{2,}[.:!?](\s|$)")


class Piece(NamedTuple):
    """A message in a source: where it stands, what it says, and how another text is put there."""

    start: int
    end: int
    message: str
    put: Callable[[str], str]


def pieces(source: str, plots: bool = False, language: str = "") -> list[Piece]:
    """The messages of a cell or a program, in the order in which they stand."""
    plain = _without_magics(source)
    found = [*_comments(plain), *_strings(plain, language if plots else "")]
    return sorted(piece for piece in found if re.search(r"[^\W\d_]", piece.message))


def translated(source: str, translate: Callable[[str], str], plots: bool = False, language: str = "") -> str:
    """The source with every message in the words that ``translate`` gives for it.

    With ``plots``, a string that may be a label keeps its English beside it, for ``language(words, english)``.

    Raises:
        ValueError: where the result would be another program, say since a translation lost the slot of an f-string.
    """
    out, end = [], 0
    for piece in pieces(source, plots, language):
        words = translate(piece.message)
        out += [
            source[end : piece.start],
            source[piece.start : piece.end] if words == piece.message else piece.put(words),
        ]
        end = piece.end
    result = "".join([*out, source[end:]])
    if not same_program(source, result, language):
        raise ValueError(f"the translation changes the program, not only its words:\n{result}")
    return result


def same_program(one: str, other: str, language: str = "") -> bool:
    """Whether two sources differ in nothing but comments and the text of strings; slots of f-strings must agree."""
    try:
        return _skeleton(one, language) == _skeleton(other, language)
    except SyntaxError:
        return False


class _Wordless(ast.NodeTransformer):
    """A program without the words of its strings: of an f-string the slots are left, of ``zh(words, english)`` one."""

    def __init__(self, language: str) -> None:
        self.language = language

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        slots: list[Any] = [self.generic_visit(part) for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.JoinedStr(sorted(slots, key=ast.dump))  # another language may want them in another order

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == self.language and len(node.args) == 2:
            words, english = node.args
            if ast.dump(words) == ast.dump(english):
                return english
        return node


def _skeleton(source: str, language: str) -> str:
    tree = _Wordless(language).visit(ast.parse(_without_magics(source)))
    magics = [line.strip() for line in source.splitlines() if _is_magic(line)]
    return ast.dump(tree) + "\n".join(magics)


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!"))


def _without_magics(source: str) -> str:
    """The source with IPython's lines (``%pip install``) as a number and a comment of the same length."""
    return "".join(
        re.sub(r"^(\s*).(.?)", r"\g<1>0#", line, count=1) if _is_magic(line) else line
        for line in source.splitlines(keepends=True)
    )


def comments(source: str) -> Iterator[tuple[int, int]]:
    """Where the words of each comment stand, line by line, without the sign; numbers and lists are printed, and none."""
    starts = _line_starts(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and re.match(r"# *(?!\[|noqa| ).*[^\W\d_]{2}", token.string):
            end = starts[token.end[0] - 1] + token.end[1]
            yield end - len(token.string.lstrip("# ")), end


def _comments(source: str) -> Iterator[Piece]:
    """Comments; those that stand on lines of their own, one beneath another, are one message."""
    starts = _line_starts(source)
    run: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or token.line[: token.start[1]].strip() == "0":
            continue
        alone = not token.line[: token.start[1]].strip()
        if run and not (alone and token.start == (run[-1].start[0] + 1, run[-1].start[1])):
            yield _comment(run, starts)
            run = []
        run.append(token)
        if not alone:
            yield _comment(run, starts)
            run = []
    if run:
        yield _comment(run, starts)


def _comment(run: list[tokenize.TokenInfo], starts: list[int]) -> Piece:
    indent = " " * run[0].start[1]
    message = "\n".join(token.string.lstrip("#").removeprefix(" ") for token in run)

    def put(words: str) -> str:
        return f"\n{indent}".join(f"# {line}".rstrip() for line in words.split("\n"))

    begin = starts[run[0].start[0] - 1] + run[0].start[1]
    return Piece(begin, starts[run[-1].end[0] - 1] + run[-1].end[1], message, put)


def _strings(source: str, language: str) -> Iterator[Piece]:
    lines, starts = source.splitlines(keepends=True), _line_starts(source)

    def place(line: int, column: int) -> int:  # ast counts bytes
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    for node, is_shown, is_label in _texts(ast.parse(source), shown=False, label=True):
        begin = place(node.lineno, node.col_offset)
        end = place(node.end_lineno or 0, node.end_col_offset or 0)
        literal = _LITERAL.match(source[begin:end])
        if literal is None or "b" in literal["prefix"].lower() or _is_joined(source[begin:end]):
            continue
        words = re.sub(r"\{[^{}]*\}", " ", literal["body"]) if "f" in literal["prefix"].lower() else literal["body"]
        if _PROSE.search(words) or (is_shown and re.search(r"[^\W\d_]{3}", words)):
            opening, closing = literal["prefix"] + literal["quote"], literal["quote"]
            if is_label and language:
                opening, closing = f"{language}({opening}", f"{closing}, {source[begin:end]})"
            yield Piece(begin, end, literal["body"], partial(_between, opening, closing))


def _between(opening: str, closing: str, words: str) -> str:
    return opening + words + closing


def _is_joined(text: str) -> bool:
    """Whether it is several literals side by side, which Python joins."""
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(f"({text})").readline)]
    start = getattr(tokenize, "FSTRING_START", None)
    return sum(kind == tokenize.STRING or kind == start for kind in kinds) > 1


def _texts(node: ast.AST, shown: bool, label: bool) -> Iterator[tuple[ast.expr, bool, bool]]:
    """Every string of a program, whether it stands where it is shown, and whether it may be a label of a plot."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node, shown, label  # the slots of an f-string are not entered
        return
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        label = label and name != "print"
        yield from _texts(node.func, False, label)
        for argument in node.args:
            yield from _texts(argument, name in SHOWN_BY, label)
        for keyword in node.keywords:
            if keyword.arg not in NEVER_SHOWN:
                yield from _texts(keyword.value, keyword.arg in SHOWN_AS, label)
        return
    inside = shown and isinstance(node, ast.List | ast.Tuple | ast.IfExp | ast.Starred)
    spoken = isinstance(node, ast.Assert | ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, inside, label and not spoken)


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts

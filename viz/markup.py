"""What every picture is written in: the colours of the two themes, texts and coordinates, and the SVG around them all.

Every id and every style rule is prefixed by a hash of the content, so that several drawings in one page never touch
each other, and the text is the same, byte for byte, on every machine.

A picture goes into slides, too. LibreOffice, for one, follows the rules in an ``@media`` block wherever it is, forgets
those for what stands in a ``<g>``, centres each piece of a text by itself, and knows no ``dominant-baseline``. So what
a picture looks like in the light stands in attributes, where every program finds it. The only rules are those for the
dark: in an ``@media`` block, and behind selectors such as ``[fill="#ffffff"]``, which LibreOffice does not know.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from .lettering import NARROW, Piece, pieces_of, shown_name
from .metrics import FONT, NAME_SIZE, NUMBER_SIZE, TITLE_SIZE, escape, text_width

MARGIN = 18.0
HALF_WAY = 0.35  # of the font size: from the baseline to the middle of digits and capitals

LIGHT = {
    "card": "#ffffff", "edge": "#d8dce2", "ink": "#1f2328", "muted": "#5b6472", "wire": "#7b8491", "gate": "#f1f4f8",
    "rim": "#4b5563", "value": "#00734f", "gradient": "#b84400", "local": "#5b3fa8", "tag": "#e3ebfb",
    "tag-rim": "#8ba3d4", "frame": "#aab3c0", "tint": "#f8f9fb", "bad": "#c1121f", "bad-tint": "#fdecec",
}  # fmt: skip
DARK = {
    "card": "#14181f", "edge": "#2f3743", "ink": "#e6e9ee", "muted": "#a3adbb", "wire": "#8b95a5", "gate": "#232a36",
    "rim": "#a5afbd", "value": "#35c9a0", "gradient": "#ff8f5a", "local": "#c0aaff", "tag": "#26324a",
    "tag-rim": "#5f7cb5", "frame": "#566072", "tint": "#1a1f28", "bad": "#ff6b6b", "bad-tint": "#3a1d20",
}  # fmt: skip
PRINT = {  # black ink on white paper
    **dict.fromkeys(LIGHT, "#000000"), "card": "#ffffff", "gate": "#ffffff", "tag": "#ffffff", "tint": "#ffffff",
    "bad-tint": "#ffffff", "edge": "#ffffff", "muted": "#333333", "frame": "#666666",
}  # fmt: skip
_COLOURS = {"dark": DARK, "print": PRINT}

Rules = Callable[[str, dict[str, str]], str]  # the style sheet for what stands in an element, in the colours of a theme


def document(body: str, width: float, height: float, kind: str, told: tuple[str, str], rules: Rules, theme: str) -> str:
    """An SVG of its own around ``body``; ``told`` is its title, and a description for whoever cannot see it."""
    digest = hashlib.sha256((theme + body).encode()).hexdigest()[:10]
    identity = f"chainrule-{digest}"
    size = f'width="{px(width)}" height="{px(height)}"'
    title, description = told
    colours = _COLOURS.get(theme, LIGHT)
    body = with_attributes(body, rules("", colours))
    style = f"<style>\n{_dark(f'#{identity}', body)}</style>\n" if theme == "auto" else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{identity}" class="{kind}" role="img" '
        f'aria-labelledby="{identity}-title {identity}-desc" {size} '
        f'viewBox="0 0 {px(width)} {px(height)}"{_written({"font-family": FONT} | _TEXTS)} style="max-width:none">\n'
        f'<title id="{identity}-title">{escape(title)}</title>\n'
        f'<desc id="{identity}-desc">{escape(description)}</desc>\n'
        f"{style}{body}</svg>\n"
    )


# what most texts are like, said once; a text that is unlike says so
_TEXTS = {"text-anchor": "middle", "xml:space": "preserve", "font-size": f"{NUMBER_SIZE:g}"}
_TAG = re.compile("<(?:(/)g|(?!title)([a-z]+)([^<>]*))>")  # of those that end something, only a group's
_CLASS = re.compile(" class=[\"']([^\"']*)")
_ATTRIBUTE = re.compile("([\\w:-]+)=[\"']([^\"']*)")
_PIECES = re.compile("<text([^<>]*)>([^<]*<tspan.*?)</text>")
_NAMED = re.compile("<tspan([^<>]*)>([^<>]*)</tspan>([^<>]+)")
_RUN = re.compile('<path class="([a-z -]*)" d="[^"]*"( [^<>]*)/>\n(?:<path class="\\1" d="[^"]*"\\2/>\n)+')


def with_attributes(body: str, rules: str) -> str:
    """The same elements, each with what the rules say of it as attributes, and the texts placed by their baselines.

    A selector is an element's name or class, and may follow the classes of groups around it.
    """
    around: list[str] = []  # the classes of the groups that are open
    told_of = _looks(rules)

    @cache
    def told_of_text(before: str, after: str, *around: str) -> tuple[str, str, float]:
        """The attributes of a text before its place and after it, and how far below its middle its baseline is."""
        given = _attributes(before) | {"x": "", "y": ""} | _attributes(after)
        look, _ = told_of("text", given.get("class", ""), *around)
        attributes = {"text-anchor": "start", **given, **look}
        if own := attributes.pop("style", ""):  # the letters of a number that is too long
            attributes["font-size"] = own.removeprefix("font-size:").removesuffix("px")
        low = HALF_WAY * float(attributes.get("font-size", NUMBER_SIZE))
        written = _written({k: v for k, v in attributes.items() if _TEXTS.get(k) != v})
        before, _, after = written.partition(' x="" y=""')
        return before, after, low

    def painted(tag: re.Match[str]) -> str:
        end, name, rest = tag.groups()
        if end:
            around.pop()
            return tag[0]
        if name == "text":
            before, _, more = rest.partition(' x="')
            x, _, more = more.partition('" y="')
            y, _, after = more.partition('"')
            before, after, low = told_of_text(before, after, *around)
            return f'<text{before} x="{x}" y="{px(float(y) + low)}"{after}>'
        kinds = found[1] if (found := _CLASS.search(rest)) else ""
        if name == "g":
            around.append(kinds)
            return tag[0]
        _, written = told_of(name, kinds, *around)
        if not written:
            return tag[0]
        return f"<{name}{rest[:-1]}{written}/>" if rest[-1:] == "/" else f"<{name}{rest}{written}>"

    body = _TAG.sub(painted, body)
    if "<tspan" in body:
        body = _PIECES.sub(_apart, body)
    # lines of one look, one after the other, say it once
    return _RUN.sub(lambda run: f"<g{run[2]}>\n{run[0].replace(run[2], '')}</g>\n", body)


@lru_cache(maxsize=16)
def _looks(rules: str) -> Callable[..., tuple[dict[str, str], str]]:
    """What a style sheet says of an element, by its name, its classes and those of the groups around it.

    The function gives the declarations, and these as attributes.
    """
    sheet = []
    for rule in rules.splitlines():
        selectors, _, declarations = rule.rstrip("}").partition("{")
        told = dict(d.split(":", 1) for d in declarations.split(";") if d and not d.startswith("font-family"))
        sheet += [(selector.replace(".", "").split(), told) for selector in selectors.split(",")]

    @cache
    def told_of(name: str, kinds: str, *around: str) -> tuple[dict[str, str], str]:
        own, outer = {name, *kinds.split()}, set(" ".join(around).split())
        applying = [told for (*groups, last), told in sheet if last in own and outer.issuperset(groups)]
        look = {k: v.removesuffix("px") for told in applying for k, v in told.items()}
        return look, _written(look)

    return told_of


def _attributes(tag: str) -> dict[str, str]:
    return dict(_ATTRIBUTE.findall(tag))


def _written(attributes: dict[str, str]) -> str:
    return "".join([f' {name}="{value}"' for name, value in attributes.items()])


def _apart(text: re.Match[str]) -> str:
    """A text of several pieces, placed so that no program has to know how wide the pieces are together."""
    whole = _attributes(text[1])
    x, size, anchor = float(whole["x"]), float(whole.get("font-size", NUMBER_SIZE)), whole.get("text-anchor", "middle")
    if anchor == "start":
        return text[0]
    if named := _NAMED.fullmatch(text[2]):  # a text for the name, which ends where that of the number may begin
        name, number = html.unescape(named[2]), html.unescape(named[3])
        wide = text_width(name, size, bold=True), text_width(number, size)
        split = x - wide[1] if anchor == "end" else x + (wide[0] - wide[1]) / 2
        end = px(split - wide[0] + text_width(name.rstrip(), size, bold=True))  # programs differ in how wide spaces are
        before = whole | _attributes(named[1]) | {"x": end, "text-anchor": "end"}
        after = whole if anchor == "end" else whole | {"x": px(split), "text-anchor": "start"}
        return f"<text{_written(before)}>{named[2].rstrip()}</text><text{_written(after)}>{named[3]}</text>"
    width = NARROW * text_width(html.unescape(re.sub("<[^<>]*>", "", text[2])), size)
    whole |= {"x": px(x - width * (1.0 if anchor == "end" else 0.5)), "text-anchor": "start"}
    return f"<text{_written(whole)}>{text[2]}</text>"


def relevant(rules: str, body: str) -> str:
    """Those of the rules that apply to something in ``body``."""
    used = {name for names in re.findall("class=[\"']([^\"']*)", body) for name in names.split()}
    kept = ""
    for rule in rules.splitlines():
        selectors, _, declarations = rule.partition("{")
        needed = [s for s in selectors.split(",") if set(re.findall(r"\.([a-z-]+)", s)) <= used]
        if needed:
            kept += ",".join(needed) + "{" + declarations + "\n"
    return kept


def _dark(identity: str, body: str) -> str:
    """Rules that paint in the dark colours what has the light ones, where the reader's system is dark."""
    pairs = [(paint, part) for part in LIGHT for paint in ("fill", "stroke") if f'{paint}="{LIGHT[part]}"' in body]
    rules = "".join(f'{identity} [{paint}="{LIGHT[part]}"]{{{paint}:{DARK[part]}}}\n' for paint, part in pairs)
    return f"@media (prefers-color-scheme:dark){{\n{rules}}}\n"


def wrap(text: str, width: float) -> list[str]:
    """A note in lines of at most this width, if no word is longer. Chinese breaks after any letter, and never before a
    full stop or a comma."""
    lines = [""]
    for piece in _WORDS.findall(text):
        if lines[-1].strip() and text_width((lines[-1] + piece).strip(), TITLE_SIZE) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


_CHINESE = r"\u3000-\u9fff\uff00-\uffef"
_WORDS = re.compile(rf"[{_CHINESE}][，。；：！？、）”]*|[^\s{_CHINESE}]+[，。；：！？、）”]*|\s+")


def text_at(kind: str, x: float, y: float, text: str, *, anchor: str = "", style: str = "") -> str:
    """A text of one line; ``kind`` is its class, and x, y its beginning (or what the anchor says), half-way up."""
    where = (f' text-anchor="{anchor}"' if anchor else "") + style
    return f'<text class="{kind}" x="{px(x)}" y="{px(y)}"{where}>{escape(text)}</text>\n'


def line_at(kind: str, x: float, y: float, spans: Sequence[Sequence[str | float]], *, style: str = "") -> str:
    """A line of several pieces from x on, each of them moved to the right and down from where the one before ended."""
    text = ""
    for piece, *look in spans:
        told = zip(("dx", "dy", "font-size"), map(float, look), strict=False)
        attributes = "".join(f' {key}="{px(value)}"' for key, value in told if value)
        text += f"<tspan{attributes}>{escape(str(piece))}</tspan>" if attributes else escape(str(piece))
    return f'<text class="{kind}" x="{px(x)}" y="{px(y)}"{style}>{text}</text>\n'


def name_at(x: float, y: float, name: str, *, anchor: str = "start") -> str:
    """A name, set as mathematics if it is such a name; x, y as in `text_at`."""
    pieces, letter, after = pieces_of(name, NAME_SIZE)
    if not pieces:
        return text_at("name", x, y, shown_name(name), anchor=anchor if anchor != "start" else "")
    end = x + {"start": letter, "middle": (letter - after) / 2, "end": -after}[anchor]
    return pieces_at("name", end, y, pieces)


def pieces_at(kind: str, x: float, y: float, pieces: Sequence[Piece]) -> str:
    """The pieces of a name whose letter ends at x, and stands half-way up at y; ``kind`` is "name" or "value label"."""
    low = HALF_WAY * pieces[0].size  # from the middle of the letter to the line, and from there to that of a piece
    return "".join(
        text_at(kind if piece.size == pieces[0].size else f"{kind} {kind.split()[-1]}-script", x + piece.right,
                y + low + piece.below - HALF_WAY * piece.size, piece.text, anchor=piece.anchor)
        for piece in pieces
    )  # fmt: skip


def card(width: float, height: float, background: str = "card") -> str:
    """The paper that all stands on: that of the theme, none, or one of another colour."""
    if background == "none":
        return ""
    paper = rectangle("card" if background == "card" else "paper", 0.5, 0.5, width - 1, height - 1, 10)
    return paper if background == "card" else paper.replace("/>", f' fill="{background}"/>')


def theme_on(background: str, theme: str) -> str:
    """The theme, but on a paper of a colour of its own "auto" is decided: what can be read there is light or dark."""
    if theme != "auto" or not background.startswith("#"):
        return theme
    wide = (len(background) - 1) // 3
    red, green, blue = (int((background[1:][k * wide : (k + 1) * wide] * 2)[:2], 16) for k in range(3))
    return "light" if 0.3 * red + 0.59 * green + 0.11 * blue >= 128 else "dark"


def rectangle(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    """A rectangle with round corners; ``kind`` is its class, and x, y its upper left corner."""
    size = f'width="{px(width)}" height="{px(height)}" rx="{px(radius)}"'
    return f'<rect class="{kind}" x="{px(x)}" y="{px(y)}" {size}/>\n'


def px(x: float) -> str:
    """A coordinate: at most one decimal, and no trailing zero."""
    text = f"{x:.1f}"
    return text[:-2] if text[-1] == "0" else text


def points(*places: Sequence[float]) -> str:
    """Places in a path, their coordinates as `px` writes them."""
    text = "".join([f"{x:.1f},{y:.1f} " for x, y in places])  # half the time of six calls for a curve
    return text.replace(".0,", ",").replace(".0 ", " ")[:-1]

"""`Player`: frames on one picture, shown one after the other: on a page, in a notebook, or as steps to be opened."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from autograd import BackwardStep, ForwardStep
from autograd.files import write_whole
from autograd.messages import messages

from ..graph.diagram import count
from ..lettering import caption_in_html
from ..markup import DARK, LIGHT
from ..metrics import clip, printable
from ..mistakes import Taught, explained, shown_by
from ..picture import Picture
from ..raster import to_gif
from . import page as pages
from .stage import Backdrop

PICTURES = 97_000  # bytes of images in a notebook, about

_SAID = "previous next play pause a-step pass-forward pass-backward place then steps-no-script".split()

Step = ForwardStep | BackwardStep


@dataclass(frozen=True, eq=False)
class Frame(Picture):
    """One picture of a `Player`, and what is said about it. It shows itself in a notebook; `save` writes a file.

    ``kind`` is "graph" (the picture before the first step), "forward", "seed" (∂f/∂f = 1) or "backward", and "place"
    for the window of `step_maps`. ``steps`` are the events of `forward_steps` or `backward_steps` that it shows: one,
    or those of a layer.
    """

    kind: str
    title: str
    text: str
    words: str
    latex: str = field(default="", repr=False)
    note: str = ""  # the local derivative's formula, and the sum of several contributions
    steps: tuple[Step, ...] = field(default=(), repr=False)
    lights: str = field(default="", repr=False)
    changes: dict[int, str] = field(default_factory=dict, repr=False)  # part -> its numbers from now on
    names: tuple[str, ...] = ()  # of the nodes that the captions speak of
    _before: Frame | None = field(default=None, repr=False)
    _backdrop: Backdrop | None = field(default=None, repr=False)
    _theme: str = field(default="auto", repr=False)
    _title: str = field(default="", init=False, repr=False)

    _to_see = shown_by("frame", "step.html")
    _to_write = ".save('step.svg') writes it"

    def __post_init__(self) -> None:
        object.__setattr__(self, "_title", f"{self.title}: {_tidy(self.text)}")

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: all that is shown, without ``steps``, whose nodes are a whole graph."""
        return {**vars(self), "steps": ()}

    def captions(self, *, fractions: bool = True) -> tuple[str, str, str]:
        """``text``, ``words`` and ``note`` as HTML, with names set as mathematics.

        With ``fractions`` the text has derivatives as fractions, and a line break before each equals sign: there it may
        be broken where it has no room in one line.
        """
        names = [_tidy(name) for name in self.names]
        sides = [caption_in_html(side, names, fractions=fractions) for side in _tidy(self.text).split(" = ")]
        words, note = (caption_in_html(_tidy(told), names) for told in (self.words, self.note))
        return ("\n= " if fractions else " = ").join(sides), words, note

    @property
    def svg(self) -> str:
        """The picture, as SVG text of its own. A page that has many of them is smaller with `image`."""
        return self._painted(self._theme)

    def _painted(self, theme: str) -> str:
        assert self._backdrop is not None
        return self._backdrop.picture(self._shown(), self.lights, (self._title, _tidy(self.words)), theme)

    def _fixed_theme(self) -> str:
        return self._painted("dark" if self._theme == "dark" else "light")

    def _shown(self) -> list[str]:
        """The numbers of all parts as they are now."""
        shown: dict[int, str] = {}
        frame: Frame | None = self
        while frame is not None:  # back to when each part was changed last
            shown = {**frame.changes, **shown}
            frame = frame._before
        return [shown[i] for i in sorted(shown)]

    def image(self) -> str:
        """The picture in fewer bytes, for an image in a page."""
        assert self._backdrop is not None
        return self._backdrop.image(self._shown(), self.lights, self._theme)


class Player(Taught):
    """Steps as they were when they were taken, its ``frames``. It shows itself in a notebook; `save` writes a page."""

    _to_see = shown_by("player", "steps.html")
    _to_write = ".save('steps.html') writes a page, .save('steps.gif') a film, and player.frames[0] is one picture"
    _instead: ClassVar = {
        "svg": "each frame has a picture, such as player.frames[0].svg",
        "html": ".to_html() is the page",
    }

    def __init__(
        self,
        frames: Iterable[Frame],
        backdrop: Backdrop,
        theme: str,
        *,
        title: str,
        note: str = "",
        shown: str = "picture",
        lang: str = "en",
    ) -> None:
        self.frames: tuple[Frame, ...] = tuple(frames)
        self._backdrop, self._theme, self._title, self._note, self._shown = backdrop, theme, title, note, shown
        self._lang, self._said = lang, messages(lang)

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f"<Player of {count(len(self), 'frame', 'frames')}; .save('steps.html') writes it to a file>"

    @explained
    def save(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> Path:
        """Write the player to a file; the ending says how.

        As .html it is one page, which needs nothing else: no other file, no network. As .gif the frames follow each
        other by themselves. As .svg, .png or .pdf each frame is a file: steps-00.svg, steps-01.svg, ... for
        "steps.svg"; what is returned is then the path of the first.

        Each file is written whole or not at all. GIF, PNG and PDF need the extra ``chainrule[png]``.

        Args:
            path: where to.
            scale: of a GIF or PNG, how many dots per pixel.

        Raises:
            ValueError: for another ending.
            ImportError: for .gif, .png and .pdf without the extra.
            OSError: if a file cannot be written.
        """
        target = Path(path)
        kind = target.suffix.lower()
        if kind in (".html", ".htm"):
            files = {target: self.to_html().encode()}
        elif kind == ".gif":
            paper = (DARK if self._theme == "dark" else LIGHT)["card"]
            files = {target: to_gif([frame._fixed_theme() for frame in self.frames], paper, scale)}
        elif kind in (".svg", ".png", ".pdf"):
            digits = len(str(len(self) - 1))
            named = {target.with_stem(f"{target.stem}-{k:0{digits}}"): frame for k, frame in enumerate(self.frames)}
            files = {name: frame._kinds(scale)[kind]() for name, frame in named.items()}
        else:
            raise ValueError(
                "the file's ending must be .html for a page, .gif for a film, or .svg, .png or .pdf for a file of each "
                f"frame, but got {target.name!r}"
            )
        for name, content in files.items():
            write_whole(name, content)
        return next(iter(files))

    def to_html(self, *, page: bool = True) -> str:
        """The player as HTML: a whole page, or with ``page=False`` a piece to be put into a page of one's own.

        The piece has the frames as steps that can be opened, too, for where its script is not run.
        """
        if not page:
            return pages.piece(self._data(), self._backdrop.rules, self._theme, fallback=self._expandable())
        piece = pages.piece(self._data(), self._backdrop.rules, self._theme)
        return pages.page(piece, self._heading, self._theme, self._lang)

    def _repr_html_(self) -> str:
        return self.to_html(page=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: a player where scripts may run, and the same frames as steps to be opened where not."""
        return {"text/html": self.to_html(page=False), "text/plain": repr(self)}

    @property
    def _heading(self) -> str:
        return self._said["page-steps"].format(title=self._title)

    def _captions(self, frame: Frame, *, fractions: bool = True) -> tuple[str, str, str]:
        """The captions of a frame as HTML, the words and the note with their full stops."""
        text, *told = frame.captions(fractions=fractions)
        words, note = (self._said["sentence"].format(text=one) if one else "" for one in told)
        return text, words, note

    def _data(self) -> dict[str, Any]:
        """What the page's script needs: the still picture, and what changes with each frame."""
        return {
            "title": self._title,
            "note": self._note,
            "heading": self._heading,
            "shown": self._said[self._shown],
            "messages": {key: self._said[key] for key in _SAID},
            "width": round(self._backdrop.width),
            "height": round(self._backdrop.height),
            "still": self._backdrop.on_a_page,
            "parts": 1 + max(i for f in self.frames for i in f.changes),
            "frames": [[f.kind, f.title, *self._captions(f), f.lights, f.changes] for f in self.frames],
        }

    def _expandable(self) -> str:
        """The frames as steps that open without a script. If they are many and large, not each has its picture."""
        last = len(self.frames) - 1
        kept = max(2, PICTURES // len(pages.image(self.frames[-1].image()).encode()))
        shown = set(range(last + 1) if kept > last else [round(k * last / (kept - 1)) for k in range(kept)])
        few = self._said["few-pictures"].format(n=kept)
        told = " ".join(filter(None, [self._note, few if kept <= last else ""]))
        steps = [f"<p>{_escape(told)}</p>\n"] if told else []
        for k, frame in enumerate(self.frames):
            picture = ""
            if k in shown:
                fits = "max-width:100%;height:auto"
                picture = f'<img alt="{_escape(frame.title)}" style="{fits}" src="{pages.image(frame.image())}">'
            steps.append(pages.step(frame.title, *self._captions(frame, fractions=False), picture, is_open=k == 0))
        return "".join(steps)

    def _listed(self) -> str:
        """What is said of the frames, as two lists that open without a script."""
        told = f"<p>{_escape(self._note)}</p>\n" if self._note else ""
        for name, kinds in (("pass-forward", ("graph", "forward")), ("pass-backward", ("seed", "backward"))):
            lines = ""
            for frame in self.frames:
                if frame.kind in kinds:
                    text, words, note = self._captions(frame, fractions=False)
                    lines += f"<li>{text}" + "".join(f"<p>{more}" for more in (words, note) if more)
            if lines:  # HTML needs no </li> and no </p>
                told += f"<details open><summary>{_escape(self._said[name])}</summary><ol>{lines}</ol></details>\n"
        return told


def _tidy(text: str) -> str:
    return clip(" ".join(printable(text).split()), 600)


def _escape(text: str) -> str:
    return html.escape(printable(text))

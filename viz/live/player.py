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

from ..graph.diagram import count
from ..metrics import clip, printable
from ..mistakes import Taught, explained, shown_by
from . import page as pages
from .stage import Backdrop

PICTURES = 112_000  # bytes of images in a notebook, about

Step = ForwardStep | BackwardStep


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a `Player`, and what is said about it.

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
    _before: Frame | None = field(default=None, repr=False)
    _backdrop: Backdrop | None = field(default=None, repr=False)
    _theme: str = field(default="auto", repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: all that is shown, without ``steps``, whose nodes are a whole graph."""
        return {**vars(self), "steps": ()}

    @property
    def svg(self) -> str:
        """The picture, as SVG text of its own."""
        assert self._backdrop is not None
        shown: dict[int, str] = {}
        frame: Frame | None = self
        while frame is not None:  # back to when each part was changed last
            shown = {**frame.changes, **shown}
            frame = frame._before
        return self._backdrop.picture([shown[i] for i in sorted(shown)], self.lights, self._theme)


class Player(Taught):
    """Steps as they were when they were taken, its ``frames``. It shows itself in a notebook; `save` writes a page."""

    _to_see = shown_by("player", "steps.html")
    _to_write = ".save('steps.html') writes a page, and player.frames[0].svg is one picture"
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
        shown: str = "graph",
    ) -> None:
        self.frames: tuple[Frame, ...] = tuple(frames)
        self._backdrop, self._theme, self._title, self._note, self._shown = backdrop, theme, title, note, shown

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f"<Player of {count(len(self), 'frame', 'frames')}; .save('steps.html') writes it to a file>"

    @explained
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the player as one page, which needs nothing else: no other file, no network.

        The file is written whole or not at all.

        Raises:
            ValueError: for another ending than .html.
            OSError: if the file cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(
                f"a player is a page: the file's ending must be .html, but got {target.name!r}; "
                "draw_graph and draw_maps make single pictures"
            )
        write_whole(target, self.to_html().encode())
        return target

    def to_html(self, *, page: bool = True) -> str:
        """The player as HTML: a whole page, or with ``page=False`` a piece to be put into a page of one's own."""
        piece = pages.piece(self._data(), self._backdrop.rules, self._theme)
        return pages.page(piece, self._title, self._theme) if page else piece

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: a player where scripts may run, and the same frames as steps to be opened where not."""
        piece = pages.piece(self._data(), self._backdrop.rules, self._theme, fallback=self._expandable())
        return {"text/html": piece, "text/plain": repr(self)}

    def _data(self) -> dict[str, Any]:
        """What the page's script needs: the still picture, and what changes with each frame."""
        return {
            "title": self._title,
            "note": self._note,
            "shown": f"The {self._shown}",
            "width": round(self._backdrop.width),
            "height": round(self._backdrop.height),
            "still": self._backdrop.still,
            "parts": 1 + max(i for f in self.frames for i in f.changes),
            "frames": [
                [f.kind, f.title, _tidy(f.text), _tidy(f.words), _tidy(f.note), f.lights, f.changes]
                for f in self.frames
            ],
        }

    def _expandable(self, pictures: int | None = None) -> str:
        """The frames as steps that open without a script. If they are many and large, not each has its picture."""
        last = len(self.frames) - 1
        kept = max(2, PICTURES // len(pages.image(self.frames[-1].svg).encode()))
        if pictures == 0:
            kept = last + 1
        shown = (
            set()
            if pictures == 0
            else {round(k * last / (kept - 1)) for k in range(kept)}
            if kept <= last
            else set(range(last + 1))
        )
        few = f"Only {kept} of the steps have their picture here. Run the cell to see a player with all of them."
        told = " ".join(filter(None, [self._note, few if kept <= last else ""]))
        steps = [f"<p>{_escape(told)}</p>\n"] if told else []
        for k, frame in enumerate(self.frames):
            picture = ""
            if k in shown:
                picture = f'<img alt="{_escape(frame.title)}" style="max-width:none" src="{pages.image(frame.svg)}">'
            text, words, note = _tidy(frame.text), _tidy(frame.words), _tidy(frame.note)
            steps.append(pages.step(frame.title, text, words, note, picture, is_open=k == 0))
        return "".join(steps)


def _tidy(text: str) -> str:
    return clip(" ".join(printable(text).split()), 600)


def _escape(text: str) -> str:
    return html.escape(printable(text))

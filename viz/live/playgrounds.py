"""`playground`: a page in which a model is trained, and everybody watches.

The page trains by itself, with no Python behind it: the loss of one example goes there as a program of loops
(`autograd.compiler.backends.javascript`), the optimisers as their rules (`training`), and what goes round them is
web/playground-training.js. Its losses are those of `nn.fit` with the same seed, epoch by epoch.
"""

from __future__ import annotations

import colorsys
import hashlib
import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.compiler.backends.javascript import JavaScript
from autograd.messages import language

from ..checks import THEMES, at_least, one_of
from ..markup import DARK, LIGHT
from ..metrics import FONT
from ..mistakes import explained, shown_by
from . import languages, scripts
from . import page as pages
from .training import Examples, border, compiled, examples_of, names_of, optimizers_of, rule_text
from .units import Units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.compiler.compiled import Compiled

MOST_TILES = 64  # small pictures of the units of a layer
MOST_BYTES = 1_000_000  # of the programs of one page
# of the classes, the lower of two first; and of what lies below and above 0
CLASSES = {
    "light": "#d55e00 #0072b2 #009e73 #b0568b #8a6d00 #2f8fc4 #6b5bd2 #7a4a2b #5b6472 #c1121f".split(),
    "dark": "#ff9a57 #58b4f0 #35c9a0 #e6a3c8 #d9b84a #8fd0ff #b3a6ff #d6a17c #a3adbb #ff6b6b".split(),
}
_SIDE = 40  # squares along each side of the still picture
_LEVELS = 6  # of its colours


class Playground(pages.LivePage):
    """A model in training, as a page. It shows itself in a notebook; `save` writes the page."""

    _to_see = shown_by("playground", "playground.html")
    _to_write = ".save('playground.html') writes a page"
    _only_a_page = "a playground is a page: the file's ending must be .html, but got {name}"

    def __init__(self, task: _Task, title: str, theme: str, lang: str) -> None:
        self._task, self._title, self._theme, self._lang = task, title, theme, lang
        size = len(task.script.encode())
        if size > MOST_BYTES:
            groups = len(task.step.groups)
            raise ValueError(
                f"the program of this model is {size / 1e6:.1f} MB long, and a page takes {MOST_BYTES / 1e6:.0f} MB: "
                f"its {groups:,} operations repeat too little to become loops. Fewer layers, steps of time or "
                "irregular connections make it shorter; the width of a layer costs nothing"
            )

    def __repr__(self) -> str:
        return f"<Playground: {self._task.told}; .save('playground.html') writes it to a file>"

    def to_html(self, *, page: bool = True) -> str:
        """The playground as HTML: a whole page, or with ``page=False`` a piece to be put into a page of one's own."""
        piece = self._piece()
        if not page:
            return piece
        return pages.page(piece, self._title, self._theme, self._lang)

    def _piece(self) -> str:
        data = pages.as_json(self._task.data())
        key = hashlib.sha256((data + self._task.script).encode()).hexdigest()[:10]
        script = scripts.program(key, scripts.words(self._task.script) + self._task.script, "playground.js")
        told = f"{self._task.told}. {self._task.words['no-script']}"
        picture = (
            f'<p>{html.escape(told)}</p><img alt="{html.escape(self._title)}" style="max-width:100%" '
            f'src="{pages.image(self._task.still(self._theme))}">'
        )
        attributes = f'class="{pages.ROOT} cr-playground" data-chainrule-playground="{key}"'
        return pages.framed(attributes, self._theme, _stylesheet(len(self._task.labels)), picture, data, script)


@explained
def playground(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Callable[[Any, Any], Any],
    optimizer: Any,
    batch_size: int | None = 10,
    seed: int = 0,
    names: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    title: str | None = None,
    theme: str = "auto",
    lang: str | None = None,
) -> Playground:
    """A page in which a model is trained: play, pause, step, and watch what each of its units sees.

    With examples of two numbers the page shows what the model says in the whole plane; with examples of one number,
    the curve that it fits; else the loss, and the accuracy of a classifier. There is the network with its weights, the
    course of the loss, the learning rate, the size of the batches and the choice of an optimiser, and a click adds an
    example. Training is that of ``nn.fit(model, X, y, loss=loss, optimizer=optimizer, batch_size=batch_size,
    seed=seed)``, to rounding: the examples are shuffled alike. The model itself is not changed.

    Args:
        model: called with one example, as a list of numbers, and compiled (`autograd.compile`); with ``parameters()``
            or without: those that its outputs depend on are trained.
        X: the n examples, rows of numbers, or nested further; a flat list is n examples of one number.
        y: n targets: classes (whole numbers), numbers, or lists of numbers.
        loss: a function of the outputs for one example and its target, such as ``nn.losses.binary_cross_entropy``.
        optimizer: an object with a rule in plain arithmetic, such as ``nn.SGD(lr=0.1)``; or a list of them, to choose
            from on the page.
        batch_size: examples per step; None for all.
        seed: for shuffling.
        names: of the inputs; x₁, x₂, … if not given.
        labels: what the classes are called, in order.
        title: of the page; "A network in training" if not given.
        theme: "light", "dark", or "auto" for the reader's system.
        lang: the language of the page's words, ``en`` or ``zh``; by default that of ``CHAINRULE_LANG``.

    Raises:
        TracingError: with the compiler's reason, if the model or the loss does not compile.
        ValueError: for data or settings that do not fit, an optimiser that a page cannot run, or a model whose program
            would be longer than 1 MB: one that does not repeat itself, as layers and time steps do.
        TypeError: for what is no model, loss or optimiser.
    """
    one_of("theme", theme, THEMES)
    if not callable(model):
        raise TypeError(
            f"a playground needs a model that can be called with an example, but got {type(model).__name__}"
        )
    if not callable(loss):
        raise TypeError(
            f"a loss is a function of the outputs and the target, such as nn.losses.cross_entropy, but got {loss!r:.60}"
        )
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be a whole number, but got {seed!r:.60}")
    if abs(seed) >= 2**53:
        raise ValueError(f"a page counts up to 2**53, so seed must be smaller, but got {seed!r:.60}")
    optimizers = optimizers_of(optimizer)
    examples = examples_of(X, y)
    if batch_size is not None:
        at_least(1, "batch_size", batch_size)
    outputs, step, rows, examples = compiled(model, loss, examples)
    size = min(batch_size or len(rows), len(rows))
    task = _Task(examples, rows, outputs, step, loss, optimizers, size, seed, language(lang), title)
    task.names = _told(names, len(examples.flat[0]), "names", "inputs") or task.names
    task.labels = _told(labels, len(task.labels), "labels", "classes") or task.labels
    return Playground(task, task.said["title"], theme, language(lang))


def _told(given: Sequence[str] | None, count: int, option: str, what: str) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != count:
        raise ValueError(f"{option} must be a list with a name for each of the {count} {what}, but got {given!r:.80}")
    return [str(name) for name in given]


def _said(lang: str, title: str | None) -> dict[str, Any]:
    """The words of a page, in its language and in the other one."""
    ours, said = "playground-", languages.both(lang)
    for one in (said, said["other"]):
        one["messages"] = {k.removeprefix(ours): text for k, text in one["messages"].items() if k.startswith(ours)}
        one["title"] = one["messages"].pop("title") if title is None else title
    said["other"]["messages"] = list(said["other"]["messages"].values())
    return said


class _Task:
    """What a page has to know: the numbers as data, and the programs as a script."""

    def __init__(
        self,
        examples: Examples,
        rows: list[list[float]],
        outputs: Compiled[Any],
        step: Compiled[Any],
        loss: Any,
        optimizers: list[Any],
        size: int,
        seed: int,
        lang: str,
        title: str | None,
    ) -> None:
        self.said = _said(lang, title)
        self.words: dict[str, str] = self.said["messages"]
        self.examples, self.rows, self.outputs, self.step = examples, rows, outputs, step
        self.optimizers, self.size, self.seed = optimizers, size, seed
        program, model = JavaScript(step.plan), JavaScript(outputs.plan)
        self.units = Units(outputs.plan, model.memory)
        self.count = len(model.memory.outputs)
        width = len(examples.flat[0])
        self.names = [f"x{_lowered(k + 1)}" for k in range(width)] if width > 1 else ["x"]
        classes, self.labels = examples.classes, list[str]()
        self.style = "number" if self.count == 1 and examples.shown is not None else "none"
        if self.count == 1 and len(classes) == 2 and width != 1:
            self.style, self.labels = "two", [str(c) for c in classes]
        elif self.count > 1 and classes:
            self.style, self.labels = "many", [str(k) for k in range(self.count)]
        self.kind = {1: "line", 2: "plane"}.get(width, "other") if self.style != "none" else "other"
        if self.kind == "line" and self.style != "number":
            self.kind = "other"
        self.border = (0.0, 1.0)
        if self.style == "two":
            in_lists = isinstance(examples.targets[0], list)
            self.border = border(lambda s, c: loss(s, [float(c)] if in_lists else c), classes)
        rules = ",\n".join(map(rule_text, optimizers))
        texts = [f"(function () {{\n{one.source}}})()" for one in (program, model)]
        self.script = f"const PROGRAMS = {{ loss: {texts[0]}, model: {texts[1]}, rules: [{rules}] }};\n"
        self.moved = [_moved(optimizer, step) for optimizer in optimizers]

    @property
    def told(self) -> str:
        """In words."""
        shape = " → ".join(str(len(layer)) for layer in self.units.layers)
        parameters, examples = f"{len(self.step.parameters):,}", f"{len(self.rows):,}"
        return self.words["told"].format(shape=shape, parameters=parameters, examples=examples)

    @property
    def shown(self) -> list[float] | None:
        """For each example the place of its class, or its number."""
        examples = self.examples
        if self.style == "many" and not isinstance(examples.classes[0], list):
            return examples.numbers
        return examples.numbers if self.style == "number" else examples.shown

    def data(self) -> dict[str, Any]:
        """What the page's script needs; see `Data` in playground.js."""
        place = {p: k for k, p in enumerate(self.step.parameters)}
        shown = self.shown
        if self.style == "many":
            targets: list[Any] = [[float(j == k) for j in range(self.count)] for k in range(self.count)]
        else:
            targets = [self.rows[shown.index(k)] if shown and k in shown else None for k in range(len(self.labels))]
        return {
            "kind": self.kind,
            "style": self.style,
            "names": self.names,
            "labels": self.labels,
            "X": self.examples.flat,
            "T": self.rows,
            "shown": shown,
            "targets": targets,
            "box": _box(self.examples.flat, shown) if self.kind != "other" else None,
            "border": self.border,
            "theta": self.step.theta.tolist(),
            "model": [place.get(p, -1) for p in self.outputs.parameters],
            "own": self.outputs.theta.tolist(),
            "optimizers": [
                {
                    "name": name,
                    "rate": float(o.lr),
                    "starts": list(o.memory_starts.values()),
                    "clip": getattr(o, "clip_norm", None),
                    "moved": moved,
                }
                for o, name, moved in zip(self.optimizers, names_of(self.optimizers), self.moved, strict=True)
            ],
            "size": self.size,
            "seed": self.seed,
            "network": self.units.data() if self.units.few else None,
            "layers": self._layers(),
            **self.said,
        }

    def _layers(self) -> list[dict[str, Any]]:
        """The network in short.

        Of one that is not drawn whole also where its units are; and, if the inputs are a square, what each unit of the
        first layer weighs them with.
        """
        layers = self.units.layers
        result: list[dict[str, Any]] = []
        for k, layer in enumerate(layers):
            weights = sum(len(u.weights) for u in layer)
            result.append({"units": len(layer), "name": layer[0].name if layer else "", "weights": weights})
            if k and self.kind != "other" and not self.units.few:
                result[-1]["at"] = [u.at for u in layer[:MOST_TILES]]
            side = round(len(layers[0]) ** 0.5)
            square = k == 1 and side * side == len(layers[0]) and side >= 4 and len(layer) <= MOST_TILES
            if square and all([s for s, _ in u.weights] == [*range(side * side)] for u in layer):
                result[-1]["tiles"] = [[at for _, at in u.weights] for u in layer]
        return result

    def still(self, theme: str) -> str:
        """The beginning as an SVG: the examples, and what the model says of the plane, or of the line."""
        picture = _Still(self)
        return picture.svg(theme)


def _moved(optimizer: Any, step: Compiled[Any]) -> list[int] | None:
    """The places of the parameters that an optimiser was bound to; None if it moves all of them."""
    bound = set(optimizer.parameters)
    if not bound:
        return None
    places = [k for k, p in enumerate(step.parameters) if p in bound]
    if not places:
        raise ValueError(f"this {type(optimizer).__name__} is bound to the parameters of another model; make a new one")
    return None if len(places) == len(step.parameters) else places


def _lowered(k: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(c)] for c in str(k))


def _box(X: list[list[float]], shown: list[float] | None) -> list[list[float]]:
    """From where to where the picture goes, across and up: the examples with some room around."""
    columns = [[x[0] for x in X], [x[1] for x in X] if len(X[0]) > 1 else shown or [0.0]]
    sides = []
    for column in columns:
        low, high = min(column), max(column)
        room = 0.14 * (high - low) or 1.0
        sides.append([low - room, high + room])
    return sides


class _Still:
    """The picture for where no script runs."""

    SIZE, ROOM = 400.0, 40.0

    def __init__(self, task: _Task) -> None:
        self.task = task
        self.box = _box(task.examples.flat, task.shown) if task.kind != "other" else None

    def svg(self, theme: str) -> str:
        size, room = self.SIZE, self.ROOM
        body = {"plane": self._plane, "line": self._line, "other": self._other}[self.task.kind]()
        count = max(2, len(self.task.labels))
        colours = {theme: {f"k{k}": colour(k, theme) for k in range(count)} for theme in CLASSES}
        light, dark = ({**base, **colours[name]} for base, name in ((LIGHT, "light"), (DARK, "dark")))

        def style(colour: dict[str, str]) -> str:
            classes = "".join(f".k{k}{{fill:{colour[f'k{k}']}}}" for k in range(count))
            return (
                f".card{{fill:{colour['card']};stroke:{colour['edge']}}}.fit{{stroke:{colour['k1']};fill:none}}"
                f"text{{fill:{colour['muted']};font:13px {FONT};text-anchor:middle}}"
                f".at{{stroke:{colour['card']}}}{classes}"
            )

        rules = {"light": style(light), "dark": style(dark)}.get(theme) or (
            f"{style(light)}@media (prefers-color-scheme:dark){{{style(dark)}}}"
        )
        whole = size + 2 * room
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:g}" height="{whole:g}" '
            f'viewBox="{-room:g} {-room:g} {whole:g} {whole:g}"><style>{rules}</style>'
            f'<rect class="card" x="{0.5 - room}" y="{0.5 - room}" '
            f'width="{whole - 1:g}" height="{whole - 1:g}" rx="10"/>{body}</svg>'
        )

    def _at(self, x: float, y: float) -> tuple[float, float]:
        assert self.box is not None
        (left, right), (low, high) = self.box
        return self.SIZE * (x - left) / (right - left), self.SIZE * (high - y) / (high - low)

    def _plane(self) -> str:
        import numpy as np

        assert self.box is not None
        (left, right), (low, high) = self.box
        across = np.linspace(left, right, _SIDE, endpoint=False) + (right - left) / (2 * _SIDE)
        up = np.linspace(high, low, _SIDE, endpoint=False) - (high - low) / (2 * _SIDE)
        grid = np.stack([a.ravel() for a in np.meshgrid(across, up)], 1)
        shades = self._shades(self.task.outputs.outputs(grid).reshape(_SIDE * _SIDE, -1)).reshape(_SIDE, _SIDE, 2)
        cell, parts = self.SIZE / _SIDE, []
        for row in range(_SIDE):
            start = 0
            for column in range(1, _SIDE + 1):  # neighbours of one colour are one rectangle
                if column == _SIDE or (shades[row, column] != shades[row, start]).any():
                    k, level = shades[row, start].tolist()
                    if level:
                        parts.append(
                            f'<rect class="k{k}" x="{start * cell:g}" y="{row * cell:g}" '
                            f'width="{(column - start) * cell:g}" height="{cell:g}" '
                            f'fill-opacity="{0.1 + 0.4 * level / _LEVELS:.2g}"/>'
                        )
                    start = column
        return "".join(parts) + self._points() + self._names()

    def _shades(self, found: NDArray[Any]) -> NDArray[Any]:
        """For each place of the plane the class that wins, and how clearly, in levels."""
        import numpy as np

        found = np.nan_to_num(found)
        if self.task.count > 1:
            ordered = np.sort(found, 1)
            which, lead = found.argmax(1), ordered[:, -1] - ordered[:, -2]
        else:
            at, steep = self.task.border
            lead = (found[:, 0] - at) * steep
            which, lead = (lead > 0).astype(int), abs(lead)
        return np.stack([which, np.ceil(np.tanh(lead) * _LEVELS).astype(int)], 1)

    def _line(self) -> str:
        import numpy as np

        assert self.box is not None
        across = np.linspace(self.box[0][0], self.box[0][1], 121)
        found = np.nan_to_num(self.task.outputs.outputs(across[:, None]).reshape(-1))
        places = [self._at(x, min(max(y, self.box[1][0]), self.box[1][1])) for x, y in zip(across, found, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        return f'{self._points()}<polyline class="fit" stroke-width="3" points="{line}"/>{self._names()}'

    def _other(self) -> str:
        middle, lines = self.SIZE / 2, self.task.told.split(", ")
        texts = [
            f'<text x="{middle:g}" y="{middle + 22 * k:g}">{html.escape(line)}</text>' for k, line in enumerate(lines)
        ]
        return "".join(texts)

    def _points(self) -> str:
        task, parts = self.task, []
        for x, shown in zip(task.examples.flat, task.shown or [], strict=True):
            u, v = self._at(x[0], shown if task.kind == "line" else x[1])
            k = int(shown) if task.labels else int(shown > 0 and task.kind == "plane")
            if k and task.labels:  # not by colour alone
                parts.append(f'<rect class="k{k} at" x="{u - 3.6:.1f}" y="{v - 3.6:.1f}" width="7.2" height="7.2"/>')
            else:
                parts.append(f'<circle class="k{k} at" cx="{u:.1f}" cy="{v:.1f}" r="4"/>')
        return "".join(parts)

    def _names(self) -> str:
        names = [*self.task.names, "y"][:2]
        middle, below = self.SIZE / 2, self.SIZE + 25
        return (
            f'<text x="{middle:g}" y="{below:g}">{html.escape(names[0])}</text>'
            f'<text transform="translate(-20 {middle:g}) rotate(-90)">{html.escape(names[1])}</text>'
        )


def colour(k: int, theme: str) -> str:
    """The colour of class k in a theme.

    Beyond the first ten the hue goes on by the golden angle, as a sunflower's seeds do (H. Vogel, 1979), so that
    neighbours are far apart, and the lightness goes up and down.
    """
    if k < len(CLASSES[theme]):
        return CLASSES[theme][k]
    light = (0.34, 0.5) if theme == "light" else (0.62, 0.8)
    red, green, blue = colorsys.hls_to_rgb(k * 0.381966 % 1.0, light[k % 2], 0.62)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def _stylesheet(classes: int) -> str:
    colours = "".join(f"--{name}:light-dark({light},{DARK[name]});" for name, light in LIGHT.items())
    pairs = [(colour(k, "light"), colour(k, "dark")) for k in range(max(2, classes))]
    colours += "".join(f"--k{k}:light-dark({light},{dark});" for k, (light, dark) in enumerate(pairs))
    return (
        f".cr-playground{{{colours}--font:{FONT}}}\n" + scripts.bundle("theme.css") + scripts.bundle("playground.css")
    )

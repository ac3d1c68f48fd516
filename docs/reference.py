"""The pages of the reference: what each package makes public, in the order and the words of its source files."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

PACKAGES = ("autograd", "nn", "viz")


def pages() -> Iterator[tuple[str, str]]:
    """The name of each package, and its page."""
    for name in PACKAGES:
        yield name, page(importlib.import_module(name))


def page(package: ModuleType) -> str:
    """The package's docstring, then every public name under the file that it stands in."""
    sections = [section(module, names) for module, names in public_names(package).items()]
    return "\n".join([heading(package.__name__, "="), *sections])


def public_names(package: ModuleType) -> dict[str, list[str]]:
    """File → the public names in it, each by the shortest path by which it can be imported."""
    elsewhere = f"{package.__name__}.elsewhere"
    rooms = getattr(importlib.import_module(elsewhere), "ROOMS", ()) if importlib.util.find_spec(elsewhere) else ()
    found: dict[str, list[str]] = {}
    known: set[tuple[str, str]] = set()
    waiting = [package, *(importlib.import_module(f"{package.__name__}.{room}") for room in rooms)]
    for room in waiting:  # which grows meanwhile
        if room is not package:
            found.setdefault(room.__name__, [])
        for name in getattr(room, "__all__", ()):
            thing = getattr(room, name)
            if inspect.ismodule(thing):
                waiting.append(thing)
            elif (place := (home(room, name), name)) not in known:
                known.add(place)
                found.setdefault(place[0], []).append(f"{room.__name__}.{name}")
    return dict(sorted(found.items(), key=lambda item: (item[0] != f"{package.__name__}.value", item[0])))


def home(room: ModuleType, name: str) -> str:
    """The file that a public name stands in: the room itself, or, where that is a folder, the file in it."""
    if not hasattr(room, "__path__"):
        return room.__name__
    thing: Any = getattr(room, name)
    if isinstance(thing, type) or inspect.isfunction(thing):
        return str(thing.__module__)
    files = (m.__name__ for m in vars(room).values() if inspect.ismodule(m) and name in vars(m))
    return next(files, room.__name__)  # of a constant, which does not know


def section(module: str, names: list[str]) -> str:
    """A heading, the module's own docstring, and the documentation of each name."""
    blocks = [f".. auto{kind(name)}:: {name}\n{OPTIONS.get(kind(name), '')}" for name in names]
    return "\n".join([heading(module, "-"), f".. automodule:: {module}\n   :no-members:\n", *blocks])


OPTIONS = {"class": "   :members:\n", "exception": "   :no-members:\n", "data": "   :no-value:\n"}


def kind(name: str) -> str:
    """What Sphinx calls it."""
    room, _, last = name.rpartition(".")
    thing = getattr(importlib.import_module(room), last)
    if isinstance(thing, type):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function" if inspect.isroutine(thing) else "data"


def heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"

"""The pages of the reference: what each package makes public, in the order and the words of its source files."""

from __future__ import annotations

import importlib
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
    return f"# {package.__name__}\n\n{_docstring(package.__name__)}\n" + "\n".join(
        section(package, module, names) for module, names in public_names(package).items()
    )


def public_names(package: ModuleType) -> dict[str, list[str]]:
    """Module → the names in it that the package exports, or, for a module that is exported itself, its own."""
    found: dict[str, list[str]] = {}
    for name in package.__all__:
        thing = getattr(package, name)
        if inspect.ismodule(thing):
            found[thing.__name__] = list(getattr(thing, "__all__", ()))
    for name in package.__all__:
        module = home(package, name)
        if module and name not in found.setdefault(module, []):
            found[module].append(name)
    return dict(sorted(found.items(), key=lambda item: (item[0] != f"{package.__name__}.value", item[0])))


def home(package: ModuleType, name: str) -> str:
    """The module that a public name is defined in; of a constant, which does not know, the one that holds it."""
    thing: Any = getattr(package, name)
    if inspect.ismodule(thing):
        return ""
    module = getattr(thing, "__module__", None)
    if isinstance(thing, type) or inspect.isfunction(thing):
        return str(module)
    return next(m.__name__ for m in vars(package).values() if inspect.ismodule(m) and name in vars(m))


def section(package: ModuleType, module: str, names: list[str]) -> str:
    """A heading, the module's own docstring, and the documentation of each name."""
    exported = module.rpartition(".")[2] in package.__all__
    owner = module if exported else package.__name__
    blocks = "\n".join(f"::: {owner}.{name}\n" for name in names)
    return f"## {module} {{ #{module} }}\n\n{_docstring(module)}\n{blocks}"


def _docstring(module: str) -> str:
    """The words at the top of a module, and nothing else of it."""
    options = "members: false, show_root_heading: false, show_root_toc_entry: false, show_source: false"
    return f"::: {module}\n    options: {{ {options} }}\n"

"""`Module`: something with parameters that can be called, and that may be made of other modules.

A module holds its parameters as attributes: Values that were not computed from others. It finds them by looking at its
own attributes in the order in which they were set, and into lists, tuples, dicts and other modules; what begins with an
underscore is private and is not looked at. (A set has no order: one with parameters in it is an error.) A parameter's
name is the path to it: "layers.0.neurons.2.w.1".

While a module runs, the nodes that it makes are filed under its path ("layers.0.neurons.2"). So are the parameters of a
module inside another: drawings can frame neurons and layers, and tell parameters from inputs, without knowing anything
about this package.
"""

from __future__ import annotations

import inspect
import io
import json
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import is_
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar

from autograd import Value
from autograd.files import write_whole
from autograd.modes import enter_scope, leave_scope
from autograd.needs import needs_numpy
from autograd.storage import as_number, no_constant
from autograd.value import file_leaves

if TYPE_CHECKING:
    import zipfile

from .elsewhere import LikeANetwork

FORMAT = "chainrule model"
VERSION = 1
_ARRAYS = ("format", "version", "architecture", "names", "numbers")  # of an npz file
_ROOM = 65_536  # bytes: what an array of an npz file may take beyond what the model itself would write
_BOUNDED = (0, 8)  # zip: stored, deflated; of the other methods zipfile unpacks a part as large as it likes
# Parameters that L2 regularisation leaves alone go by these names: a bias or a slope that is pulled towards zero
# shifts or bends a neuron's output, and does not make the network any simpler. A number at the end does not count: b1.
_NOT_WEIGHTS = frozenset({"b", "bias", "biases", "alpha"})


Seen = dict[int, Any]  # parts by their id
# parts: the path of what holds each, what it is called there, the path of the module that owns it, and itself; a list
# of nothing but Values is one part, since a large network is made of those
Found = list[tuple[str, Any, str, Any]]
In = ParamSpec("In")
Out = TypeVar("Out", covariant=True)


class ModelFormatError(ValueError):
    """A saved file that is not a model, is cut short, or belongs to another architecture. The message says which."""


class _WithForward(Protocol[In, Out]):
    """What `Module.__call__` uses; by it type checkers see that ``model(x)`` gives what its ``forward`` gives."""

    _name: str

    def forward(self, *inputs: In.args, **named: In.kwargs) -> Out: ...
    def _christen_newcomers(self) -> None: ...
    def _check_count(self, inputs: tuple[Any, ...]) -> None: ...


class Module(LikeANetwork):
    """The base of everything that has parameters. A subclass sets its parts in ``__init__`` and defines ``forward``.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.w, self.b = Value(0.0, "w"), Value(0.0, "b")
    ...     def forward(self, x):
    ...         return self.w * x + self.b
    >>> Line()
    Line(2 parameters)
    """

    _name = ""  # what the module that holds this one calls it; the outermost module has no name
    _own_name = ""  # what it is called while no other module holds it
    _parts_set = 0  # how many parts that are, or may hold, modules were ever set, in all modules
    _seen_at = -1  # that number when this module last looked at its lists
    _shelves: Sequence[tuple[Any, list[Any]]] = ()  # which were these, and held this

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The computation. Call the module itself, ``model(x)``, so that its nodes are filed under its path."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, x)")

    def __call__(self: _WithForward[In, Out], *inputs: In.args, **named: In.kwargs) -> Out:
        name = self._name
        if not name:
            self._christen_newcomers()
            try:
                return self.forward(*inputs, **named)
            except TypeError:
                self._check_count(inputs)
                raise
        outer = enter_scope(name)
        try:
            # (measured: ** of an empty dict costs a tenth of a small module's call)
            return self.forward(*inputs, **named) if named else self.forward(*inputs)  # type: ignore[call-arg]
        except TypeError:
            self._check_count(inputs)
            raise
        finally:
            leave_scope(outer)

    def __setattr__(self, name: str, part: Any) -> None:
        object.__setattr__(self, name, part)
        if not name.startswith("_") and (isinstance(part, Module) or _may_hold_modules(part)):
            christen(part, name, self)
            Module._parts_set += 1

    def _check_count(self, inputs: tuple[Any, ...]) -> None:
        """Whether forward takes so many inputs; they may be one list whose brackets were forgotten."""
        if len(inputs) < 2:
            return
        try:
            inspect.signature(self.forward).bind(*inputs)
        except TypeError:
            numbers = ", ".join(map(repr, inputs))
            raise TypeError(
                f"{type(self).__name__} takes one list of inputs, but got {len(inputs)} arguments; with brackets: "
                f"model([{numbers}])"
            ) from None

    def _christen_newcomers(self) -> None:
        """Name what was put into a list or a dict since it was set, here or in any module inside.

        This runs at every call, so it only looks whether the lists that hold modules still hold what they held.
        """
        if self._seen_at == Module._parts_set and all(_holds(shelf, held) for shelf, held in self._shelves):
            return
        modules: list[Module] = [self]
        shelves: list[Any] = []
        seen: Seen = {id(self): self}
        misnamed = False
        for module in modules:  # which grows meanwhile
            for path, inner in _held(module, "", shelves):
                misnamed |= inner._name != path
                if _first_time(inner, seen):
                    modules.append(inner)
        if misnamed:
            for module in reversed(modules):  # from the inside out: what is filed last has the whole path
                for name, part in vars(module).items():
                    if not name.startswith("_"):
                        christen(part, name, module)
        object.__setattr__(self, "_shelves", [(shelf, list(_contents(shelf))) for shelf in shelves])
        object.__setattr__(self, "_seen_at", Module._parts_set)

    # --- parameters

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter with its path, in the order in which the parts were set. A shared one is given once."""
        names: dict[Value, str] = {}
        for holder, name, _, entry in _inside(self, "", "", [], {}):
            listed = type(entry) is list
            here = _path(holder, name) if listed else holder
            for k, p in enumerate(entry) if listed else [(name, entry)]:
                if isinstance(p, Value) and p.op == "" and p not in names:
                    names[p] = _path(here, k)
        return ((path, p) for p, path in names.items())

    def parameters(self) -> list[Value]:
        """The Values that training moves."""
        found = (entry if type(entry) is list else [entry] for _, _, _, entry in _inside(self, "", "", [], {}))
        return [*dict.fromkeys(p for entries in found for p in entries if isinstance(p, Value) and p.op == "")]

    def weights(self) -> list[Value]:
        """The parameters that multiply something: all but biases and slopes.

        Those are known by their names: b, bias, biases or alpha, with or without a number (b1, bias_2).
        """
        return [p for name, p in self.named_parameters() if not _is_bias(name)]

    def zero_grad(self) -> None:
        """Forget the parameters' gradients: they are 0.0, and drawn as "–"."""
        for p in self.parameters():
            p.grad = None

    def modules(self) -> Iterator[tuple[str, Module]]:
        """This module (its path is "") and every module inside it, with their paths."""
        yield "", self
        yield from _modules_inside(self)

    # --- saving

    def state_dict(self) -> dict[str, float]:
        """The parameters' numbers by path: a plain dict, and a copy.

        Raises:
            ValueError: if two parameters have the same path, as in ``{"a.b": Value(1.0), "a": {"b": Value(2.0)}}``.
        """
        return {name: p.data for name, p in self._by_name().items()}

    def _by_name(self) -> dict[str, Value]:
        named = list(self.named_parameters())
        found = dict(named)
        if len(found) < len(named):
            twice = next(name for name, p in named if found[name] is not p)
            raise ValueError(
                f"two parameters of this {type(self).__name__} are called {twice!r}, so one of them would be lost; "
                "give the dict that holds them other keys, text without a dot in it"
            )
        return found

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Put the numbers of a `state_dict` into the parameters; all of them, or, if anything is wrong, none.

        Raises:
            ValueError: if a parameter is missing, or one is left over; the message names them and counts both sides.
            TypeError: if an entry is not a number, or ``state`` is no dict.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a dict, as model.state_dict() gives it, but got {type(state).__name__}")
        mine = self._by_name()
        missing = [name for name in mine if name not in state]
        unknown = [name for name in state if name not in mine]
        if missing or unknown:
            parts = [f"this {type(self).__name__} has {len(mine)} parameters, but the state has {len(state)}"]
            if missing:
                parts.append(f"missing: {_some(missing)}")
            if unknown:
                parts.append(f"not in this model: {_some(unknown)}")
            raise ValueError("; ".join(parts))
        numbers = []
        for name in mine:
            x = state[name]
            if isinstance(x, (bool, str)) or not hasattr(x, "__float__") or isinstance(x, Value):
                raise TypeError(f"the entry {name!r} of a state must be a number, but is {type(x).__name__}: {x!r}")
            numbers.append(float(x))
        put(mine.values(), numbers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to ``path``: JSON, or NumPy's npz if the name ends in ".npz". Never pickle.

        The file is written whole or not at all: a crash in between leaves the old file as it was. It keeps its
        permissions, and links are followed; `autograd.files.write_whole` says it all.

        Raises:
            ValueError: if the name ends in neither ".json" nor ".npz".
            FileNotFoundError: if there is no such folder.
            OSError: if the file cannot be written.
        """
        write = _as_json if _kind(Path(path)) == ".json" else _as_npz
        write_whole(path, write(self.architecture(), self.state_dict()))

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Read parameters that `save` wrote into this model, which must have the same architecture; returns it.

        Nothing in the file is run, and of an npz file no more is unpacked than such a model needs.

        Raises:
            ModelFormatError: if the file is not a saved model, is cut short, or is of another architecture. The model
                is then as it was.
            FileNotFoundError: if there is no such file.
        """
        target = Path(path)
        read = _read_json if _kind(target) == ".json" else _read_npz
        state = read(target.read_bytes(), target, self)
        try:
            self.load_state_dict(state)
        except (ValueError, TypeError) as error:
            raise ModelFormatError(f"{target.name}: {error}") from None
        return self

    # --- words

    def architecture(self) -> str:
        """One line that two models share exactly if the parameters of one fit the other."""
        return self.describe()

    def describe(self) -> str:
        """What stands in the brackets of ``repr``, before the number of parameters; subclasses say more."""
        return type(self).__name__ + "()"

    def __repr__(self) -> str:
        head, _, inside = self.describe().partition("(")
        inside = inside.removesuffix(")")
        n = len(self.parameters())
        count = f"{n:,} parameter{'s' * (n != 1)}"
        first = f"{head}({inside}, {count})" if inside else f"{head}({count})"
        if not self._lists_parts:
            return first
        parts = [f"  {path}: {part!r}" for path, part in _modules_inside(self) if _depth(path) == 1]
        return "\n".join([first, *parts])

    _lists_parts = False  # whether repr shows the modules that this one is made of, one to a line


def put(parameters: Iterable[Value], numbers: Iterable[float]) -> None:
    """Give each parameter its number."""
    for p, x in zip(parameters, numbers, strict=True):
        p.data = x


def in_one_piece(change: Callable[..., None], *args: Any) -> None:
    """Do what may be done twice, whole, even if Ctrl-C comes in the middle of it."""
    try:
        change(*args)
    except KeyboardInterrupt:
        change(*args)
        raise


def _depth(path: str) -> int:
    """How many modules deep a path leads, indices into lists not counted: "layers.0" is 1, "layers.0.neurons.2" 2."""
    return sum(not part.isdigit() for part in path.split("."))


def christen(part: Any, name: str, owner: Module | None = None) -> None:
    """Tell a module, or the modules in a list, how the module that holds them calls them.

    A part that itself holds the owner is the owner's parent, and keeps the name that it has. The parameters inside are
    filed under the module that they belong to, as its nodes are; a shared one under the first. (A part is named before
    the module that holds it is named itself, so this happens again one level further up.)
    """
    if isinstance(part, Module):
        inside = _inside(part, name, name, [], {})
        if part is owner or (owner is not None and any(one[3] is owner for one in inside)):
            return
        object.__setattr__(part, "_name", name)
        for _, _, path, entry in reversed(inside):  # so that a shared one ends under the first
            if not isinstance(entry, Module):
                file_leaves(entry if type(entry) is list else [entry], path)
    elif isinstance(part, (list, tuple, dict)):
        for key, entry in _entries(part):
            if isinstance(entry, (Module, list, tuple, dict)):
                christen(entry, _path(name, key), owner)


def _held(part: Any, path: str, shelves: list[Any]) -> Iterator[tuple[str, Module]]:
    """The modules that a module holds, each with what it should call it; and the lists and dicts that hold them."""
    for name, entry in _entries(part):
        if isinstance(entry, Module):
            yield _path(path, name), entry
        elif _may_hold_modules(entry):
            shelves.append(entry)
            yield from _held(entry, _path(path, name), shelves)


def _may_hold_modules(shelf: Any) -> bool:
    """Whether this is a list, a tuple or a dict of more than numbers, or is still empty."""
    return isinstance(shelf, (list, tuple, dict)) and not (shelf and {*map(type, _contents(shelf))} <= {Value, float})


def _contents(shelf: Any) -> Any:
    return [*shelf, *shelf.values()] if isinstance(shelf, dict) else shelf


def _holds(shelf: Any, held: list[Any]) -> bool:
    now = _contents(shelf)
    return len(now) == len(held) and all(map(is_, now, held))


def _first_time(part: Any, seen: Seen) -> bool:
    """Whether this part is met for the first time: it may be held twice, or refer back to what holds it."""
    if id(part) in seen:
        return False
    seen[id(part)] = part  # kept alive meanwhile, so that no other part gets its id
    return True


def _entries(part: Any) -> Iterable[tuple[Any, Any]]:
    """What a module, a list or a dict holds, each with its name or place; of a module, what is not private."""
    if isinstance(part, Module):
        return [(name, entry) for name, entry in vars(part).items() if not name.startswith("_")]
    if isinstance(part, dict):
        return part.items()
    if isinstance(part, (list, tuple, deque)):
        return enumerate(part)
    if isinstance(part, (set, frozenset)) and any(_is_part(x) for x in part):
        raise TypeError(
            "a set has no order, so the parameters in it have no names: put them into a list; or, if they are held "
            "elsewhere, too, let the set's name begin with an underscore"
        )
    # a NumPy array of Values
    return enumerate(part.tolist() if getattr(getattr(part, "dtype", None), "kind", "") == "O" else ())


def _is_part(x: Any) -> bool:
    """Whether this is a module or a parameter."""
    return isinstance(x, Module) or (isinstance(x, Value) and x.op == "")


def _path(holder: str, name: Any) -> str:
    return f"{holder}.{name}" if holder else str(name)


def _inside(part: Any, path: str, owner: str, found: Found, seen: Seen) -> Found:
    """Every module inside, when it is met first, and every Value or list of them, each time that it is met."""
    if _first_time(part, seen):
        for name, entry in _entries(part):
            if isinstance(entry, Module):
                if id(entry) not in seen:
                    found.append((path, name, owner, entry))
                    here = _path(path, name)
                    _inside(entry, here, here, found, seen)
            elif isinstance(entry, Value):
                found.append((path, name, owner, entry))  # (its path is put together when it is asked for)
            elif type(entry) is list and {*map(type, entry)} == {Value}:
                found.append((path, name, owner, entry))
            elif not isinstance(entry, (float, int, str)):
                _inside(entry, _path(path, name), owner, found, seen)
    return found


def _modules_inside(part: Any) -> list[tuple[str, Module]]:
    """The modules inside, each with the first path that leads to it."""
    found = _inside(part, "", "", [], {})
    return [(_path(holder, name), entry) for holder, name, _, entry in found if isinstance(entry, Module)]


def _is_bias(path: str) -> bool:
    """Whether the last word of a parameter's path, indices aside, names something other than a weight."""
    words = [part for part in path.split(".") if not part.isdigit()]
    return bool(words) and words[-1].rstrip("0123456789_") in _NOT_WEIGHTS


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in (".json", ".npz"):
        raise ValueError(f'a model is saved as ".json" or ".npz", but got the name {path.name!r}')
    return kind


def _as_json(architecture: str, state: dict[str, float]) -> bytes:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": architecture,
        "parameters": {name: x if math.isfinite(x) else repr(x) for name, x in state.items()},
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _as_npz(architecture: str, state: dict[str, float]) -> bytes:
    needs_numpy("a file that ends in .npz, and not in .json,")
    import numpy

    file = io.BytesIO()
    numpy.savez(
        file,
        format=numpy.array(FORMAT),
        version=numpy.array(VERSION),
        architecture=numpy.array(architecture),
        names=numpy.array(list(state), dtype=str),
        numbers=numpy.array(list(state.values()), dtype=float),
    )
    return file.getvalue()


def _read_json(content: bytes, path: Path, model: Module) -> dict[str, float]:
    try:
        document = json.loads(content, parse_constant=no_constant)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelFormatError(f"{path.name} is not complete JSON (cut short, or another file?): {error}") from None
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path.name} is not JSON: {str(error) or 'nested too deeply'}") from None
    if not isinstance(document, dict):
        raise ModelFormatError(f'{path.name} is not a saved model: it has no "format": "{FORMAT}"')
    _check_head(document.get("format"), document.get("version"), path)
    parameters, architecture = document.get("parameters"), document.get("architecture")
    if not isinstance(parameters, dict) or not isinstance(architecture, str):
        raise ModelFormatError(f'{path.name} needs "architecture", a string, and "parameters", an object')
    state = {}
    for name, x in parameters.items():
        number = as_number(x)
        if number is None:
            raise ModelFormatError(
                f'{path.name}: parameter {name!r} must be a number, "inf", "-inf" or "nan", but is {x!r:.60}'
            )
        if math.isinf(number) and not isinstance(x, str):  # 1e999 is read as inf
            raise ModelFormatError(f"{path.name}: parameter {name!r} is too large for a float")
        state[name] = number
    _check_architecture(architecture, path, model)
    return state


def _read_npz(content: bytes, path: Path, model: Module) -> dict[str, float]:
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = archive.namelist()
            lacking = [name for name in _ARRAYS if f"{name}.npy" not in inside]
            if lacking:
                raise ModelFormatError(f"{path.name} is not a saved model: it has no {', '.join(lacking)}")
            saved_as, version, architecture = (_read_array(archive, name, _ROOM, path) for name in _ARRAYS[:3])
            _check_head(str(saved_as), version.tolist(), path)
            _check_architecture(str(architecture), path, model)
            room = _ROOM + len(_as_npz(model.architecture(), model.state_dict()))
            names, numbers = (_read_array(archive, name, room, path) for name in _ARRAYS[3:])
    except ModelFormatError:
        raise
    except Exception as error:  # a damaged zip fails in any of its layers, each with errors of its own
        raise ModelFormatError(
            f"{path.name} is not a complete npz file (cut short, or another file?): {error}"
        ) from None
    if names.ndim != 1 or names.shape != numbers.shape or numbers.dtype.kind != "f":
        raise ModelFormatError(f"{path.name}: {names.shape} names do not go with {numbers.shape} numbers")
    return dict(zip(map(str, names.tolist()), numbers.tolist(), strict=True))


def _read_array(archive: zipfile.ZipFile, name: str, room: int, path: Path) -> Any:
    """One array of an npz file, unless it is larger than ``room``: a zip of a megabyte can hold a gigabyte of zeros.

    Neither the size in the zip's list nor the shape in the array's head is believed before memory is taken.
    """
    needs_numpy("a file that ends in .npz, and not in .json,")
    from numpy.lib import format as npy

    member = archive.getinfo(f"{name}.npy")
    if member.file_size > room:
        raise ModelFormatError(
            f"{path.name} does not belong to this model: its {name} would take {member.file_size:,} bytes, and this "
            f"model's have room in {room:,}"
        )
    if member.compress_type not in _BOUNDED:
        raise ValueError(f"{member.filename} is packed in a way that NumPy does not use")
    with archive.open(member) as file:
        content = io.BytesIO(file.read(member.file_size))
    if npy.read_magic(content) != (1, 0):
        raise ValueError(f"{member.filename} has a head that NumPy does not write for a model")
    shape, _, dtype = npy.read_array_header_1_0(content)
    claimed, present = math.prod(shape) * dtype.itemsize, member.file_size - content.tell()
    if claimed != present and not dtype.hasobject:
        raise ValueError(f"{member.filename} should hold {claimed:,} bytes, but holds {present:,}")
    content.seek(0)
    return npy.read_array(content, allow_pickle=False)


def _check_head(name: object, version: object, path: Path) -> None:
    if name != FORMAT:
        raise ModelFormatError(f'{path.name} is not a saved model: it has no "format": "{FORMAT}"')
    if isinstance(version, bool) or version != VERSION:
        raise ModelFormatError(f"{path.name} was saved in version {version!r}; this program reads version {VERSION}")


def _check_architecture(found: str, path: Path, model: Module) -> None:
    if found != model.architecture():
        raise ModelFormatError(
            f"{path.name} holds {found:.1000}, but this model is {model.architecture()}; "
            "load it into a model of the same shape"
        )


__all__ = ["ModelFormatError", "Module"]

"""The house: on which floor each file stands, and that data flows through it without coming back.

`FLOORS` is the plan, from the ground up. A room (a file or a folder) imports rooms of lower floors of its folder and
nothing else: not its neighbours on the same floor, and nothing above. A folder's `__init__.py` is its door and stands
on top of it. Imports inside functions count, too; those for type checkers only (`if TYPE_CHECKING:`) do not.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import nn

ROOT = Path(__file__).resolve().parents[1]

# folder → its floors, the lowest first; "" is the house itself
FLOORS = {
    "": ["autograd", "nn viz"],
    "autograd": [
        "_neighbours error_function files hints ieee messages needs notation reals",
        "elsewhere symbols",
        "formulas",
        "ops",
        "mistakes",
        "javascript kernels",
        "modes",
        "comparisons graph",
        "backward",
        "value",
        "forward recomputing signatures steps storage",
        "expression functions transforms",
        "checking compiler exercises",
    ],
    "autograd.compiler": [
        "index listing symbols words",
        "trace",
        "lookups",
        "normalise",
        "axes boxes classes views",
        "groups turns",
        "arrange contract",
        "layout",
        "program",
        "reading",
        "finding shares",
        "forward",
        "adjoints",
        "differentiate",
        "write",
        "workspace",
        "in_place",
        "arguments",
        "check describe plan",
        "standalone",
        "backends",
        "compiled",
    ],
    "autograd.compiler.backends": ["base", "javascript numpy python", "jax numba"],
    "autograd.exercises": ["easy feedback", "paper", "code"],
    "nn": [
        "_guard checks elsewhere",
        "init module schedules",
        "activations data",
        "layers",
        "conv embedding losses recurrent",
        "attention optim",
        "training",
        "lessons",
    ],
    "nn.training": [
        "examples history minimisation structure",
        "programs",
        "metrics",
        "loops",
        "compiled",
        "train",
        "estimators",
    ],
    "nn.lessons": ["checklist corpora gates logistic perceptrons sequences steering words", "language"],
    "viz": [
        "_ctrl_c _guard checks layout metrics",
        "lettering",
        "markup mistakes raster",
        "graph picture plots",
        "dot live",
        "drawing",
        "derivation maps sheets",
        "homework",
        "cli",
        "__main__",
    ],
    "viz.layout": ["net simplex", "annealing heights ranks routes trunks", "order shifts", "strands", "sugiyama"],
    "viz.graph": ["numbers repetition runs scopes", "diagram", "arrange program", "svg"],
    "viz.live": [
        "languages scripts stage training units",
        "network page scene",
        "player playgrounds",
        "exploring stepping",
    ],
    "viz.plots": ["figures", "asking", "classifiers curves descents"],
}

# _names that another file may use all the same, each with its reason: {"importing file: _name": "why"}
PRIVATE_BUT_SHARED: dict[str, str] = {}

MOST_NAMES_OF_NN = 45  # what `help(nn)` lists; the rest is in its rooms


# --- what a file imports


class Import(NamedTuple):
    """One line of a file that asks for a name of another file of the house."""

    file: str  # "viz.drawing"; a folder's __init__.py is "viz.__init__"
    of: str  # the file that is asked
    name: str  # what is taken from it, "" for the file itself
    line: int
    at_import: bool  # at once, and not in a function that is called later

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, imports {self.of}"


def files(root: Path, packages: Sequence[str] = ("autograd", "nn", "viz")) -> dict[str, Path]:
    """Every file of the house by its dotted name."""
    found = (path for package in packages for path in sorted((root / package).rglob("*.py")))
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in found}


@functools.cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def tree_of(path: Path) -> ast.Module:
    return parsed(path.read_text(encoding="utf-8"))


def statements(tree: ast.AST, at_import: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """All statements but those for type checkers, each with whether it runs when the file is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr):
            continue  # nothing is imported inside, and most of a file is that
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in node.orelse:
                yield other, at_import
                yield from statements(other, at_import)
            continue
        yield node, at_import
        inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        yield from statements(node, at_import and not inside)


def asked_for(node: ast.AST, file: str) -> list[tuple[str, str]]:
    """(module, name) for each name that an import statement asks for; the name is "" in `import module`."""
    if isinstance(node, ast.Import):
        return [(alias.name, "") for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = file.split(".")[: -node.level] if node.level else []
        module = ".".join([*above, *([node.module] if node.module else [])])
        return [(module, alias.name) for alias in node.names]
    return []


def imports(house: Mapping[str, Path]) -> list[Import]:
    """Every import of one file of the house by another.

    Python runs the doors on the way (`autograd/__init__.py` before `autograd.value`), but a file that names
    `autograd.value` asks for that file alone: the door counts where a name is taken from it.
    """
    found = []
    for file, path in house.items():
        for node, at_import in statements(tree_of(path)):
            for module, name in asked_for(node, file):
                candidates = [(f"{module}.{name}", ""), (f"{module}.{name}.__init__", "")] if name else []
                candidates += [(module, name), (f"{module}.__init__", name)]
                for of, taken in candidates:
                    if of in house and of != file:
                        found.append(Import(file, of, taken, node.lineno, at_import))  # type: ignore[attr-defined]
                        break
    return found


# --- what is wrong with that


def circle(found: Sequence[Import]) -> list[str]:
    """The files of one circle, the first one again at the end; an empty list if there is none."""
    needs: dict[str, set[str]] = {}
    for one in found:
        needs.setdefault(one.file, set()).add(one.of)
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])[::-1]
    return []


def height(room: str, folder: str, floors: Mapping[str, Sequence[str]]) -> int:
    """On which floor of its folder a room stands; the door is above all."""
    on = {name: k for k, names in enumerate(floors.get(folder, [])) for name in names.split()}
    return len(floors.get(folder, [])) if room == "__init__" else on.get(room, -1)


def climbs(found: Sequence[Import], floors: Mapping[str, Sequence[str]]) -> list[str]:
    """Each import that does not lead down, in words. Where two files lie in different rooms, the rooms are compared."""
    wrong = []
    for one in found:
        here, there = one.file.split("."), one.of.split(".")
        shared = next(k for k, (a, b) in enumerate(zip(here, there, strict=False)) if a != b)
        folder = ".".join(here[:shared])
        up, down = (height(path[shared], folder, floors) for path in (here, there))
        if down >= up:
            place = "on the same floor" if down == up else "on a higher floor"
            wrong.append(f"{one}, which stands {place} of {folder or 'the house'}")
    return list(dict.fromkeys(wrong))  # a line that takes several names is told once


def private(house: Mapping[str, Path]) -> list[str]:
    """Each use of another file's `_name`, as "file: _name": imported from it, or reached through it."""
    wrong = []
    found = imports(house)
    for file, path in house.items():
        mine = [one for one in found if one.file == file]
        wrong += [f"{file}: {one.name}" for one in mine if is_private(one.name)]
        modules = {one.of.rpartition(".")[2] for one in mine if not one.name}
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                wrong += [f"{file}: {node.attr}"] if is_private(node.attr) else []
    return wrong


def shown(door: str, path: Path, house: Mapping[str, Path]) -> set[str]:
    """What is not a file and can be taken from a door: what it imports, defines, or lists in `__all__`."""
    names, modules = set(), set()

    def is_file(name: str) -> bool:
        return name in house or f"{name}.__init__" in house

    for node in (node for node, at_import in statements(tree_of(path)) if at_import):
        for module, name in asked_for(node, door):
            (modules if is_file(f"{module}.{name}") else names).add(name)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            rooms = {
                name for name in ast.literal_eval(node.value) if is_file(f"{door.removesuffix('.__init__')}.{name}")
            }
            names |= set(ast.literal_eval(node.value)) - rooms
    return names - modules - {""}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def rooms_of(house: Mapping[str, Path]) -> dict[str, set[str]]:
    """Folder → its rooms, the door aside."""
    found: dict[str, set[str]] = {}
    for file in house:
        parts = file.split(".")
        for k, room in enumerate(parts):
            if room != "__init__":
                found.setdefault(".".join(parts[:k]), set()).add(room)
    return found


# Two of these in one text, and it is a script or a style sheet of some length.
SCRIPT = re.compile(
    r"\b(?:const|let|var) \w+ ?=|\bfunction\b ?\w*\(|=> ?\{|\.addEventListener\(|\.querySelector|===|\bdocument\."
)
RULE = re.compile(r"[\w\])*>] ?\{\s*[\w-]+ ?: ?[^{};]+;[^{}]*\}")


def foreign(text: str) -> str:
    """The language that a string of Python is written in, if it is JavaScript or CSS; else ""."""
    if len(set(SCRIPT.findall(text))) >= 2:
        return "JavaScript"
    return "CSS" if len(RULE.findall(text)) >= 2 else ""


# --- the house


def none_of(wrong: Sequence[str]) -> None:
    """Fail with every line of what is wrong."""
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture(scope="module")
def house() -> dict[str, Path]:
    return files(ROOT)


def test_nothing_imports_in_a_circle(house: dict[str, Path]) -> None:
    none_of(circle(imports(house)))


def test_nothing_climbs(house: dict[str, Path]) -> None:
    none_of(climbs(imports(house), FLOORS))


def test_every_room_has_its_floor_and_every_floor_its_rooms(house: dict[str, Path]) -> None:
    planned = {f"{folder}.{room}" for folder, floors in FLOORS.items() for room in " ".join(floors).split()}
    built = {f"{folder}.{room}" for folder, rooms in rooms_of(house).items() for room in rooms}
    none_of([f"{room} has no floor" for room in sorted(built - planned)])
    none_of([f"{room} is planned, but there is no such room" for room in sorted(planned - built)])


def test_importing_the_engine_asks_for_the_standard_library_alone(house: dict[str, Path]) -> None:
    """What is read here is what can run; `tests/autograd/test_import.py` imports it and looks at what was loaded."""
    at_once: dict[str, list[str]] = {}
    for one in imports(house):
        at_once.setdefault(one.file, []).extend([one.of] if one.at_import else [])
    reached, to_do = set(), ["autograd.__init__"]
    while to_do:
        file = to_do.pop()
        if file not in reached:
            reached.add(file)
            doors = [f"{'.'.join(file.split('.')[:k])}.__init__" for k in range(1, file.count(".") + 1)]
            to_do += [*at_once.get(file, []), *doors]
    assert "autograd.value" in reached
    others = {
        f"{file}: {module}"
        for file in reached
        for node, at_import in statements(tree_of(house[file]))
        if at_import
        for module, _ in asked_for(node, file)
        if module.partition(".")[0] not in {*sys.stdlib_module_names, "autograd"}
    }
    none_of(sorted(others))


def test_no_name_with_an_underscore_crosses_from_one_file_to_another(house: dict[str, Path]) -> None:
    none_of(sorted(set(private(house)) ^ set(PRIVATE_BUT_SHARED)))


def test_a_function_that_a_door_shows_never_shares_its_name_with_a_file_behind_it(house: dict[str, Path]) -> None:
    """`package.name` would be the one or the other, by what was imported last."""
    shared = [
        f"{file.removesuffix('.__init__')}.{name}"
        for file, path in house.items()
        if file.endswith(".__init__")
        for name in sorted(shown(file, path, house))
        if any(f".{name}." in f"{other}." for other in house if other.split(".")[0] == file.split(".")[0])
    ]
    none_of(shared)


def test_the_top_of_nn_has_no_more_names_than_a_person_reads() -> None:
    assert len(nn.__all__) <= MOST_NAMES_OF_NN


def test_scripts_and_styles_are_files_of_their_own_and_never_strings_of_python(house: dict[str, Path]) -> None:
    texts = [
        (f"{file}, line {node.lineno}", node.value)
        for file, path in house.items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    none_of([f"{place}: {foreign(text)}" for place, text in texts if foreign(text)])


# --- the tests' own tests: houses that are made up


def build(root: Path, **texts: str) -> dict[str, Path]:
    """A package `toy` with a file for each text."""
    (root / "toy").mkdir()
    for name, text in {"__init__": "", **texts}.items():
        (root / "toy" / f"{name}.py").write_text(text, encoding="utf-8")
    return files(root, ["toy"])


TOY = {"": ["toy"], "toy": ["low", "middle", "high"]}


def test_a_circle_is_seen_and_named(tmp_path: Path) -> None:
    toy = build(tmp_path, low="from . import high", middle="from .low import x", high="import toy.middle")
    assert sorted(set(circle(imports(toy)))) == ["toy.high", "toy.low", "toy.middle"]


def test_a_circle_through_the_door_and_one_inside_a_function_are_circles(tmp_path: Path) -> None:
    toy = build(tmp_path, __init__="from .low import f", low="def f():\n    from toy import g\n")
    assert sorted(set(circle(imports(toy)))) == ["toy.__init__", "toy.low"]


def test_an_import_that_climbs_is_seen_inside_a_function_too(tmp_path: Path) -> None:
    toy = build(tmp_path, low="class A:\n    def f(self):\n        from .high import x\n", high="")
    said = "toy.low, line 3, imports toy.high, which stands on a higher floor of toy"
    assert climbs(imports(toy), TOY) == [said]
    assert circle(imports(toy)) == []


def test_an_import_that_leads_down_is_right_and_one_that_leads_to_the_door_or_a_neighbour_is_not(
    tmp_path: Path,
) -> None:
    toy = build(tmp_path, high="from toy.middle import x\nfrom . import low", middle="from toy import x", low="")
    assert climbs(imports(toy), TOY) == [
        "toy.middle, line 1, imports toy.__init__, which stands on a higher floor of toy"
    ]
    neighbours = {"": ["toy"], "toy": ["low", "middle high"]}
    assert "toy.high, line 1, imports toy.middle, which stands on the same floor of toy" in climbs(
        imports(toy), neighbours
    )


def test_imports_for_type_checkers_do_not_count_but_those_beside_them_do(tmp_path: Path) -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .high import x\n"
    toy = build(tmp_path, low=guarded, high="from .low import y")
    assert [str(one) for one in imports(toy)] == ["toy.high, line 1, imports toy.low"]
    (tmp_path / "toy" / "low.py").write_text(f"{guarded}else:\n    from .high import x\n", encoding="utf-8")
    assert circle(imports(toy))
    assert len(climbs(imports(toy), TOY)) == 1


def test_a_private_name_is_seen_where_it_is_imported_and_where_it_is_reached_through_its_file(tmp_path: Path) -> None:
    toy = build(tmp_path, low="_x = 1", middle="from .low import _x", high="from . import low\nprint(low._x)")
    assert sorted(private(toy)) == ["toy.high: _x", "toy.middle: _x"]
    (tmp_path / "toy" / "middle.py").write_text("from . import _hidden\nself._x = 1", encoding="utf-8")
    (tmp_path / "toy" / "_hidden.py").write_text("", encoding="utf-8")
    assert private(files(tmp_path, ["toy"])) == ["toy.high: _x"]  # a file may be called _hidden, its names are public


def test_what_a_door_shows_is_told_from_the_files_behind_it(tmp_path: Path) -> None:
    door = "from . import low\nfrom .middle import high\n__all__ = ['high', 'low', 'later']\ndef f(): ..."
    toy = build(tmp_path, __init__=door, low="", middle="", high="")
    assert shown("toy.__init__", toy["toy.__init__"], toy) == {"f", "high", "later"}  # and toy/high.py is a file


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("const a = 1;\ndocument.title = a;", "JavaScript"),
        ("x.addEventListener('click', () => {})", "JavaScript"),
        ("p { color: red; }\n.wire { fill: none; stroke: #333 }", "CSS"),
        ("draw_graph(f) shows {a}: the value; {b}: the gradient;", ""),
        ("write `const = 3`, and let x = 2 in the formula", ""),
        ("<style>{}</style>", ""),
    ],
)
def test_scripts_and_style_sheets_are_told_from_sentences(text: str, language: str) -> None:
    assert foreign(text) == language

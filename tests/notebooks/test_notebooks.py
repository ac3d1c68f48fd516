"""The notebooks as files, and the runner that holds their outputs. `notebooks/execute.py` runs all of them, in CI."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

from .course import MENTIONS

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parents[2] / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))
TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(path for room in ("autograd", "nn", "viz", "notebooks", "docs") for path in sorted((ROOT / room).rglob("*.py"))),
]
_MENTION = re.compile(r"\bnotebooks?\s+(\d\d(?:(?:,\s+|\s+and\s+)\d\d)*)", re.IGNORECASE)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*?(\d\d)-[a-z0-9-]+\.ipynb)\)")


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def text(notebook, kind):
    return "\n\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == kind)


def python(cell):
    """The cell without IPython's % lines, so that Python can read it."""
    return re.sub(r"^(\s*)%.*$", r"\1pass", source(cell), flags=re.MULTILINE)


def test_they_are_numbered_in_order():
    numbers = [path.name[:2] for path in FILES]
    assert numbers == sorted(set(numbers)) and set(numbers) <= set(MENTIONS)


def mentions(words):
    """Each "notebook NN" of a text, with what stands around it."""
    for found in _MENTION.finditer(words):
        around = " ".join(words[max(0, found.start() - 200) : found.end() + 200].split())
        for number in re.findall(r"\d\d", found.group(1)):
            yield number, around


def test_who_points_to_a_notebook_points_to_one_that_is_about_it():
    texts = {path.name: path.read_text(encoding="utf-8") for path in TEXTS}
    texts |= {path.name: text(load(path), "markdown") + text(load(path), "code") for path in FILES}
    seen = 0
    for name, words in texts.items():
        for number, around in mentions(words):
            seen += 1
            assert any(path.name.startswith(number) for path in FILES), f"{name}: no notebook {number}: {around}"
            assert re.search(MENTIONS[number], around), f"{name}: is notebook {number} meant? {around}"
    assert seen > 50


def test_a_link_to_a_notebook_leads_to_its_file():
    found = [(path, *link) for path in TEXTS if path.suffix == ".md" for link in _LINK.findall(path.read_text("utf-8"))]
    for path, _, target, _ in found:
        assert (path.parent / target).is_file(), f"{path.name} links to {target}"
    readme = {number: name for path, name, _, number in found if path.name == "README.md"}
    assert sorted(readme) == [path.name[:2] for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestEachNotebook:
    def test_its_first_cell_installs_chainrule_only_where_it_is_missing(self, path):
        first = load(path)["cells"][0]
        assert first["cell_type"] == "code"
        assert re.search(r'%pip install -q "chainrule\[plots[a-z,]*\]"', source(first))
        [question] = [node for node in ast.parse(python(first)).body if isinstance(node, ast.If)]
        assert ast.unparse(question.test) == "importlib.util.find_spec('viz') is None"
        exec(compile(python(first), path.name, "exec"), {})

    def test_it_opens_with_its_number_and_title_and_what_it_shows(self, path):
        opening = load(path)["cells"][1]
        assert opening["cell_type"] == "markdown"
        assert source(opening).startswith(f"# {path.name[:2]} · ")
        assert "minutes" in source(opening)

    def test_it_closes_with_exercises_whose_answers_are_folded(self, path):
        written = text(load(path), "markdown")
        _, _, exercises = written.partition("## Exercises")
        assert exercises.count("<details>") == exercises.count("</details>") >= 2
        assert exercises.count("<summary>Answer</summary>") == exercises.count("<details>")

    def test_it_takes_ten_to_twenty_minutes_to_read(self, path):
        notebook = load(path)
        words = len(text(notebook, "markdown").split())
        lines = len([line for line in text(notebook, "code").splitlines() if line.strip()])
        minutes = words / 140 + lines / 25 + sum(bool(cell.get("outputs")) for cell in notebook["cells"]) * 0.25
        assert 7 <= minutes <= 22, f"{words} words and {lines} lines of code: about {minutes:.0f} minutes"

    def test_its_claims_are_asserted(self, path):
        asserts = sum(
            isinstance(node, ast.Assert)
            for cell in load(path)["cells"]
            if cell["cell_type"] == "code"
            for node in ast.walk(ast.parse(python(cell)))
        )
        assert asserts >= 5

    def test_it_is_stored_as_it_ran_from_top_to_bottom(self, path):
        ran = [cell for cell in load(path)["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in ran] == list(range(1, len(ran) + 1))
        kinds = {output["output_type"] for cell in ran for output in cell["outputs"]}
        assert "error" not in kinds

    def test_it_holds_nothing_but_what_a_reader_needs(self, path):
        notebook = load(path)
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        assert [cell["id"] for cell in notebook["cells"]] == [
            f"cell-{i:02d}" for i in range(1, len(notebook["cells"]) + 1)
        ]
        assert all(cell["metadata"] == {} for cell in notebook["cells"])
        assert "vnd.jupyter.widget" not in path.read_text(encoding="utf-8")

    def test_it_is_small_enough_to_open_at_once(self, path):
        assert path.stat().st_size <= 300_000


@pytest.fixture(scope="module")
def execute():
    pytest.importorskip("nbclient", reason='the runner needs pip install "chainrule[notebooks]"')
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(execute, monkeypatch, tmp_path):
    """A folder of notebooks of its own, with 01-small.ipynb in it; `cells` are its code cells."""
    import nbformat.v4 as v4

    monkeypatch.setattr(execute, "HERE", tmp_path)

    def write(*cells, name="01-small.ipynb"):
        notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
        (tmp_path / name).write_text(json.dumps(notebook), encoding="utf-8")
        return tmp_path / name

    return write


class TestTheRunner:
    def test_stores_outputs_and_then_finds_them_unchanged(self, execute, folder):
        path = folder("print(6 * 7)", "2 + 2")
        assert execute.main(["--write"]) == 0
        assert load(path)["cells"][0]["outputs"][0]["text"] == ["42\n"]
        assert execute.main([]) == 0
        before = path.read_bytes()
        assert execute.main(["--write"]) == 0
        assert path.read_bytes() == before

    def test_fails_on_a_changed_output_and_shows_it(self, execute, folder, capsys):
        path = folder("print(6 * 7)")
        execute.main(["--write"])
        path.write_text(path.read_text(encoding="utf-8").replace("42", "41"), encoding="utf-8")
        assert execute.main([]) == 1
        assert "-[stdout] 41" in (shown := capsys.readouterr().err) and "+[stdout] 42" in shown

    def test_fails_on_an_error_and_leaves_the_file_alone(self, execute, folder, capsys):
        path = folder("1 / 0")
        before = path.read_bytes()
        assert execute.main(["--write"]) == 1
        assert path.read_bytes() == before
        assert "ZeroDivisionError" in capsys.readouterr().err

    def test_fails_on_a_warning(self, execute, folder, capsys):
        folder("import warnings; warnings.warn('old')")
        assert execute.main(["--write"]) == 1
        assert "writes to stderr" in capsys.readouterr().err

    def test_fails_when_a_notebook_grows_too_large(self, execute, folder, capsys):
        folder("print(('x' * 99 + chr(10)) * 4_000)")
        assert execute.main(["--write"]) == 1
        assert "300,000 is the limit" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "output", ["{'image/png': f'{n}', 'text/plain': 'a'}", "{'text/html': f'<p data-painted=\"matplotlib\">{n}'}"]
    )
    def test_compares_a_painted_picture_by_its_presence_only(self, execute, folder, output):
        path = folder(
            f"from IPython.display import display\nimport random\nn = random.random()\ndisplay({output}, raw=True)"
        )
        assert execute.main(["--write"]) == 0
        assert execute.main([]) == 0
        stored = load(path)
        stored["cells"][0]["outputs"] = []
        path.write_text(json.dumps(stored), encoding="utf-8")
        assert execute.main([]) == 1

    def test_stores_each_drawing_once(self, execute, folder):
        path = folder("from autograd import parse\nfrom viz import draw_graph\ndraw_graph(parse('x * 2', x=3))")
        assert execute.main(["--write"]) == 0
        [output] = load(path)["cells"][0]["outputs"]
        assert set(output["data"]) == {"text/html", "text/plain"}

    def test_works_in_a_folder_that_is_thrown_away(self, execute, folder):
        path = folder("open('left-behind.txt', 'w').close()")
        assert execute.main(["--write"]) == 0
        assert [p.name for p in path.parent.iterdir()] == [path.name]

    def test_names_the_notebooks_there_are_when_asked_for_another(self, execute, folder):
        folder("1")
        with pytest.raises(SystemExit, match="there are: 01-small"):
            execute.main(["07"])

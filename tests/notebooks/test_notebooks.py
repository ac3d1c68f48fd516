"""The notebooks as files, and the runner that holds their outputs. `notebooks/execute.py` runs all of them, in CI."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

from .course import MENTIONS, QUESTIONS, ROWS

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
    """The cell without IPython's % and ! lines, so that Python can read it."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source(cell), flags=re.MULTILINE)


EXTRAS = {"numpy": "plots", "matplotlib": "plots", "scipy": "scipy", "sklearn": "sklearn"}


def imported(program):
    """The first names of the modules that a program imports."""
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def extras_of(notebook):
    """The extras that the first cell installs."""
    [extras] = re.findall(r'%pip install -q "chainrule(?:\[([a-z,]+)\])?"', source(notebook["cells"][0]))
    return extras.split(",") if extras else []


def installed_by(path):
    """What the first cell gives to pip where chainrule is missing; Colab's other package is not there."""
    first = re.sub(
        r"^(\s*)%pip install (.*)$", r"\1asked.append(\2)", source(load(path)["cells"][0]), flags=re.MULTILINE
    )
    first = re.sub(r"asked.append\(-q (.*)\)", r"asked.append('-q ' + \1)", first).replace("!pip", "pass #")
    asked = []
    real = importlib.util.find_spec
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None if name == "viz" else real(name))
        exec(compile(first, path.name, "exec"), {"asked": asked})
    return asked


def notebook(number):
    [path] = FOLDER.glob(f"{number}-*.ipynb")
    return load(path)


def test_they_are_numbered_without_a_gap():
    assert [path.name[:2] for path in FILES] == [f"{i:02d}" for i in range(1, len(FILES) + 1)] == sorted(MENTIONS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_curriculum_is_taught_with_its_figures(row):
    number, figures = ROWS[row]
    code = text(notebook(number), "code")
    assert [figure for figure in figures if figure not in code] == []


def test_every_row_is_taught():
    counts = {"A": 10, "B": 18, "C": 7, "D": 13, "E": 6}
    assert list(ROWS) == [f"{part}{k}" for part, count in counts.items() for k in range(1, count + 1)]


def test_the_gallery_links_each_row_to_the_notebook_that_teaches_it():
    gallery = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### ([A-C]\d+) ·.*?(?=^###? |\Z)", gallery, flags=re.MULTILINE | re.DOTALL)
    for row in sections:
        part = re.search(rf"^### {row} ·.*?(?=^###? |\Z)", gallery, flags=re.MULTILINE | re.DOTALL).group()
        assert [number for _, _, number in _LINK.findall(part)] == [ROWS[row][0]], row
    assert len(sections) == 35


def test_each_of_the_fifteen_questions_has_a_cell_that_shows_the_answer():
    cells = notebook("12")["cells"]
    sections, heading = {}, None
    for cell in cells:
        if cell["cell_type"] == "markdown":
            heading = (re.findall(r"^## (\d+\. .*)$", source(cell), flags=re.MULTILINE) or [heading])[-1]
            heading = None if "## Exercises" in source(cell) else heading
        elif heading:
            sections.setdefault(heading, source(cell))
    assert [name.split(".")[0] for name in sections] == [str(k) for k in range(1, 16)]
    for (asked, code), (words, shown) in zip(sections.items(), QUESTIONS.items(), strict=True):
        assert words in asked and shown in code


def test_whoever_builds_value_from_memory_as_the_folded_answer_does_passes():
    from autograd.exercises import check_class

    answer = text(notebook("04"), "markdown").rpartition("<summary>Answer</summary>")[2].partition("</details>")[0]
    lines = [line[4:] for line in answer.splitlines() if line.startswith("    ") or not line.strip()]
    student = {}
    exec("import math\n" + "\n".join(lines).strip(), student)
    assert check_class(student["Mine"])
    careless = "\n".join(lines).replace("x.grad += ", "x.grad = ")
    exec("import math\n" + careless.strip(), student)
    feedback = check_class(student["Mine"])
    assert not feedback and feedback.slips == ("overwrites",)


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
        question = next(node for node in ast.parse(python(first)).body if isinstance(node, ast.If))
        assert ast.unparse(question.test) == "importlib.util.find_spec('viz') is None"
        exec(compile(python(first), path.name, "exec"), {})

    def test_its_first_cell_installs_from_the_checkout_where_there_is_one(self, path, tmp_path, monkeypatch):
        extras = "[" + ",".join(extras_of(load(path))) + "]" if extras_of(load(path)) else ""
        (tmp_path / "alone").mkdir()
        monkeypatch.chdir(tmp_path / "alone")
        assert installed_by(path) == [f"-q chainrule{extras}"]
        monkeypatch.chdir(FOLDER)
        assert installed_by(path) == [f"-q ..{extras}"]

    def test_what_it_imports_is_what_its_first_cell_installs_and_asks_for(self, path):
        first, *others = [cell for cell in load(path)["cells"] if cell["cell_type"] == "code"]
        needed = {name for cell in others for name in imported(python(cell))} & set(EXTRAS)
        extras = set(extras_of(load(path)))
        assert {EXTRAS[name] for name in needed} <= extras
        asked = re.findall(r'"([a-z ]+)"\.split\(\)', source(first))
        assert {EXTRAS[name] for name in " ".join(asked).split()} == extras

    def test_without_what_it_needs_it_says_so_before_anything_fails(self, path, monkeypatch):
        first = load(path)["cells"][0]
        real = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in EXTRAS else real(name))
        program = compile(python(first), path.name, "exec")
        if path.name[:2] in ("01", "02", "03", "04"):
            exec(program, {})
            return
        with pytest.raises(
            ImportError, match="this lesson needs numpy and matplotlib.*In a browser run lessons 01 to 04"
        ):
            exec(program, {})

    def test_it_opens_with_its_number_and_title_and_what_it_shows(self, path):
        opening = load(path)["cells"][1]
        assert opening["cell_type"] == "markdown"
        assert source(opening).startswith(f"# {path.name[:2]} · ")
        assert "minutes" in source(opening)

    def test_it_opens_with_a_question(self, path):
        paragraphs = source(load(path)["cells"][1]).split("\n\n")
        assert paragraphs[1].startswith("> **") and paragraphs[1].endswith("?**")

    def test_three_places_or_more_say_predict_then_run_and_what_is_run_stands_below(self, path):
        cells = load(path)["cells"]
        places = [k for k, cell in enumerate(cells) if "**Predict, then run.**" in source(cell)]
        assert len(places) >= 3
        for k in places:
            told = source(cells[k]).rpartition("**Predict, then run.**")[2]
            assert "?" in told or "Sketch" in told or "Write" in told or "Fill" in told, told
            assert cells[k + 1]["cell_type"] == "code"

    def test_a_cell_to_be_read_asserts_two_things_at_most_and_the_closing_check_the_rest(self, path):
        cells = [cell for cell in load(path)["cells"] if cell["cell_type"] == "code"]
        for cell in cells[:-1]:
            assert len(re.findall(r"^\s*assert ", source(cell), flags=re.MULTILINE)) <= 2, source(cell)
        assert source(cells[-1]).startswith("# The closing check: ")

    def test_what_an_exercise_claims_is_checked(self, path):
        found = load(path)
        asked = re.findall(r"^\*\*(\d)\.\*\*", text(found, "markdown").partition("## Exercises")[2], flags=re.MULTILINE)
        [*_, check] = [source(cell) for cell in found["cells"] if cell["cell_type"] == "code"]
        parts = re.split(r"^# (\d)\b.*$", check, flags=re.MULTILINE)
        checked = {number for number, code in zip(parts[1::2], parts[2::2], strict=True) if "assert " in code}
        assert asked == [str(k) for k in range(1, len(asked) + 1)]
        assert set(asked) <= checked

    def test_what_a_student_writes_does_not_decide_whether_the_closing_check_passes(self, path):
        *cells, check = [cell for cell in load(path)["cells"] if cell["cell_type"] == "code"]
        for cell in cells:
            if "from autograd.exercises import" not in source(cell):
                continue
            body = ast.parse(source(cell)).body
            written = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
            for node in body:
                if isinstance(node, ast.Assign) and "..." in ast.unparse(node.value):
                    written |= {name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)}
            used = {node.id for node in ast.walk(ast.parse(source(check))) if isinstance(node, ast.Name)}
            assert not written & used

    def test_it_ends_with_what_to_remember_in_three_lines(self, path):
        title, *lines = source(load(path)["cells"][-1]).rstrip().splitlines()
        assert title == "## What to remember" and lines[0] == ""
        assert [line[:2] for line in lines[1:]] == ["- ", "- ", "- "]
        assert all(len(line.split()) <= 40 for line in lines)

    def test_it_closes_with_exercises_whose_answers_are_folded(self, path):
        written = text(load(path), "markdown")
        _, _, exercises = written.partition("## Exercises")
        assert exercises.count("<details>") == exercises.count("</details>") >= 2
        assert exercises.count("<summary>Answer</summary>") == exercises.count("<details>")

    def test_it_takes_ten_to_twenty_minutes_to_read(self, path):
        notebook = load(path)
        del notebook["cells"][0]  # which is run and not read

        *cells, _check = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]  # a check is run, not read
        words = len(text(notebook, "markdown").split())
        lines = len([line for cell in cells for line in source(cell).splitlines() if line.strip()])
        minutes = words / 140 + lines / 25 + sum(bool(cell.get("outputs")) for cell in notebook["cells"]) * 0.25
        assert 7 <= minutes <= 20, f"{words} words and {lines} lines of code: about {minutes:.0f} minutes"

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
        assert path.stat().st_size <= 400_000


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
        folder("print(('x' * 99 + chr(10)) * 5_000)")
        assert execute.main(["--write"]) == 1
        assert "400,000 is the limit" in capsys.readouterr().err

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

"""The catalogues follow the English texts: what is new, changed or lost is named, and code stays the same program."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("babel")

from translations import __main__ as command
from translations import catalogue, code, markdown, notebook, page, sources
from translations.__main__ import main
from translations.catalogue import Text

ROOT = Path(__file__).parents[2]
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*TEXTS[1:], ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def in_chinese(**words: str) -> catalogue.Catalog:
    found = catalogue.updated(catalogue.read(Path("nowhere"), "zh"), [Text(english, "here") for english in words], "zh")
    for message in found:
        if message.id:
            message.string = words[str(message.id)]
    return found


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_text_is_its_parts_one_after_another(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "".join(piece for _, piece in markdown.parts(text)) == text
    assert not any("```" in piece for message, piece in markdown.parts(text) if message)


def test_paragraphs_headings_and_items_are_messages_and_code_and_formulas_are_none() -> None:
    text = (
        "# A graph\nIt has *nodes*,\nand wires.\n\n```python\nx = 1  # one\n```\n"
        "- first\n- second\n\n$$x^2$$\n\n| a gate | why |\n|--|--|\n"
    )
    assert [piece for message, piece in markdown.parts(text) if message] == [
        "# A graph", "It has *nodes*,\nand wires.", "- first", "- second", "| a gate | why |\n|--|--|",
    ]  # fmt: skip


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_its_parts_and_its_programs_stay_the_same_in_another_language(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "".join(piece for _, piece in page.parts(text)) == text
    assert page.translated(text, lambda words: words) == text
    programs = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    other = programs.findall(page.translated(text, lambda words: f"译 {words}"))
    for one, another in zip(programs.findall(text), other, strict=True):
        if not one.startswith("    "):  # a piece of a program, as the recipes have
            assert code.same_program(one, another)


def test_of_a_page_rows_comments_titles_of_lists_and_descriptions_of_pictures_are_messages() -> None:
    text = (
        "# A page\n\n| a gate | why |\n|---|---|\n| `+` | it adds |\n| `x` | 3 |\n\n"
        "<!-- picture: a graph -->\n<!-- loop -->\n\n"
        "```python\nx = 1  # the first\n# and\n# the second\nprint([x])  # ['path']\nimport y  # noqa: E402\n```\n\n"
        "```sh\nls  # what is there\n```\n\n```text\nnot this\n```\n\n"
        "```{toctree}\n:hidden:\n\nRead me <readme>\nlessons/*\n```\n\n::::{container} doors\n- inside\n  of it\n::::\n"
    )
    assert [piece for message, piece in page.parts(text) if message] == [
        "# A page", "| a gate | why |", "| `+` | it adds |", "a graph", "the first", "and", "the second",
        "what is there", "Read me", "- inside\n  of it",
    ]  # fmt: skip
    made = page.translated(text, str.upper)
    assert "x = 1  # THE FIRST\n# AND\n# THE SECOND\n" in made and "READ ME <readme>\nlessons/*" in made


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site's pages and their catalogues in a folder of their own, which the command works on."""
    for name in ("docs", "translations/zh/docs"):
        only = shutil.ignore_patterns("pictures", "pins", "static", "__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=only)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    for module in (command, sources):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def test_a_paragraph_of_a_page_that_is_changed_in_english_only_is_named(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "docs/"]) == 0, capsys.readouterr().err
    live = copy / "docs" / "live.md"
    text = live.read_text("utf-8")
    live.write_text(text.replace("A live page computes by itself.", "A live page computes all by itself."), "utf-8")
    assert main(["check", "docs/"]) == 1
    assert "docs/live.md: new or changed in English, and not in the catalogue: “A live page" in capsys.readouterr().err

    assert main(["leave", "docs/live.md"]) == 0
    assert main(["check", "docs/"]) == 0
    assert "live.po: 1 paragraphs stand in English" in capsys.readouterr().out
    texts, _ = sources.in_language("zh")
    assert "computes all by itself" in texts["docs/live.md"] and catalogue.MARK["zh"] in texts["docs/live.md"]


def test_what_programs_write_into_pages_is_translated_with_them(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = copy / "docs" / "words.py"
    words.write_text(words.read_text("utf-8").replace('"It prints"', '"It prints this"'), "utf-8")
    assert main(["check", "docs/words.py"]) == 1
    assert "“It prints this”" in capsys.readouterr().err


def test_every_page_of_the_site_has_a_chinese_one_with_the_same_headings() -> None:
    texts, say = sources.in_language("zh")
    assert set(texts) == {path.relative_to(ROOT).as_posix() for path in PAGES}
    for name, text in texts.items():
        marks = [re.findall(r"^#+(?= )", one, re.MULTILINE) for one in (text, (ROOT / name).read_text("utf-8"))]
        assert marks[0] == marks[1], name
    assert say("It prints") == "它打印出"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])
def test_every_notebook_can_be_translated_and_stays_the_same_program(path: Path) -> None:
    for cell in notebook.cells(path):
        if cell["cell_type"] == "code":
            made = code.translated(cell["source"], lambda words: f"译文：{words}")
            assert code.same_program(cell["source"], made)
            assert "译文" not in code.translated(cell["source"], lambda words: words)
    assert b"\xe8\xaf\x91" in notebook.translated(path, lambda words: f"译 {words}", "zh")


def test_of_code_the_comments_and_the_words_that_are_shown_are_messages() -> None:
    source = (
        "%pip install -q this  # not this\n"
        "# Two lines,\n# one message.\n"
        'kind = {"relu": 1}["relu"]  # its number\n'
        'print("loss:", f"after {kind} steps", "relu")\n'
        'axes.legend(["before", "after all"], loc="upper left")\n'
        'axes.set(xlabel="epochs")\n'
    )
    assert [piece.message for piece in code.pieces(source)] == [
        "Two lines,\none message.", "its number", "loss:", "after {kind} steps", "relu", "after all", "epochs",
    ]  # fmt: skip


def test_a_single_word_beside_prose_is_a_label_and_is_the_same_wherever_it_is_looked_up() -> None:
    cells = [
        'runs = {"gradient descent": 1, "momentum": 2, "tanh": 3}\nact("tanh")\nprint(f"{runs[\'gradient descent\']}")',
        'print(runs["momentum"])\nassert runs["momentum"] < 3\nkind = "over 10 times" if x else "not even twice"',
        'for name, run in (("no penalty", 1), ("L2 penalty", 2)):\n    plot(name)\nact(loss="momentums")',
    ]
    also = code.labels(cells)
    assert also == {"momentum", "over 10 times", "not even twice", "no penalty", "L2 penalty"}
    made = [code.translated(cell, lambda words: f"译 {words}", plots=True, language="zh", also=also) for cell in cells]
    key = 'zh("译 momentum", "momentum")'
    assert f"{key}: 2" in made[0] and '"tanh": 3' in made[0]
    assert made[1].startswith(f"print(runs[{key}])\nassert runs[{key}] < 3")
    assert 'zh("译 over 10 times", "over 10 times") if x else' in made[1]
    assert '(zh("译 L2 penalty", "L2 penalty"), 2)' in made[2] and 'loss="momentums"' in made[2]


def test_a_word_that_an_f_string_chooses_is_shown() -> None:
    source = 'print(f"{name:8} {\'below 1e-9\' if x < 1e-9 else x}")\nprint(f"{name:8} {x}")'
    assert [piece.message for piece in code.pieces(source)] == ["{name:8} {'below 1e-9' if x < 1e-9 else x}"]
    made = code.translated(source, lambda words: words.replace("below", "小于"))
    assert "小于 1e-9" in made


def test_a_translation_that_loses_a_slot_is_refused() -> None:
    with pytest.raises(ValueError, match="changes the program"):
        code.translated('print(f"after {n} steps")', lambda words: "{k} 步之后")
    made = code.translated('print(f"{a:.2f} of {b}, that is all")', lambda words: "{b} 中的 {a:.2f}")
    assert made == 'print(f"{b} 中的 {a:.2f}")'


def test_what_is_new_changed_or_lost_is_named() -> None:
    old = "A gate multiplies the upstream gradient by its local derivative."
    found = in_chinese(**{old: "门把上游梯度乘以自己的局部导数。"})
    here = Path("zh.po")
    assert not list(catalogue.problems(here, found, [Text(old, "cell-1")]))

    changed = old.replace("multiplies", "always multiplies")
    (problem, gone) = catalogue.problems(here, found, [Text(changed, "cell-1")])
    assert (problem.place, problem.words) == ("cell-1", changed)
    assert "not in the catalogue" in str(problem)
    assert "always multiplies" in str(problem)
    assert gone.words == old

    found = catalogue.updated(found, [Text(changed, "cell-1")], "zh")
    (problem,) = catalogue.problems(here, found, [Text(changed, "cell-1")])
    assert "fuzzy" in problem.why


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("The slope is $2x$.", "斜率是 $2y$。"),
        ("Call `f.backward()`.", "调用 `f.backwards()`。"),
        ("See [the gallery](gallery.md).", "见[图库](galery.md)。"),
        ("{q} is {y}", "{q} 等于 {x}"),
        ("<details><summary>Answer</summary>", "<details>答案"),
    ],
)
def test_code_formulas_links_and_slots_are_kept(english: str, chinese: str) -> None:
    (problem,) = catalogue.problems(Path("zh.po"), in_chinese(**{english: chinese}), [Text(english, "here")])
    assert "does not keep" in problem.why


def test_what_is_left_in_english_does_not_block_and_is_marked() -> None:
    texts = [Text("A new paragraph.", "here")]
    found = catalogue.updated(in_chinese(), texts, "zh")
    assert catalogue.leave(found) == 1
    assert not list(catalogue.problems(Path("zh.po"), found, texts))
    assert [message.id for message in catalogue.left(found)] == ["A new paragraph."]
    assert catalogue.translator(found, "zh")("A new paragraph.") == "A new paragraph." + catalogue.MARK["zh"]


def test_a_catalogue_is_written_as_it_is_read(tmp_path: Path) -> None:
    found = in_chinese(**{"Many words, in\ntwo lines.": "许多话，\n两行。"})
    catalogue.leave(found)
    catalogue.write(tmp_path / "zh.po", found)
    first = (tmp_path / "zh.po").read_bytes()
    catalogue.write(tmp_path / "zh.po", catalogue.read(tmp_path / "zh.po", "zh"))
    assert (tmp_path / "zh.po").read_bytes() == first


def test_everything_that_has_a_catalogue_is_translated(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check"])
    assert status == 0, capsys.readouterr().err


def test_where_there_are_plots_a_label_keeps_its_english_and_what_is_printed_does_not() -> None:
    source = 'name = f"after {n} steps"\nprint(name, "and so on")\nassert n, "no steps at all"'
    made = code.translated(source, lambda words: words.replace("steps", "步"), plots=True, language="zh")
    assert made.splitlines()[0] == 'name = zh(f"after {n} 步", f"after {n} steps")'
    assert "zh" not in made.splitlines()[1]
    assert made.splitlines()[2] == 'assert n, "no 步 at all"'
    with pytest.raises(ValueError, match="changes the program"):
        code.translated(source, lambda words: words.replace("{n}", "{k}"), plots=True, language="zh")


def test_emphasis_in_a_translation_is_seen_by_markdown() -> None:
    """A closing ** between a full stop and a letter closes nothing: in Chinese the stop has to stand outside."""
    markdown_it = pytest.importorskip("markdown_it")

    def stars(text: str) -> int:
        tokens = markdown_it.MarkdownIt().parse(FORMULA.sub("x", text))
        return sum(part.content.count("*") for token in tokens for part in token.children or () if part.type == "text")

    for path in (ROOT / "translations").glob("*/**/*.po"):
        for message in catalogue.read(path, path.relative_to(ROOT / "translations").parts[0]):
            if message.id and "code" not in str(message.locations):
                assert stars(str(message.string)) <= stars(str(message.id)), message.string

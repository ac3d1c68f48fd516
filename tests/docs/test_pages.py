"""The pages of docs/ that hold programs: every program runs as it stands, and says what the page says."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn
import viz
from autograd.exercises import by_hand
from viz.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


def programs(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(program: str, page: str, names: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
    """The names that a program leaves, and what it printed."""
    names = {"__name__": page} if names is None else names
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, page, "exec"), names)
    return names, printed.getvalue()


def test_every_page_with_a_program_is_tried_here_or_by_a_test_of_its_own() -> None:
    """The gallery is run when the site is built, with the curriculum's figures (see test_site.py)."""
    with_programs = {page.name for page in DOCS.glob("*.md") if programs(page.name)}
    tried = "architecture.md compile.md from-micrograd-to-pytorch.md gallery.md live.md playground.md teaching.md"
    assert with_programs == set(tried.split())


# --- architecture.md


def test_every_file_that_the_plan_of_the_house_names_is_there() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 40
    assert [link for link in links if not (DOCS / link).exists()] == []
    names = re.findall(r"`((?:autograd|nn|viz|tests|docs)/[\w/.]*)`", text)
    assert [name for name in names if not (DOCS.parent / name).exists()] == []


def test_the_walks_through_the_house_run() -> None:
    backward, compiled = programs("architecture.md")
    names, _ = run(backward, "architecture.md")
    assert [names[leaf].grad for leaf in "xyz"] == [-4.0, -4.0, 3.0]
    names, source = run(compiled, "architecture.md", names)
    assert "def " in source
    x = [1.0, 2.0]
    assert names["step"]([x], [1.0]) == pytest.approx(names["loss"](x, 1.0).data, rel=1e-12)


def test_the_picture_of_the_house_is_that_of_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    house = importlib.import_module("house")
    drawn = house.svg()
    assert house.PICTURE.read_text(encoding="utf-8") == drawn, "draw it again: python docs/house.py"
    told = [word for line in re.findall(r"<text[^>]*>([^<]*)</text>", drawn) for word in line.split(" · ")]
    planned = [room for floors in house.plan().values() for floor in floors for room in floor.split()]
    assert set(planned) - set(told) == {"base", "numpy", "python", "jax", "numba"}  # a room too deep
    assert "prefers-color-scheme: dark" in drawn


# --- compile.md


def test_the_compilers_page_runs_and_counts_its_own_lines() -> None:
    first, source, loop, shown, inside, written = programs("compile.md")
    names, _ = run(first, "compile.md")
    assert run(loop, "compile.md", names)[1].endswith(f"\n\n{shown}\n")  # below its heading
    step, loss, X, Y = names["step"], names["loss"], names["X"], names["Y"]
    run(inside, "compile.md", names)
    assert names["step"].source.endswith(f"\n\n{written}")
    eager = [loss(x, y).data for x, y in zip(X.tolist(), Y.tolist(), strict=True)]  # after the step, which was pushed
    assert step(X, Y) == pytest.approx(sum(eager) / len(eager), rel=1e-12)
    text = (DOCS / "compile.md").read_text(encoding="utf-8")
    assert f"has the same {len(source.splitlines())} lines for any width" in text
    made = autograd.statistics(loss(X[0].tolist(), Y[0].tolist())).operations
    assert f"has {sum(made.values()):,} operations per image" in " ".join(text.split())


# --- live.md


def test_the_page_of_the_live_pages_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exploring, diagnosis = programs("live.md")
    run(exploring, "live.md")
    assert "data-chainrule-live" in Path("live.html").read_text(encoding="utf-8")
    assert run(diagnosis, "live.md")[1] == "['path']\n"


# --- teaching.md


def test_the_teachers_programs_run_and_say_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    said = [run(program, "teaching.md", names)[1] for program in programs("teaching.md")]
    text = (DOCS / "teaching.md").read_text(encoding="utf-8")
    assert f"```text\n{said[0]}```" in text
    for printed in filter(None, said[1:]):
        assert f"# {printed.strip()}\n" in text, printed
    assert {path.name for path in tmp_path.iterdir()} == set(
        "sheet.html key.html screen.html test.html test-keys.html week1.ipynb".split()
    )


def test_each_of_the_eight_lectures_has_its_five_things_and_they_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "teaching.md").read_text(encoding="utf-8")
    lectures = re.split(r"^### ", text.partition("## Exercises that answer back")[0], flags=re.MULTILINE)[1:]
    assert len(lectures) == 8
    gallery = (DOCS / "gallery.md").read_text(encoding="utf-8")
    for number, lecture in enumerate(lectures, 1):
        rows = dict(re.findall(r"^\| (\w[\w ]*) \| (.*) \|$", lecture, re.MULTILINE))
        assert rows.pop("what") == "where"  # the head
        assert list(rows) == ["notebooks", "pictures", "live page", "exercise", "worksheet"], number
        assert all((DOCS / link).is_file() for link in re.findall(r"\((\S+\.ipynb)\)", rows["notebooks"]))
        assert all(f"### {name} " in gallery for name in re.findall(r"\[([A-D]\d+)\]", rows["pictures"]))
        for command in re.findall(r"`(chainrule [^`]*)`", rows["live page"] + rows["worksheet"]):
            assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
        assert (tmp_path / f"lecture{number}.html").is_file() and (tmp_path / f"key{number}.html").is_file()
        for task in re.findall(r"`(by_hand[^`]*)`", rows["exercise"]):
            there = eval(task, {"by_hand": by_hand})
            key = there.key()
            assert there.check({name: key[f"∂f/∂{name}"] for name in there.gradients}).passed, task


# --- playground.md


def test_the_playgrounds_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = programs("playground.md")
    names, _ = run(first, "playground.md")
    assert "data-chainrule-playground" in Path("playground.html").read_text(encoding="utf-8")
    names, _ = run(second.replace("epochs=50", "epochs=2, progress=False"), "playground.md", names)
    assert len(names["history"]["loss"]) == 2


# --- from-micrograd-to-pytorch.md

TWENTY = dict(zip(("micrograd", "chainrule", "torch"), programs("from-micrograd-to-pytorch.md"), strict=False))
OURS, THEIRS, COMPILED, IN_ONE = programs("from-micrograd-to-pytorch.md")[3:]


def losses(printed: str) -> list[float]:
    return [float(line.split()[1]) for line in printed.splitlines()]


def test_the_same_twenty_lines_are_twenty_lines() -> None:
    for name, program in TWENTY.items():
        assert len([line for line in program.splitlines() if line]) <= 20, name
    assert "from micrograd" in TWENTY["micrograd"] and "from nn" in TWENTY["chainrule"] and "torch" in TWENTY["torch"]
    shared = set(TWENTY["micrograd"].splitlines()) & set(TWENTY["chainrule"].splitlines())
    assert len(TWENTY["chainrule"].splitlines()) - len(shared) <= 5  # two lines, and empty ones


def test_chainrules_twenty_lines_learn() -> None:
    _, printed = run(TWENTY["chainrule"], "from-micrograd-to-pytorch.md")
    found = losses(printed)
    assert len(found) == 20
    assert found[-1] < 0.5 * found[0]


@pytest.mark.parametrize("other", ["micrograd", "torch"])
def test_the_same_twenty_lines_give_the_same_losses_elsewhere(other: str) -> None:
    pytest.importorskip("torch") if other == "torch" else pytest.importorskip("micrograd")
    names, printed = run(TWENTY["chainrule"], "from-micrograd-to-pytorch.md")
    theirs, printed_there = run(TWENTY[other], "from-micrograd-to-pytorch.md")
    assert losses(printed) == pytest.approx(losses(printed_there), rel=1e-12)
    parameters = [p.data for p in names["model"].parameters()]
    if other == "micrograd":
        assert parameters == pytest.approx([p.data for p in theirs["model"].parameters()], rel=1e-12)
    else:  # PyTorch has a layer's weights in one tensor and its biases in another
        layers = names["model"].layers
        ordered = [[w.data for n in layer.neurons for w in n.w] + [n.b.data for n in layer.neurons] for layer in layers]
        numbers = [x for p in theirs["model"].parameters() for x in p.flatten().tolist()]
        assert sum(ordered, []) == pytest.approx(numbers, rel=1e-12)


def test_with_an_optimiser_both_take_the_same_step_and_fit_takes_twenty() -> None:
    names, _ = run(OURS, "", run(TWENTY["chainrule"], "")[0])
    history = run(IN_ONE, "", dict(names))[0]["history"]
    assert len(history["loss"]) == 20
    assert history.compiled
    pytest.importorskip("torch")
    names, _ = run(OURS, "", run(TWENTY["chainrule"], "")[0])
    theirs, _ = run(THEIRS, "", run(TWENTY["torch"], "")[0])
    assert names["loss"].data == pytest.approx(theirs["loss"].item(), rel=1e-12)
    last = theirs["model"][-1].bias.item()
    assert names["model"].layers[-1].neurons[0].b.data == pytest.approx(last, rel=1e-12)


def test_a_loss_as_it_stands_can_be_compiled_and_takes_the_same_steps() -> None:
    names, _ = run(OURS, "", run(TWENTY["chainrule"], "")[0])
    start = [p.data for p in names["model"].parameters()]
    found = losses(run(COMPILED, "", names)[1])
    ended = [p.data for p in names["model"].parameters()]
    for p, number in zip(names["model"].parameters(), start, strict=True):
        p.data = number
    expected = []
    for _ in range(20):
        again, _ = run(OURS, "", names)
        expected.append(again["loss"].data)
    assert found == pytest.approx(expected, rel=1e-12)
    assert ended == pytest.approx([p.data for p in names["model"].parameters()], rel=1e-12)


def test_what_is_called_what_exists() -> None:
    """Every plain name in the table's middle column is one of ours, and in the last one of PyTorch's."""
    table = re.findall(r"^\| (.*?) ?\| (.*?) ?\| (.*?) ?\|$", (DOCS / "from-micrograd-to-pytorch.md").read_text(), re.M)
    rows = [row for row in table if row[1] not in ("chainrule", "---")]
    assert len(rows) > 20
    for _, ours, _ in rows:
        for name in re.findall(r"(?<![\w.\"])([A-Za-z_]\w*)\(", ours):
            assert any(hasattr(place, name) for place in (autograd, nn, viz, nn.schedules)), name
        for owner, name in re.findall(r"\b(x|y|model|optimizer)\.(\w+)", ours):
            thing = {"x": autograd.Value, "y": autograd.Value, "model": nn.MLP, "optimizer": nn.SGD}[owner]
            assert hasattr(thing, name), f"{owner}.{name}"
        for name in re.findall(r"`([A-Za-z]+)`", ours):
            assert hasattr(nn, name), name
    torch = pytest.importorskip("torch")
    for _, _, theirs in rows:
        for path in re.findall(r"\btorch((?:\.\w+)+)", theirs):
            thing = torch
            for name in path.strip(".").split("."):
                thing = getattr(thing, name)
        for name in re.findall(r"(?<![\w.\"])([A-Z]\w+)[(`]", theirs):
            places = (torch.nn, torch.optim, torch.optim.lr_scheduler, torch.utils.data)
            assert any(hasattr(place, name) for place in places), name
        for name in re.findall(r"\bx\.(\w+)", theirs):
            assert hasattr(torch.Tensor, name), name

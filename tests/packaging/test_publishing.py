"""What is published: an index shows a README without a dead link, and the same source gives the same files."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

import autograd

from .conftest import ROOT, VERSIONS, Built, run, without_python_settings
from .test_wheel import metadata_of

ADDRESS = "https://example.org/somebody/chainrule"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """hatch_build.py, which fills in the README and the addresses."""
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


class Shown(HTMLParser):
    """The links and the pictures of a page, and the places in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "img":
            self.pictures.append(given.get("src", ""))


def as_an_index_shows_it(markdown: str) -> Shown:
    renderer = pytest.importorskip("readme_renderer.markdown", reason='needs pip install "readme-renderer[md]"')
    pytest.importorskip("comrak", reason='needs pip install "readme-renderer[md]"')
    html = renderer.render(markdown)
    assert html
    return Shown(html)


def files_of_the_readme() -> list[str]:
    """The paths that its links and pictures lead to, in order."""
    return re.findall(r"\]\((?!\w+:|#)([^)]+)\)", readme())


def test_the_readmes_own_links_lead_to_files() -> None:
    assert len(files_of_the_readme()) > 25
    assert [path for path in files_of_the_readme() if not (ROOT / path).exists()] == []


def test_without_an_address_no_link_of_the_readme_is_dead_and_no_picture_missing(hook: ModuleType) -> None:
    text = hook.for_an_index(readme(), "", "0.1.0")
    assert re.findall(r"\]\((?!\w+:|#)[^)]+\)", text) == []
    assert "a graph by hand" in text and "*The graph of f = (x + y) · z: f is −12" in text  # the words are kept
    assert len(text.splitlines()) == len(readme().splitlines())
    page = as_an_index_shows_it(text)
    assert all(link.startswith(("https://", "#")) for link in page.links)
    assert page.pictures == []


def test_with_an_address_every_link_and_picture_of_the_readme_is_absolute(hook: ModuleType) -> None:
    text = hook.for_an_index(readme(), ADDRESS, "0.1.0")
    for path in files_of_the_readme():
        kind = "raw" if path.endswith(".svg") else "blob"
        assert f"]({ADDRESS}/{kind}/v0.1.0/{path})" in text
    page = as_an_index_shows_it(text)
    assert all(link.startswith(("https://", "#")) for link in page.links)
    assert len(page.links) + len(page.pictures) >= len(files_of_the_readme())
    assert len(page.pictures) == 2


@pytest.mark.parametrize(
    ("markdown", "without", "with_one"),
    [
        ("[a](b.md)", "a", f"[a]({ADDRESS}/blob/v1/b.md)"),
        ("![a](b.svg)", "*a*", f"![a]({ADDRESS}/raw/v1/b.svg)"),
        ("[a](b.md#c) [d](e/f)", "a d", f"[a]({ADDRESS}/blob/v1/b.md#c) [d]({ADDRESS}/blob/v1/e/f)"),
        ("[a](#b) [c](https://d) `x[0](1)`", "[a](#b) [c](https://d) `x[0](1)`", None),
        ("```python\n[a](b)\n```\n[`a`](b)", "```python\n[a](b)\n```\n`a`", None),
    ],
)
def test_only_links_to_files_are_changed(hook: ModuleType, markdown: str, without: str, with_one: str | None) -> None:
    assert hook.for_an_index(markdown, "", "1") == without
    absolute = hook.for_an_index(markdown, ADDRESS, "1")
    assert absolute == (with_one or markdown.replace("[`a`](b)", f"[`a`]({ADDRESS}/blob/v1/b)"))


def test_one_setting_holds_the_address_and_fills_in_readme_and_urls(hook: ModuleType) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"readme", "urls"} <= set(settings["project"]["dynamic"])
    assert set(settings["tool"]["hatch"]["metadata"]["hooks"]["custom"]) == {"address"}
    for address, urls in (("", {}), (f"{ADDRESS}/", None)):
        metadata: dict[str, object] = {}
        hook.Hook(str(ROOT), {"address": address}).update(metadata)
        text = metadata["readme"]["text"]
        assert text == hook.for_an_index(readme(), address.rstrip("/"), autograd.__version__)
        assert metadata["urls"] == urls or all(url.startswith(ADDRESS) for url in metadata["urls"].values())
    assert metadata["urls"]["Homepage"] == ADDRESS
    assert all((ROOT / path).is_file() for path in hook.URLS.values() if path)


def test_the_citation_names_this_version_its_licence_and_who_wrote_it() -> None:
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "abstract", "type"} <= set(cited)
    assert (cited["version"], cited["license"]) == (autograd.__version__, "MIT")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [one["name"] for one in cited["authors"]] == [one["name"] for one in project["authors"]]


def test_the_classifiers_are_known_to_an_index_and_name_the_pythons_that_are_tried() -> None:
    known = pytest.importorskip("trove_classifiers", reason="comes with hatchling").classifiers
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [line for line in project["classifiers"] if line not in known] == []
    said = re.findall(r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)
    assert said == list(VERSIONS)
    assert project["requires-python"] == f">={said[0]}"
    assert f"for version in {' '.join(reversed(said))}; do" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_a_shell_can_read_every_program_of_the_release_workflow() -> None:
    yaml = pytest.importorskip("yaml")
    if (bash := shutil.which("bash")) is None:
        pytest.skip("there is no bash")
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    for name, job in jobs.items():
        assert job.get("needs", name) in jobs and job["runs-on"] and job["steps"]
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step  # one thing each
            assert re.fullmatch(r"[\w-]+/[\w-]+@[\w./-]+", step.get("uses", "a/b@c")), step
            subprocess.run([bash, "-n", "-c", step.get("run", "")], check=True)


def test_the_release_workflow_publishes_what_was_checked_and_needs_no_password() -> None:
    yaml = pytest.importorskip("yaml")
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert workflow["permissions"] == {}  # none but what a job asks for
    assert (publish["needs"], publish["permissions"]) == ("build", {"id-token": "write"})
    said = " ".join(step.get("run", "") for step in build["steps"])
    assert "twine check --strict" in said and "pytest" in said
    assert [step["uses"].split("@")[0] for step in publish["steps"]][-1] == "pypa/gh-action-pypi-publish"
    assert "secrets." not in text and "password" not in str(workflow)
    # the version as the workflow reads it
    read = re.search(r"sed -n '(.*?)' (\S+)\)", text)
    assert read is not None
    pattern = re.escape('__version__ = "') + "(.*)" + '"'
    assert read[1].replace("\\(", "(").replace("\\)", ")") == 's/^__version__ = "(.*)"$/\\1/p'
    assert (
        re.search(f"^{pattern}$", (ROOT / read[2]).read_text(encoding="utf-8"), re.MULTILINE)[1] == autograd.__version__
    )


# --- what is built


@pytest.mark.packaging
def test_what_is_built_passes_the_strict_check_of_an_index(built: Built) -> None:
    pytest.importorskip("twine", reason="needs pip install twine")
    run([sys.executable, "-m", "twine", "check", "--strict", built.wheel, built.sdist], cwd=built.wheel.parent)
    payload = str(metadata_of(built.wheel).get_payload())
    assert re.findall(r"\]\((?!\w+:|#)[^)]+\)", payload) == []


@pytest.mark.packaging
def test_a_second_build_elsewhere_and_at_another_time_gives_the_same_bytes(built: Built, tmp_path: Path) -> None:
    leave = shutil.ignore_patterns(".*_cache", "__pycache__", ".git", ".venv", ".hypothesis")
    copy = tmp_path / "elsewhere" / "source"
    shutil.copytree(ROOT, copy, ignore=leave)
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(path.stat().st_mode & 0o700)  # what runs still runs
    out = tmp_path / "out"
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy]
    run(build, cwd=tmp_path, env={**without_python_settings(), "TZ": "Asia/Tokyo", "LC_ALL": "C"})
    for one in (built.wheel, built.sdist):
        assert (out / one.name).read_bytes() == one.read_bytes(), one.name

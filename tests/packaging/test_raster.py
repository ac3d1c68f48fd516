"""PNG and PDF come through the extra `png`; without it, one line says what is missing."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from autograd import parse
from viz import draw_graph

from .conftest import HERE, Environment, bare, run


@pytest.mark.packaging
@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_without_the_extra_the_command_says_what_to_install(
    ending: str, installed: Callable[[str], Environment], tmp_path: Path
) -> None:
    command = installed(HERE).scripts / "chainrule"
    done = run([command, "x * y", "x=2", "y=3", "--out", f"f.{ending}"], cwd=tmp_path, env=bare(), check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "vl-convert-python" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_png_has_as_many_dots_as_asked_for_and_a_pdf_is_one(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    root = parse("sigmoid(w * x + b)", w=2, x=-1, b=3)
    root.backward()
    drawing = draw_graph(root, local=True)
    width = float(ET.fromstring(drawing.svg).attrib["width"])
    for scale in (1.0, 3.0):
        png = drawing.save(tmp_path / "f.png", scale=scale).read_bytes()
        assert png.startswith(b"\x89PNG")
        assert struct.unpack(">I", png[16:20])[0] == pytest.approx(width * scale, abs=2)
    assert drawing.save(tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")

"""Formulas as MathML, which browsers show without a script: nothing has to be fetched, and nothing jumps."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def mathml(latex: str, display: str = "inline") -> str:
    """A formula in LaTeX as one line of MathML."""
    return re.sub(r"\s*\n\s*", "", convert(latex, display=display))


def visit_formula(translator: Any, node: nodes.Node) -> None:
    """What Sphinx calls for each formula of a page."""
    if isinstance(node, nodes.math_block):
        body = mathml(node.astext(), "block")
        translator.body.append(f'<div class="math" tabindex="0">{body}</div>')  # a long one scrolls, by keys, too
    else:
        translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


__all__ = ["mathml", "visit_formula"]

"""What programs say on the pages that they write; whatever stands here is translated with the pages."""

from __future__ import annotations

from autograd import SHEET
from autograd.ops import BUILT_IN

SHEET_TITLE = "# The derivative sheet"
SHEET_HEAD = """\
Every operation of the engine, as it stands in [`autograd/ops.py`](../autograd/ops.py): the value, one local
derivative per input, and what is taken where a derivative does not exist. There is no other place in chainrule where a
derivative is written down; backpropagation, higher derivatives, the drawings and the compiler all read this sheet."""
SHEET_PLOTS = """\
In the plots the <span class="value">value is the green line</span>, the
<span class="gradient">derivative the dashed orange one</span>; a dot is what is taken at a jump. In the
graphs the ∂ on a wire into a gate is the local derivative."""
SHEET_TABLE = "| operation | value | local derivatives | where there is none |"
SHEET_CARE = "Take care: {words}."
SHEET_PLOT = "Plot of {value} and of its derivative, {slope}, for x from −4 to 4"
SHEET_GRAPH = "The graph of {name} with its local derivatives on the wires"
READ_ME = "# Read me"
PRINTS = "It prints"
SEARCH = "Search the docs ..."
COPYRIGHT = "the authors of chainrule, MIT licence"

WORDS = [
    *(SHEET_TITLE, SHEET_HEAD, SHEET_PLOTS, SHEET_TABLE, SHEET_CARE, SHEET_PLOT, SHEET_GRAPH),
    *(READ_ME, PRINTS, SEARCH, COPYRIGHT),
    *dict.fromkeys(SHEET[name].singular for name in SHEET if name in BUILT_IN and SHEET[name].singular),
]

"""Where to draw each box of a graph: a layered layout in pure Python (Sugiyama, Tagawa and Toda 1981).

The picture flows from left to right.  Five questions are answered one after the other, each by one file, and each
answer is the input of the next:

1. `ranks`: in which column does a box stand?             -> columns in which every wire goes to the right
2. `trunks`: where does a long wire pass a column?        -> dummy nodes, so that wires join adjacent columns only
3. `order`: in which order do a column's nodes stand?     -> few crossings
4. `heights`: at which y does each node stand?            -> straight wires, gates centred on their inputs
5. `routes`: at which x does each column stand, and how does each wire run?  -> room for the wires to bend

`sugiyama` asks them, in `layered`; in between, `shifts` asks the first three once more, together, where wires still
cross, and `strands` the second: a wire may leave the trunk that it shares.  Below them all stand `net`, the types that
are asked about, and `simplex`, the forest of tight links by which `ranks` and `heights` make wires short.

Everything is deterministic: plain loops over lists, no sets, no hashing, no clock.  Effort is limited by a
count of operations, never by seconds, so the same graph gives the same floats on every machine.
"""

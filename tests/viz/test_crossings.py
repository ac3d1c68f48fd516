"""How few wires cross: the lecture's graphs against the exact optimum, and pictures that stay as a graph grows."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest

from viz.layout import order
from viz.layout.net import Box, Net, Wire
from viz.layout.ranks import assign_ranks, earliest_ranks
from viz.layout.sugiyama import layered
from viz.layout.trunks import insert_trunks

Graph = tuple[list[Box], list[Wire]]


def graph(*operands: tuple[int, ...]) -> Graph:
    """Box i computes from the boxes `operands[i]`, in that order."""
    boxes: list[Box] = []
    wires: list[Wire] = []
    for target, sources in enumerate(operands):
        n = len(sources)
        boxes.append(Box(60.0, 50.0, tuple((k - (n - 1) / 2) * 16 for k in range(n))))
        wires += [Wire(source, target, k) for k, source in enumerate(sources)]
    return boxes, wires


def mlp(inputs: int, *layers: int) -> Graph:
    """An MLP node by node, in the order in which a person writes it: each neuron is Σ w·x + b and an activation."""
    operands: list[tuple[int, ...]] = [()] * inputs
    values = list(range(inputs))

    def add(*sources: int) -> int:
        operands.append(sources)
        return len(operands) - 1

    for width in layers:
        outputs = []
        for _ in range(width):
            total = add()
            for value in values:
                total = add(total, add(add(), value))
            outputs.append(add(total))
        values = outputs
    return graph(*operands)


GRAPHS = {
    "product of a sum": graph((), (), (0, 1), (), (2, 3)),
    "sigmoid gate": graph((), (), (0, 1), (), (), (3, 4), (2, 5), (), (6, 7), (8,), (9,), (), (10, 11), (12,)),
    "diamond": graph((), (), (0, 1), (2,), (), (4, 3), (), (6, 3), (5, 7), (3, 8), (9, 5)),
    "|Wx|²": graph((), (), (), (), (), (), (0, 2), (1, 3), (6, 7), (0, 4), (1, 5), (9, 10), (8, 8), (11, 11), (12, 13)),
    "two neurons": mlp(2, 2),
    "MLP(2, [2, 1])": mlp(2, 2, 1),
    "MLP(3, [2, 1])": mlp(3, 2, 1),
    "MLP(2, [3, 1])": mlp(2, 3, 1),
}


def operands_first(written: Graph) -> Graph:
    """The same graph, its boxes in the order in which `topological_order` finds them from the root."""
    boxes, wires = written
    found: dict[int, int] = {}
    stack = [len(boxes) - 1]
    while stack:
        v = stack[-1]
        inputs = [w.source for w in wires if w.target == v and w.source not in found]
        if inputs:
            stack.append(inputs[0])
        else:
            found.setdefault(stack.pop(), len(found))
    ahead = [Wire(found[w.source], found[w.target], w.port) for w in wires if w.target in found]
    return [boxes[v] for v in found], ahead


def least_crossings(net: Net) -> int:
    """The optimum for these columns, by an integer program of linear orderings (Jünger and Mutzel 1997).

    One variable for each pair of a column, 1 where the first stands above the second; one for each pair of edges that
    may cross, at least the difference of two such variables; and no three of a column in a circle.
    """
    optimize = pytest.importorskip("scipy.optimize")
    sparse = pytest.importorskip("scipy.sparse")
    pairs: dict[tuple[int, int], int] = {}
    for column in net.columns:
        for u, v in combinations(sorted(column), 2):
            pairs[u, v] = len(pairs)
    costs = [0.0] * len(pairs)
    fixed = 0
    rows: list[tuple[dict[int, float], float]] = []  # sums that are at most so much

    def above(u: int, v: int, sign: float = 1.0) -> tuple[dict[int, float], float]:
        """Whether u stands above v, as a sum of variables and a number."""
        return ({pairs[u, v]: sign}, 0.0) if u < v else ({pairs[v, u]: -sign}, sign)

    for column in net.columns:
        for u, v, w in combinations(sorted(column), 3):
            rows.append(({pairs[u, v]: 1.0, pairs[v, w]: 1.0, pairs[u, w]: -1.0}, 1.0))
            rows.append(({pairs[u, v]: -1.0, pairs[v, w]: -1.0, pairs[u, w]: 1.0}, 0.0))
        edges = [(u, t, door) for u in column for t, _, door in net.outs[u]]
        for (u, t, door), (v, x, other) in combinations(edges, 2):
            if u == v or (t == x and door == other):
                continue
            if t == x:  # crossed where the one that enters further down stands above
                terms, number = above(v, u) if door < other else above(u, v)
                fixed += int(number)
                for k, sign in terms.items():
                    costs[k] += sign
                continue
            costs.append(1.0)
            for way in (1.0, -1.0):
                (first, a), (second, b) = above(u, v, way), above(t, x, -way)
                rows.append(({**first, **second, len(costs) - 1: -1.0}, -a - b))
    if not costs:
        return 0
    matrix = sparse.lil_matrix((len(rows), len(costs)))
    for i, (row, _) in enumerate(rows):
        for k, value in row.items():
            matrix[i, k] = value
    limits = optimize.LinearConstraint(matrix.tocsr(), -math.inf, [limit for _, limit in rows])
    found = optimize.milp(
        costs, constraints=limits if rows else (), bounds=optimize.Bounds(0, 1), integrality=[1] * len(costs)
    )
    assert found.status == 0
    return round(float(found.fun)) + fixed


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("commutes", [False, True], ids=["ports", "commuting"])
def test_as_few_wires_of_a_lecture_s_graph_cross_as_can_be(name: str, commutes: bool) -> None:
    boxes, wires = GRAPHS[name]
    boxes = [Box(box.width, box.height, box.ports, commutes) for box in boxes]
    assert len(boxes) <= 40
    drawn = layered(boxes, wires)
    net = insert_trunks(boxes, wires, drawn.rank, 14)
    order.reduce_crossings(net)
    least = least_crossings(net)
    assert least <= drawn.crossings <= 1.1 * least


OTHER_COLUMNS = {  # fewest crossings in the columns in which wires are shortest, and those that boxes may move to
    "none for one": (1, 0, graph((), (), (0, 1), (), (2, 2), (4, 3), (2,), (4, 1))),
    "three for five": (5, 3, graph((), (), (1, 0), (1, 0), (0, 3), (2, 3), (1, 4), (), (0, 1))),
    "two for four": (4, 2, graph((), (), (0, 0), (1,), (2,), (0, 3), (3, 4), (), (4, 5), (2, 5))),
}


@pytest.mark.parametrize("name", OTHER_COLUMNS)
def test_boxes_move_to_other_columns_where_no_order_saves_as_many_crossings(name: str) -> None:
    before, after, (boxes, wires) = OTHER_COLUMNS[name]
    for ranks in (assign_ranks, earliest_ranks):
        net = insert_trunks(boxes, wires, ranks(len(boxes), wires), 14)
        order.set_columns(net, order.columns_from(net, list(range(len(net.rank)))))
        assert least_crossings(net) == before
    drawn = layered(boxes, wires)
    assert drawn.crossings <= after
    assert max(drawn.rank) <= len(net.columns)  # at most a column more


APART = {  # fewer wires cross than in any order of columns in which all wires of a box share one trunk
    "above and below": graph((), (0,), (1,), (2,), (0, 2), (3, 0), (2,), (0, 1)),
    "one of two long wires": graph((), (0,), (0,), (2,), (1, 0), (0, 1), (), (5, 2)),
    "one of four wires": graph((), (0,), (0,), (1, 0), (0, 3), (0,), (3, 2)),
}


@pytest.mark.parametrize("name", APART)
def test_a_wire_leaves_its_trunk_where_no_order_saves_as_many_crossings(name: str) -> None:
    boxes, wires = APART[name]
    drawn = layered(boxes, wires)
    net = insert_trunks(boxes, wires, drawn.rank, 14)
    order.set_columns(net, order.columns_from(net, list(range(len(net.rank)))))
    assert drawn.crossings < least_crossings(net)


def test_what_stands_at_an_end_stays_there_when_boxes_move() -> None:
    boxes, wires = graph((), (), (0, 1), (), (2, 2), (4, 3), (2,), (4, 1), (7,), (5,))
    drawn = layered(boxes, wires, at_start=[0, 1, 3], at_end=[8, 9])
    assert [drawn.rank[v] for v in (0, 1, 3)] == [0, 0, 0]
    assert drawn.rank[8] == drawn.rank[9] == max(drawn.rank)


def test_what_stands_stays_in_its_order_when_a_node_is_added() -> None:
    """Of the pairs in one column before and after, and of all pairs from left to right, 95 in 100 keep their order."""
    in_columns, in_rows = [0, 0], [0, 0]
    for boxes, wires in map(operands_first, GRAPHS.values()):
        drawn = [layered(boxes[:k], [wire for wire in wires if wire.target < k]) for k in range(1, len(boxes) + 1)]
        for old, new in pairwise(drawn):
            for a, b in combinations(range(len(old.x)), 2):
                if old.rank[a] == old.rank[b] and new.rank[a] == new.rank[b]:
                    in_columns[(old.y[a] < old.y[b]) == (new.y[a] < new.y[b])] += 1
                in_rows[(old.rank[a] - old.rank[b]) * (new.rank[a] - new.rank[b]) >= 0] += 1
    assert in_columns[True] >= 0.95 * sum(in_columns) > 1000
    assert in_rows[True] >= 0.95 * sum(in_rows) > 1000

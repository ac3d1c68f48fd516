"""The layered layout: what every drawing may rely on, checked on hand-made and on random graphs."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from itertools import combinations, pairwise, product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz.layout import order
from viz.layout.annealing import SCALE, Swaps, gaps_of
from viz.layout.net import Box, Layout, Net, Wire
from viz.layout.ranks import assign_ranks
from viz.layout.routes import draw, smooth
from viz.layout.shifts import Shifts
from viz.layout.strands import best_way, split
from viz.layout.sugiyama import TRIAL, layered
from viz.layout.trunks import insert_trunks

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 0.02  # two coordinates, each rounded to 0.01


def graph(*operands: tuple[int, ...], height: float = 50.0) -> tuple[list[Box], list[Wire]]:
    """Box i computes from the boxes `operands[i]`, in that order, through evenly spread ports."""
    boxes, wires = [], []
    for target, sources in enumerate(operands):
        n = len(sources)
        boxes.append(Box(60.0, height, tuple((k - (n - 1) / 2) * 16 for k in range(n)) or (0.0,)))
        wires += [Wire(source, target, k) for k, source in enumerate(sources)]
    return boxes, wires


def chain(length: int) -> tuple[list[Box], list[Wire]]:
    return graph((), *[(i,) for i in range(length - 1)])


def binary_tree(depth: int) -> tuple[list[Box], list[Wire]]:
    """Leaves first, then the gates level by level: ((a b) (c d)) ..."""
    operands: list[tuple[int, ...]] = [() for _ in range(2**depth)]
    level = list(range(len(operands)))
    while len(level) > 1:
        fresh = []
        for left, right in zip(level[::2], level[1::2], strict=True):
            fresh.append(len(operands))
            operands.append((left, right))
        level = fresh
    return graph(*operands)


@st.composite
def random_graphs(draw: st.DrawFn) -> tuple[list[Box], list[Wire]]:
    """DAGs of boxes of different sizes, with up to three operands and results, repeated operands, isolated boxes."""
    boxes: list[Box] = []
    wires: list[Wire] = []
    for target in range(draw(st.integers(0, 30))):
        n = draw(st.sampled_from([0, 1, 2, 2, 3])) if target else 0
        height = draw(st.sampled_from([40.0, 47.5, 60.0]))
        ports = tuple((k - (n - 1) / 2) * 13.3 for k in range(n)) or (0.0,)
        exits = draw(st.sampled_from([(0.0,), (0.0,), (-10.0, 10.0), (12.1, 0.0, -12.1)]))
        boxes.append(Box(draw(st.sampled_from([50.0, 61.3, 150.0])), height, ports, draw(st.booleans()), exits))
        for k in range(n):
            source = draw(st.integers(0, target - 1))
            wires.append(Wire(source, target, k, draw(st.integers(0, len(boxes[source].exits) - 1))))
    return boxes, wires


def check(boxes: list[Box], wires: list[Wire], most: float = math.inf) -> Layout:
    """Assert everything that holds for every drawing."""
    drawn = layered(boxes, wires, most=most)
    assert len(drawn.x) == len(drawn.y) == len(drawn.rank) == len(boxes)
    assert len(drawn.routes) == len(wires)
    sides = [
        (x - box.width / 2, y - box.height / 2, x + box.width / 2, y + box.height / 2)
        for box, x, y in zip(boxes, drawn.x, drawn.y, strict=True)
    ]

    for left, top, right, bottom in sides:  # inside the picture
        assert min(left, top) >= -TOLERANCE
        assert right <= drawn.width + TOLERANCE
        assert bottom <= drawn.height + TOLERANCE

    for a, b in combinations(range(len(boxes)), 2):  # boxes keep apart
        across = max(sides[a][0], sides[b][0]) - min(sides[a][2], sides[b][2])
        along = max(sides[a][1], sides[b][1]) - min(sides[a][3], sides[b][3])
        assert across >= 14 - TOLERANCE or along >= 14 - TOLERANCE

    entries: dict[int, list[float]] = {}
    for wire, route in zip(wires, drawn.routes, strict=True):
        u, t = wire.source, wire.target
        assert drawn.rank[u] < drawn.rank[t]
        assert route[0] == pytest.approx((sides[u][2], drawn.y[u] + boxes[u].exits[wire.exit]), abs=TOLERANCE)
        assert route[-1][0] == pytest.approx(sides[t][0], abs=TOLERANCE)
        entries.setdefault(t, []).append(route[-1][1] - drawn.y[t])
        if not boxes[t].commutes:
            assert entries[t][-1] == pytest.approx(boxes[t].ports[wire.port], abs=TOLERANCE)
        for (x0, _), (x1, _) in pairwise(route):
            assert x0 < x1
        for curve in smooth(route):
            (x0, y0), (x1, y1), (x2, y2), (x3, y3) = curve
            assert x0 <= x1 <= x2 <= x3
            assert (y0, y2) == (y1, y3)
        for n, (left, top, right, bottom) in enumerate(sides):  # no wire runs through a box
            for (x0, y0), (x1, y1) in pairwise(route):
                if n not in (u, t) and x0 < right - TOLERANCE and x1 > left + TOLERANCE:
                    assert max(y0, y1) <= top + TOLERANCE or min(y0, y1) >= bottom - TOLERANCE
    for t, offsets in entries.items():  # every operand has its own port
        assert sorted(offsets) == pytest.approx(sorted(boxes[t].ports), abs=TOLERANCE)
    return drawn


def swaps_of(net: Net) -> Swaps:
    return Swaps(net.columns, gaps_of(net), net.owner)


def brute_crossings(net: Net) -> int:
    """Pairs of edges between adjacent columns that start in one order and end in the other."""
    total = 0
    for column in net.columns:
        edges = [
            ((net.place[v], round(net.offsets[t][k] - net.drops[t][k], 6)), (net.place[t], net.offsets[t][k]))
            for v in column
            for t, k, _ in net.outs[v]
        ]
        for (a, c), (b, d) in combinations(edges, 2):
            total += (a < b and c > d) or (a > b and c < d)
    return total


@settings(max_examples=150, deadline=None)
@given(random_graphs())
def test_random_graphs_are_drawn_cleanly(case: tuple[list[Box], list[Wire]]) -> None:
    check(*case)


@settings(max_examples=30, deadline=None)
@given(random_graphs(), st.sampled_from([0.0, 120.0, 200.0, 300.0]))
def test_a_picture_that_is_to_be_narrow_is_drawn_as_cleanly(case: tuple[list[Box], list[Wire]], most: float) -> None:
    assert check(*case, most=most).height <= check(*case).height


@pytest.mark.parametrize("depth", [2, 3])
def test_a_tree_of_many_leaves_fits_where_two_boxes_stand_side_by_side(depth: int) -> None:
    drawn = check(*binary_tree(depth), most=200.0)
    assert drawn.height <= 200.0 < layered(*binary_tree(depth)).height


@settings(max_examples=80, deadline=None)
@given(random_graphs())
def test_crossings_agree_with_brute_force(case: tuple[list[Box], list[Wire]]) -> None:
    boxes, wires = case
    net = insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)
    crossings = order.reduce_crossings(net)
    order.assign_ports(net, boxes)
    assert crossings == brute_crossings(net)
    trial = order.Ordering(insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)).improve(TRIAL)
    assert trial >= layered(boxes, wires).crossings  # which tries another ranking, too, and goes on with the better one


@settings(max_examples=40, deadline=None)
@given(random_graphs())
def test_a_search_that_goes_on_never_loses_what_it_has_found(case: tuple[list[Box], list[Wire]]) -> None:
    boxes, wires = case
    net = insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)
    search = order.Ordering(net)
    costs = [swaps_of(net).cost]
    for effort in (TRIAL, 0.3, 0.3):
        search.improve(effort)
        costs.append(swaps_of(net).cost)
    assert costs == sorted(costs, reverse=True)
    order.assign_ports(net, boxes)
    assert search.crossings == brute_crossings(net)


@settings(max_examples=60, deadline=None)
@given(random_graphs())
def test_what_a_swap_costs_is_known_beforehand_and_stays_right(case: tuple[list[Box], list[Wire]]) -> None:
    boxes, wires = case
    net = insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)
    order.set_columns(net, order.columns_from(net, list(range(len(net.rank)))))
    swaps = swaps_of(net)
    random = Random(len(wires))
    for _ in range(40):
        pairs = [(r, *pair) for r, column in enumerate(swaps.columns) for pair in pairwise(column)]
        if not pairs:
            return
        k = random.randrange(len(pairs))
        r, v, x = pairs[k]
        expected = swaps.cost - swaps.costs[r][v][x]
        never, always = 10**9, -(10**9)
        swaps.round(iter([never] * k + [always] + [never] * len(pairs)))  # one swap
        assert swaps.cost == expected
        assert (x, v) in pairwise(swaps.columns[r])
    order.set_columns(net, swaps.ordered())
    afresh = swaps_of(net)
    assert afresh.cost == swaps.cost
    assert afresh.costs == swaps.costs


@settings(max_examples=60, deadline=None)
@given(random_graphs(), st.sets(st.integers(0, 29), max_size=3))
def test_boxes_that_move_to_other_columns_never_add_a_crossing(
    case: tuple[list[Box], list[Wire]], pinned: set[int]
) -> None:
    boxes, wires = case
    net = insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)
    order.Ordering(net).improve(TRIAL)
    before = Swaps(net.columns, gaps_of(net)).cost
    shifts = Shifts(net, pinned, len(net.columns) + 2)
    for looks in (1, 10, 40):
        shifts.search(looks)
        assert all(shifts.rank[w.source] < shifts.rank[w.target] for w in wires)
        assert all(shifts.rank[v] == net.rank[v] for v in pinned if v < len(boxes))
        assert len(shifts.columns) <= len(net.columns) + 2
        moved = insert_trunks(boxes, wires, shifts.ranking(), 14)
        order.set_columns(moved, shifts.columns_of(moved))
        found = Swaps(moved.columns, gaps_of(moved)).cost
        assert found <= SCALE * sum(shifts.crossings) <= before
        if len(moved.columns) == len(shifts.columns):  # none was left empty
            assert found == SCALE * sum(shifts.crossings)
        before = SCALE * sum(shifts.crossings)


@settings(max_examples=60, deadline=None)
@given(random_graphs())
def test_wires_that_leave_their_trunks_never_add_a_crossing(case: tuple[list[Box], list[Wire]]) -> None:
    boxes, wires = case
    net = insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)
    order.set_columns(net, order.columns_from(net, list(range(len(net.rank)))))
    shifts = Shifts(net, set(), len(net.columns))
    before = sum(shifts.crossings)
    split(shifts, 1_000)
    after = sum(shifts.crossings)
    assert after < before if shifts.is_split else after == before
    apart = insert_trunks(boxes, wires, shifts.ranking(), 14, shifts.strands(net, wires), shifts.forks())
    order.set_columns(apart, shifts.columns_of(apart))
    assert sorted(v for column in apart.columns for v in column) == list(range(len(apart.rank)))
    assert Swaps(apart.columns, gaps_of(apart)).cost <= SCALE * after
    order.assign_ports(apart, boxes)
    assert order.count_crossings(apart) == brute_crossings(apart)
    for wire, k in zip(wires, apart.entry, strict=True):  # each comes from its box, column by column
        v = wire.target
        while v != wire.source:
            u = apart.ins[v][k if v == wire.target else 0]
            assert apart.rank[u] == apart.rank[v] - 1
            v = u


def test_trunks_that_part_are_one_line_until_then() -> None:
    boxes, wires = graph((), (0,), (1,), (2,), (3, 0), (4, 0))
    rank, strands = [0, 1, 2, 3, 4, 5], [int(wire == Wire(0, 5, 1)) for wire in wires]
    ends = [wires.index(Wire(0, t, 1)) for t in (4, 5)]
    parting: list[float] = []
    for shared, dummies in ((0, 7), (2, 5), (3, 4)):
        net = insert_trunks(boxes, wires, rank, 14, strands, {1: (0, shared)})
        assert len(net.rank) == len(boxes) + dummies
        order.set_columns(net, order.columns_from(net, sorted(range(len(net.rank)), key=lambda v: (v >= 6, v))))
        heights = [float(100 * net.columns[net.rank[v]].index(v)) for v in range(len(net.rank))]
        routes = draw(boxes, wires, net, heights, 0, 28).routes
        pairs = zip(*[routes[w] for w in ends], strict=False)
        parting.append(next(min(a, b)[0] for a, b in pairs if a != b))
    assert parting == sorted(set(parting))  # ever further to the right


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=5), st.integers(0, 10**6))
def test_the_best_way_of_a_wire_crosses_as_few_as_any_other(sizes: list[int], seed: int) -> None:
    random = Random(seed)
    columns = [[10 * r + i for i in range(size)] for r, size in enumerate(sizes)]
    gaps = [
        [(random.choice(left), random.randrange(2), random.choice(right), random.randrange(2), random.randint(1, 3))
         for _ in range(5)]
        for left, right in pairwise(columns)
    ]  # fmt: skip
    start, end = (random.choice(columns[0]), 0), (random.choice(columns[-1]), 1)

    def crossed(way: tuple[int, ...]) -> int:
        """Past which wires a way leads: ends in whole numbers and halves, and the way between them."""
        places = [start[0] % 10 + start[1] / 2, *(i - 0.25 for i in way), end[0] % 10 + end[1] / 2]
        return sum(
            load
            for (a, b), gap in zip(pairwise(places), gaps, strict=True)
            for v, lane, t, door, load in gap
            if (v % 10 + lane / 2 - a) * (t % 10 + door / 2 - b) < 0
        )

    ways = product(*(range(size + 1) for size in sizes[1:-1]))
    cost, way = best_way(columns, gaps, start, end, [0] * len(columns))
    assert cost == crossed(tuple(way)) == min(map(crossed, ways))


@settings(max_examples=60, deadline=None)
@given(random_graphs())
def test_switching_neighbours_never_adds_a_crossing(case: tuple[list[Box], list[Wire]]) -> None:
    boxes, wires = case
    net = insert_trunks(boxes, wires, assign_ranks(len(boxes), wires), 14)
    order.set_columns(net, order.columns_from(net, list(range(len(net.rank)))))
    before = order.count_crossings(net)
    for _ in range(3):
        order.switch_everything(net, 1)
        assert order.count_crossings(net) <= before
        before = order.count_crossings(net)


@settings(max_examples=40, deadline=None)
@given(random_graphs())
def test_ranks_make_the_wires_as_short_as_linear_programming_does(case: tuple[list[Box], list[Wire]]) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    boxes, wires = case
    if not wires:
        return
    rank = assign_ranks(len(boxes), wires)
    fan_out = [sum(w.source == v for w in wires) for v in range(len(boxes))]
    weights = [3 if fan_out[w.source] == 1 else 2 for w in wires]  # wires that share a trunk weigh less
    rows = [[(v == w.source) - (v == w.target) for v in range(len(boxes))] for w in wires]
    cost = [-sum(weight * row[v] for weight, row in zip(weights, rows, strict=True)) for v in range(len(boxes))]
    best = optimize.linprog(cost, A_ub=rows, b_ub=[-1] * len(wires), bounds=(None, None))
    total = sum(weight * (rank[w.target] - rank[w.source]) for weight, w in zip(weights, wires, strict=True))
    assert total == pytest.approx(best.fun)


def test_an_empty_graph_has_no_size() -> None:
    assert layered([], []) == Layout(0.0, 0.0, [], [], [], [], 0)


def test_one_box_fills_its_picture() -> None:
    drawn = layered([Box(90, 40)], [])
    assert (drawn.width, drawn.height, drawn.x, drawn.y) == (90, 40, [45], [20])


def test_isolated_boxes_and_several_components_keep_apart() -> None:
    check(*graph((), (0,), (), (), (3, 3), (), (5,), (6,)))


def test_a_cycle_is_an_error() -> None:
    with pytest.raises(ValueError, match="cycle"):
        layered([Box(50, 40), Box(50, 40)], [Wire(0, 1, 0), Wire(1, 0, 0)])


def test_one_operand_used_twice_gets_two_wires() -> None:
    drawn = check(*graph((), (0, 0)))
    assert drawn.routes[0] != drawn.routes[1]
    assert drawn.routes[0][-1][1] < drawn.routes[1][-1][1]
    assert drawn.crossings == 0


def test_operands_enter_in_order_even_when_created_in_reverse() -> None:
    drawn = check(*graph((), (), (1, 0)))
    assert drawn.y[1] < drawn.y[0]


def test_swapped_operands_cost_a_crossing_unless_the_gate_commutes() -> None:
    boxes, wires = graph((), (), (0, 1), (1, 0))
    assert layered(boxes, wires).crossings == 2
    boxes = [Box(box.width, box.height, box.ports, commutes=True) for box in boxes]
    assert check(boxes, wires).crossings == 1


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_a_tree_has_no_crossings(depth: int) -> None:
    assert check(*binary_tree(depth)).crossings == 0


def test_a_gate_is_centred_on_its_inputs() -> None:
    drawn = layered(*graph((), (), (0, 1)))
    assert drawn.y[2] == pytest.approx((drawn.y[0] + drawn.y[1]) / 2, abs=TOLERANCE)


def test_a_chain_is_straight() -> None:
    drawn = layered(*chain(50))
    assert len(set(drawn.y)) == 1
    assert drawn.rank == list(range(50))


def test_a_leaf_stands_right_before_its_first_consumer() -> None:
    drawn = layered(*graph((), (0,), (1,), (), (2, 3)))
    assert drawn.rank[3] == drawn.rank[4] - 1


def test_long_wires_of_one_box_share_a_trunk() -> None:
    boxes, wires = graph((), (0,), (1,), (2,), (3, 0), (4, 0))
    drawn = check(boxes, wires)
    to_first = drawn.routes[wires.index(Wire(0, 4, 1))]
    to_second = drawn.routes[wires.index(Wire(0, 5, 1))]
    assert to_first[0] == to_second[0]
    assert to_first[2][1] == to_second[2][1]  # past the first bend they are still one line
    assert to_first[2][0] < to_second[2][0]


def test_the_layout_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from viz.layout.net import Box, Wire\n"
        "from viz.layout.sugiyama import layered\n"
        "boxes = [Box(50 + i % 3 * 20, 40 + i % 2 * 20, (-8, 8)) for i in range(60)]\n"
        "wires = [Wire(i * 7 % (i + 1) if k else i, i + 1, k) for i in range(59) for k in (0, 1)]\n"
        "print(repr(layered(boxes, wires)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


def test_the_layout_is_the_same_on_every_python_version() -> None:
    boxes = [Box(50 + i % 3 * 20, 40 + i % 2 * 20, (-8, 8)) for i in range(60)]
    wires = [Wire(i * 7 % (i + 1) if k else i, i + 1, k) for i in range(59) for k in (0, 1)]
    digest = hashlib.sha256(repr(layered(boxes, wires)).encode()).hexdigest()
    assert digest[:16] == "9d3d54ef40e28916"


def test_a_long_chain_does_not_recurse() -> None:
    boxes, wires = chain(3_000)  # three times as deep as Python's own stack
    drawn = layered(boxes, wires)
    assert drawn.rank[-1] == 2_999
    assert len(set(drawn.y)) == 1


def test_wires_leave_at_their_exits_and_are_straight_where_a_port_faces_the_exit() -> None:
    boxes = [Box(80, 60, (), exits=(-16.0, 0.0, 16.0)), Box(60, 60, (-16.0, 0.0, 16.0))]
    drawn = check(boxes, [Wire(0, 1, k, k) for k in range(3)])
    assert drawn.crossings == 0
    assert [len({y for _, y in route}) for route in drawn.routes] == [1, 1, 1]
    assert [route[0][1] - drawn.y[0] for route in drawn.routes] == [-16.0, 0.0, 16.0]
    turned = check(boxes, [Wire(0, 1, k, 2 - k) for k in range(3)])
    assert turned.crossings == 3  # wires of one box that leave at different exits cross as others do


def test_each_exit_has_a_trunk_of_its_own_and_shares_it_with_no_other() -> None:
    boxes = [Box(60, 60, (), exits=(-15.0, 15.0)), *[Box(40, 40)] * 3, *[Box(40, 40, (-9.0, 0.0, 9.0))] * 2]
    wires = [Wire(0, 1, 0, 0), Wire(1, 2, 0), Wire(2, 3, 0), Wire(3, 4, 0), Wire(4, 5, 0)]
    wires += [Wire(0, 4, 1, 0), Wire(0, 4, 2, 1), Wire(0, 5, 1, 0), Wire(0, 5, 2, 1)]
    drawn = check(boxes, wires)
    upper, lower, upper_on, lower_on = drawn.routes[-4:]
    assert upper[0] == upper_on[0]
    assert lower[0] == lower_on[0]
    assert upper[1][1] == upper_on[1][1] < lower[1][1] == lower_on[1][1]


def test_boxes_stand_in_the_order_of_the_exits_that_feed_them() -> None:
    boxes = [Box(60, 120, (), exits=(30.0, -30.0, 0.0)), *[Box(40, 30)] * 3]
    drawn = check(boxes, [Wire(0, 1, 0, 0), Wire(0, 2, 0, 1), Wire(0, 3, 0, 2)])
    assert drawn.y[2] < drawn.y[3] < drawn.y[1]
    assert drawn.crossings == 0


def test_a_wide_fan_in_and_a_wide_fan_out() -> None:
    boxes, wires = graph((), *[(0,)] * 40, tuple(range(1, 41)), height=700)
    assert check(boxes, wires).crossings == 0


def test_a_box_at_the_start_stands_in_the_first_column_however_late_it_is_used() -> None:
    boxes = [Box(40, 40)] * 4 + [Box(40, 40, (-9.0, 9.0)), Box(1, 10)]
    chain = [Wire(0, 1, 0), Wire(1, 2, 0), Wire(2, 3, 0), Wire(3, 4, 0), Wire(5, 4, 1)]
    assert layered(boxes, chain).rank[5] == 3  # a leaf stands right before its consumer
    pinned = layered(boxes, chain, at_start=[5])
    assert pinned.rank[5] == 0
    assert pinned.x[5] < pinned.x[1]
    assert pinned.crossings == 0

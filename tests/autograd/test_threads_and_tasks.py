"""Scopes and modes belong to the thread, and inside it to the asyncio task, that entered them."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import math
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import autograd as ag
from autograd import NonFiniteError, Value, detect_anomaly, no_grad, scope
from autograd.kernels import CURRENT, ROOT
from autograd.modes import KEPT, current_scope

AT_ONCE, EACH = 8, 125  # a thousand graphs in all


@pytest.fixture(autouse=True)
def _every_block_is_closed() -> Iterator[None]:
    yield
    assert CURRENT.get() is ROOT


@pytest.fixture
def _threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def nodes_of(y: Value) -> list[Value]:
    return [node for node in ag.topological_order(y) if node.op != "const"]


def graph(who: str) -> list[tuple[Value, str]]:
    """Nodes of all kinds, each with the scope that it should have."""
    x = Value(0.5)
    made = [(x, "")]
    with scope(who):
        made.append((x * 2 + 1, who))
        with scope("inner"):
            y = (x.tanh() - 3.0) / x
            made += [(Value(1.0), f"{who}.inner"), (y, f"{who}.inner"), (ag.dot([x, y], [y, x]), f"{who}.inner")]
        made.append((2**x, who))
    made.append((-x, ""))
    return made


def mixed(made: list[tuple[Value, str]]) -> int:
    return sum(node.scope != expected for node, expected in made)


@pytest.mark.usefixtures("_threads_take_turns_often")
def test_eight_threads_never_mix_their_scopes() -> None:
    def work(k: int) -> int:
        return sum(mixed(graph(f"thread{k}")) > 0 for _ in range(EACH))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(work, range(AT_ONCE))) == [0] * AT_ONCE


def test_eight_tasks_never_mix_their_scopes() -> None:
    async def work(k: int) -> int:
        wrong = 0
        for _ in range(EACH):
            x = Value(0.5)
            with scope(f"task{k}"):
                a = x * 2
                await asyncio.sleep(0)
                with scope("inner"):
                    b = a + x
                    await asyncio.sleep(0)
                    c = ag.logsumexp(a, b)
                await asyncio.sleep(0)
                d = c - 1
            await asyncio.sleep(0)
            inner = f"task{k}.inner"
            wrong += mixed([(a, f"task{k}"), (b, inner), (c, inner), (d, f"task{k}"), (d * x, "")]) > 0
        return wrong

    async def main() -> list[int]:
        return await asyncio.gather(*[work(k) for k in range(AT_ONCE)])

    assert asyncio.run(main()) == [0] * AT_ONCE


@pytest.mark.usefixtures("_threads_take_turns_often")
def test_modes_and_compiling_in_some_threads_leave_the_recording_of_others_alone() -> None:
    def recorder(k: int) -> bool:
        for _ in range(EACH):
            made = graph(f"thread{k}")
            if mixed(made) or not all(node.inputs for node, _ in made if node.op):
                return False
            if Value(0.0).log().data != -math.inf or not Value(1.0) < 2.0:
                return False
        return True

    def forgetter(k: int) -> bool:
        for _ in range(EACH):
            with no_grad():
                if any(node.inputs for node, _ in graph(f"thread{k}")):
                    return False
        return True

    def watcher(k: int) -> bool:
        for _ in range(EACH):
            with detect_anomaly(), pytest.raises(NonFiniteError):
                Value(0.0).log()
        return True

    def compiler(k: int) -> bool:
        w = Value(float(k))
        return all(ag.compile(lambda x: (w * x - 1.0) ** 2, 0.5)([3.0]) == (3.0 * k - 1.0) ** 2 for _ in range(10))

    kinds: list[Callable[[int], bool]] = [recorder, forgetter, watcher, compiler] * 2
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert all(pool.map(lambda k: kinds[k](k), range(AT_ONCE)))


def test_modes_do_not_leak_into_other_tasks() -> None:
    async def main() -> list[bool]:
        inside, seen = asyncio.Event(), asyncio.Event()

        async def other() -> list[bool]:
            await inside.wait()
            x = Value(0.0)
            found = [bool((x * 2).inputs), bool(ag.dot([x], [x]).inputs), x.log().data == -math.inf]
            seen.set()
            return found

        async def modal() -> list[bool]:
            with no_grad(), detect_anomaly():
                inside.set()
                await seen.wait()
                return [not (Value(1.0) * 2).inputs]

        found = await asyncio.gather(other(), modal())
        return found[0] + found[1]

    assert asyncio.run(main()) == [True] * 4


def test_a_task_begins_with_the_modes_of_the_code_that_started_it() -> None:
    async def child() -> tuple[str, bool]:
        y = Value(1.0) * 2
        return y.scope, bool(y.inputs)

    async def main() -> list[tuple[str, bool]]:
        with scope("parent"):
            recorded = asyncio.create_task(child())
            with no_grad():
                forgotten = asyncio.create_task(child())
                threaded = await asyncio.to_thread(lambda: bool((Value(1.0) * 2).inputs))
        assert threaded is False
        return [await recorded, await forgotten, await child()]  # long after their blocks were left

    assert asyncio.run(main()) == [("parent", True), ("parent", False), ("", True)]


def test_compiling_in_one_task_is_not_noticed_by_another() -> None:
    """A comparison in a task that is not compiling gives a bool, while one that compiles has stopped half-way."""

    x = Value(1.0)

    def half_way() -> Iterator[None]:
        from autograd.compiler.trace import Tracer, tracing

        with tracing(Tracer([x], None)):
            yield

    mine, other = contextvars.copy_context(), contextvars.copy_context()
    paused = half_way()
    mine.run(next, paused)
    assert other.run(lambda: bool(x < 2.0))
    assert mine.run(lambda: type(x < 2.0).__name__) == "Choice"
    with pytest.raises(StopIteration):
        mine.run(next, paused)


@pytest.mark.parametrize("block", [lambda: scope("half"), no_grad, detect_anomaly])
def test_a_generator_may_be_closed_by_another_thread_than_began_it(block: Callable[[], object]) -> None:
    def half_way() -> Iterator[Value]:
        with block():  # type: ignore[attr-defined]
            yield Value(1.0) * 2

    paused = half_way()
    with scope("outer"):
        contextvars.copy_context().run(next, paused)
    thread = threading.Thread(target=paused.close)
    thread.start()
    thread.join()
    with no_grad():
        again = half_way()
        contextvars.copy_context().run(next, again)
    again.close()
    y = Value(1.0) * 2
    assert (y.scope, bool(y.inputs), Value(0.0).log().data) == ("", True, -math.inf)


def test_modes_nest_in_any_order() -> None:
    with scope("a"):
        guard = no_grad()
        with guard, scope("b"), guard, detect_anomaly():
            assert current_scope() == "a.b"
            assert not (Value(1.0) * 2).inputs
        y = Value(1.0) * 2
        assert (y.scope, bool(y.inputs)) == ("a", True)
    first, second = no_grad(), detect_anomaly()
    first.__enter__()
    second.__enter__()
    first.__exit__()
    assert (Value(1.0) * 2).inputs
    with pytest.raises(NonFiniteError):
        Value(0.0).log()
    second.__exit__()


def test_scopes_that_are_never_entered_again_take_no_memory() -> None:
    x = Value(1.0)

    def enter(first: int, count: int) -> None:
        for k in range(first, first + count):
            with scope(f"step {k}"):
                x * 2

    enter(0, 2 * KEPT)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        enter(2 * KEPT, 25_000)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 2500 * KEPT  # 25,000 of them would be 55 MB


def test_a_scope_is_the_same_after_its_tags_were_forgotten() -> None:
    x = Value(1.0)
    with scope("long"):
        before = x * 2
        for k in range(KEPT + 1):
            with scope(f"part {k}"):
                pass
        assert (before.scope, (x * 2).scope) == ("long", "long")
        with scope("inner"):
            assert (x * 2).scope == "long.inner"

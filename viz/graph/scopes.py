"""Where each node of a graph belongs: the frame of its scope, the call of its model, the owner of a parameter.

A node's scope is a path such as "layers.0.neurons.2". Two things are not written there, and are read off the graph:

- A model that was called for several examples has filed them all under the same names. What uses a parameter once more
  and is not connected to its earlier use (by operations of the model; a loss that adds them up is outside) is another
  call: "call 2".
- A parameter that only one frame uses stands there. One that several frames share, such as a recurrent network's
  weights, stands between them, under the name of its owner.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd import Value
from autograd.ops import CONSTANT, LEAF

Path = tuple[str, ...]


def levels(scope: str) -> Path:
    """A scope's path, level by level; a number belongs to the word before it: layers.0.neurons.2 has two levels."""
    result: list[str] = []
    for word in scope.split("."):
        if word.isdigit() and result:
            result[-1] += "." + word
        elif word:
            result.append(word)
    return tuple(result)


def homes(order: Sequence[Value], sources: Sequence[Sequence[int]]) -> tuple[list[Path], list[Path]]:
    """For each node the frame that it stands in, and the path by which it is folded, both level by level.

    They differ for parameters that several frames share: these are folded with others of their owner.
    """
    scopes = [node.scope for node in order]
    split = {scope: levels(scope) for scope in dict.fromkeys(scopes)}
    if not any(split.values()):  # as in most graphs of a million nodes
        nowhere: list[Path] = [()] * len(order)
        return nowhere, nowhere
    own = [split[scope] for scope in scopes]
    computed = [bool(inputs) for inputs in sources]
    call = _calls(own, computed, sources)
    home = [(f"call {call[i]}", *path) if i in call else path for i, path in enumerate(own)]
    common: dict[int, Path] = {}  # of all that use an input
    for i in range(len(order) - 1, -1, -1):
        for source in sources[i]:
            if not computed[source]:
                common[source] = common_path(common.get(source, home[i]), home[i])
    folding = list(home)
    for i, path in common.items():
        node = order[i]
        if node.op == CONSTANT or (node.op == LEAF and own[i] and not node.unrecorded_op):
            home[i], folding[i] = path, path or own[i]
    return home, folding


def common_path(a: Path, b: Path) -> Path:
    """How two paths begin."""
    length = 0
    while length < min(len(a), len(b)) and a[length] == b[length]:
        length += 1
    return a[:length]


def _calls(own: Sequence[Path], computed: Sequence[bool], sources: Sequence[Sequence[int]]) -> dict[int, int]:
    """The call, from 1 on, of each operation with a scope; empty if there is one call only."""
    leader: dict[int, int] = {i: i for i, path in enumerate(own) if path and computed[i]}  # of those that are connected

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = i = leader[leader[i]]
        return i

    for i in leader:
        for source in sources[i]:
            if source in leader:
                leader[find(source)] = find(i)
    parameters: dict[int, list[int]] = {}
    for i in leader:
        parameters.setdefault(find(i), []).extend(s for s in sources[i] if own[s] and not computed[s])
    used: dict[int, int] = {}  # how many calls have used a parameter
    call: dict[int, int] = {}
    for component, mine in parameters.items():
        call[component] = 1 + max((used.get(p, 0) for p in mine), default=0)
        used.update(dict.fromkeys(mine, call[component]))
    return {i: call[find(i)] for i in leader} if max(call.values(), default=1) > 1 else {}


def unsaid(owner: Path, said: Path) -> Path:
    """What of a parameter's ``owner`` the frames around it, whose titles are ``said``, leave to be told.

    >>> unsaid(("layers.0", "neurons.1"), ("call 1", "layers.0"))
    ('neurons.1',)
    """
    for length in range(min(len(owner), len(said)), 0, -1):
        for end in range(length, len(owner) + 1):
            if owner[end - length : end] == said[len(said) - length :]:
                return owner[end:]
    return owner

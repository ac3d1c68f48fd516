"""Network simplex (Gansner, Koutsofios, North and Vo 1993): what is pulled moves until something holds it.

Nodes hang together in clusters, trees of links that are as short as they may be.  A part of a cluster that is pulled
harder than its link holds tears off, moves until it meets something, and hangs on there.  `ranks` moves boxes to the
left and right by it, `heights` moves nodes up and down."""

from __future__ import annotations

AHEAD, BEHIND, NOWHERE = -1, -2, -3  # where a node's parent is: it holds the node on that side


class Forest:
    """The clusters: trees whose links carry the forces that act on their nodes.

    `pull[v]` is the force on the whole subtree under v, so it is what the link from v to its parent must hold.
    Keeping these sums up to date takes one walk to the root per change.  `steps` counts what was done, roughly.
    """

    __slots__ = ("children", "inside", "link", "parent", "pull", "steps", "turn")

    def __init__(self, pull: list[int]) -> None:
        self.pull = pull
        self.parent = [-1] * len(pull)
        self.link = [NOWHERE] * len(pull)  # AHEAD, BEHIND, or the number of a straight wire (`heights`)
        self.children: list[list[int]] = [[] for _ in pull]
        self.turn = 0  # how many parts have moved
        self.inside = [0] * len(pull)  # the turn in which a node was last inside of what moved
        self.steps = 0

    def part(self, v: int) -> list[int]:
        """The subtree under v, which is to move in a new turn."""
        self.turn += 1
        turn, inside, children = self.turn, self.inside, self.children
        part = [v]
        for u in part:
            inside[u] = turn
            if children[u]:
                part += children[u]
        return part

    def tear(self, v: int, force: int) -> None:
        """Cut the link above v; its former ancestors no longer feel `force`."""
        p = self.parent[v]
        if p >= 0:
            self.children[p].remove(v)
            self.parent[v], self.link[v] = -1, NOWHERE
            self.add(p, -force)

    def hang(self, v: int, near: int, anchor: int, link: int, force: int, eased: int = 0) -> None:
        """Hang the tree of root v up by its node `near` at `anchor`: the links from near to v turn round.

        `force` is the pull on the tree, of which the new link takes over `eased` at `near` itself.
        """
        parent, pull, children, links = self.parent, self.pull, self.children, self.link
        child, up, held = near, anchor, eased
        while True:
            old_parent, old_link, old_pull = parent[child], links[child], pull[child]
            parent[child], links[child], pull[child] = up, link, force - held
            children[up].append(child)
            if child == v:
                break
            children[old_parent].remove(child)
            held = old_pull  # what hung below, seen from the next node on the way to v, is now above it
            link = BEHIND if old_link == AHEAD else AHEAD if old_link == BEHIND else old_link
            child, up = old_parent, child
        self.add(anchor, force)

    def add(self, v: int, force: int) -> None:
        """Let v and its ancestors feel a force more."""
        parent, pull, steps = self.parent, self.pull, self.steps
        while v >= 0:
            pull[v] += force
            v = parent[v]
            steps += 1
        self.steps = steps

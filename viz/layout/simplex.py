"""Network simplex (Gansner, Koutsofios, North and Vo 1993): what is pulled moves until something holds it.

Nodes hang together in clusters, trees of links that are as short as they may be.  A part of a cluster that is pulled
harder than its link holds tears off, moves until it meets something, and hangs on there.  `ranks` moves boxes to the
left and right by it, `heights` moves nodes up and down."""

from __future__ import annotations

__all__ = ["AHEAD", "BEHIND", "NOWHERE", "Forest"]

AHEAD, BEHIND, NOWHERE = -1, -2, -3  # where a node's parent is: it holds the node on that side


class Forest:
    """The clusters of a network simplex: trees whose links carry the forces that act on their nodes.

    `pull[v]` is the force on the whole subtree under v, so it is what the link from v to its parent must hold.
    Keeping these sums up to date takes one walk to the root per change.
    """

    __slots__ = ("children", "link", "parent", "pull", "steps")

    def __init__(self, pull: list[int]) -> None:
        self.pull = pull
        self.parent = [-1] * len(pull)
        self.link = [NOWHERE] * len(pull)  # AHEAD, BEHIND, or the number of a straight wire (`unbend_wires`)
        self.children: list[list[int]] = [[] for _ in pull]
        self.steps = 0

    def tear(self, v: int, force: int) -> None:
        """Cut the link above v; its former ancestors no longer feel `force`."""
        parent, pull = self.parent, self.pull
        p = parent[v]
        if p >= 0:
            self.children[p].remove(v)
            parent[v] = -1
            self.link[v] = NOWHERE
        while p >= 0:
            pull[p] -= force
            p = parent[p]
            self.steps += 1

    def hang(self, v: int, near: int, anchor: int, link: int, force: int, eased: int) -> None:
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
        p = anchor
        while p >= 0:
            pull[p] += force
            p = parent[p]
            self.steps += 1

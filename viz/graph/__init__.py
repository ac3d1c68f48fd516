"""A graph as a picture, from what is shown to how it looks. In reading order:

- `diagram`: which nodes are drawn, and which are folded into a gate, a neuron, a layer or a summary;
- `program`: the same for a compiled function, whose parts are arrays;
- `arrange`: how large each part is, where it stands, and the frames around neurons and layers;
- `svg`: how it is painted.

A `Diagram` goes through all of them. `draw_graph`, which calls them one after the other, is in ``viz/drawing.py``.
"""

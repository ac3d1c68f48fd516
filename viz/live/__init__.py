"""Pictures that move: a pass through a graph, one step after the other. In reading order:

- `stage`: what stands still on the picture, and what changes with a step, as small pieces of markup;
- `player`: frames, and the `Player` that shows them on a page, in a notebook, or where no script runs;
- `page`: the HTML of a player, with its data, its style and its script;
- `scripts`, `network`, `scene`: what a page that computes by itself carries: its scripts and the rules of the sheet,
  the graph with its captions, and the pictures of all states of its boxes;
- `stepping`: `step_through`, which makes the frames from the events of the forward and the backward pass;
- `exploring`: `explore`, in which every number can be dragged;
- `training`, `units`, `playgrounds`: `playground`, a page in which a model is trained;
- ``web/``: the styles and the scripts, to be read; ``bundles/``: the same made small, which pages carry.
"""

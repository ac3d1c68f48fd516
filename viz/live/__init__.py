"""Pictures that move: a pass through a graph, one step after the other. In reading order:

- `stage`: what stands still on the picture, and what changes with a step, as small pieces of markup;
- `player`: frames, and the `Player` that shows them on a page, in a notebook, or where no script runs;
- `page`: the HTML of a player, with its data, its style and its script;
- ``web/``: that style and that script;
- `training`, `units`, `playgrounds`: `playground`, a page in which a model is trained;
- `stepping`: `step_through`, which makes the frames from the events of the forward and the backward pass.
"""

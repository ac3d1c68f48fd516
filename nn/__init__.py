"""Networks made of Values: modules, layers, losses, optimisers and training."""

from . import _guard as _guard  # first of all: is `autograd` ours?

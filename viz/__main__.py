"""``python -m viz`` is the command ``chainrule``."""

from .cli import main

raise SystemExit(main())

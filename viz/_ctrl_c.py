"""Imported before all that takes time: Ctrl-C while the command starts ends it in one line, without a traceback.

Most of a short command's time goes into imports, before any of its own code could catch the KeyboardInterrupt. So in
the process of the command, and in no other, Ctrl-C is taken care of from the first line of `viz` on.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself is one of the things that take time
if TYPE_CHECKING:
    from types import TracebackType

STATUS = 130  # 128 + SIGINT: what a shell reports of a program that Ctrl-C has ended


def _stop(*_: object) -> None:
    try:
        os.write(2, b"chainrule: stopped\n")
    finally:
        os._exit(STATUS)


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if KeyboardInterrupt in (kind, type(error.__cause__)):
        _stop()
    sys.__excepthook__(kind, error, trace)


def _is_the_command() -> bool:
    """Whether this process is ``chainrule``, ``python -m viz`` or ``python -m viz.cli``."""
    first = sys.argv[0] if sys.argv else ""
    if first == "-m":  # as long as Python looks for the module
        words = sys.orig_argv
        return any(words[k : k + 2] in (["-m", "viz"], ["-m", "viz.cli"]) for k in range(len(words)))
    return os.path.splitext(os.path.basename(first))[0] == "chainrule"


def _watch() -> None:
    sys.excepthook = _last_words  # at once, for the import of signal takes a while itself
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)  # an interrupt inside of an import does not always reach the end of it


def catch() -> None:
    """From now on the command may be interrupted as any program: the KeyboardInterrupt has its `try`."""
    import signal

    if signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if _is_the_command():
    _watch()

"""Writing files: every `save` of the package ends here.

A regular file is written whole or not at all. The content goes into a file beside its place first, reaches the disk,
and is then moved over: at each moment the old file or the new one stands there, whoever else saves, and whenever the
computer stops. What a killed save leaves behind is removed by the next one in the same folder.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_LEFTOVER = re.compile(r"\.chainrule-[0-9a-f]{16}\.part")
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_LOOK = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
_AN_HOUR = 3600.0


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to the file ``path``: all of it, or, after any error, nothing.

    A file that is there keeps its permissions, and its owner and group as far as the system allows; a symbolic link
    stays, and the file that it points to is written. (Another hard link to the file keeps the old content.) A new file
    gets the permissions of any new file. A special file, such as a FIFO, a device or ``/dev/stdout``, is written to and
    never replaced; it takes what it takes before an error.

    Raises:
        FileNotFoundError: if the folder is not there.
        IsADirectoryError: if ``path`` is a folder.
        PermissionError: if the file is read-only, or nothing may be created in its folder.
        OSError: if the disk is full, and so on.
    """
    place = os.fspath(path)
    try:
        there = os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        there = None
    try:
        if there is not None and stat.S_ISDIR(there.st_mode):
            raise IsADirectoryError(f"{place!r} is a folder; a file needs a name of its own in it")
        opened = _opened(place)
        if opened is None and (there is None or stat.S_ISREG(there.st_mode)):
            _replace(os.path.realpath(place), content, there)
        else:
            _pour(os.open(place, os.O_WRONLY) if opened is None else os.dup(opened), content)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = place  # "No space left on device" alone does not say where
        raise


def save_as(path: str | os.PathLike[str], kinds: Mapping[str, Callable[[], bytes]], endings: str) -> Path:
    """Write a file of the kind that its ending asks for, whole or not at all, as `write_whole` does; returns the path.

    Args:
        path: where to.
        kinds: for each ending, such as ".svg", what makes the content.
        endings: what is said of another ending, up to "but got 'graph.jpg'".

    Raises:
        ValueError: for another ending.
        OSError: as `write_whole`.
    """
    target = Path(path)
    make = kinds.get(target.suffix.lower())
    if make is None:
        raise ValueError(f"{endings}, but got {target.name!r}")
    write_whole(target, make())
    return target


def _opened(path: str) -> int | None:
    """The number of the open file that a name such as /dev/stdout or /dev/fd/3 stands for; None for any other name."""
    while True:
        folder, name = os.path.split(path)
        if name.isdecimal() and os.path.realpath(folder) in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))


def _pour(handle: int, content: bytes) -> None:
    with os.fdopen(handle, "wb", buffering=0) as stream:
        rest = memoryview(content)
        while rest:
            rest = rest[stream.write(rest) :]


def _replace(target: str, content: bytes, there: os.stat_result | None) -> None:
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        home = "; a ~ is read by shells alone: os.path.expanduser(path) does it" if "~" in folder.split(os.sep) else ""
        raise FileNotFoundError(f"there is no folder {folder!r} to write {name!r} into{home}")
    if there is not None:
        os.close(os.open(target, os.O_WRONLY))  # a file that may not be written to may not be replaced either
    _sweep(folder)
    try:
        handle, beside = _create_beside(folder, 0o666 if there is None else 0o600)
    except PermissionError:
        raise PermissionError(
            f"nothing may be created in the folder {folder!r}, and {name!r} is written beside its place first, so that "
            "it is never half a file; please save it in another folder"
        ) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            if there is not None:
                _make_alike(handle, there)
            os.fsync(handle)
            if sys.platform != "win32":  # while it is locked, or the sweep of another save may take it
                os.replace(beside, target)
        if sys.platform == "win32":  # which does not move a file that is open
            os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _make_alike(handle: int, there: os.stat_result) -> None:
    """Give an open file the owner, the group and the permissions of another one."""
    if sys.platform == "win32":
        return
    mode = stat.S_IMODE(there.st_mode)
    mine = os.fstat(handle)
    if mine.st_gid != there.st_gid:
        try:
            os.fchown(handle, -1, there.st_gid)
        except OSError:
            mode = mode & ~0o070 | (mode & 0o007) << 3  # it is another group now, which may do what anybody may
    if mine.st_uid != there.st_uid:
        with suppress(OSError):
            os.fchown(handle, there.st_uid, -1)
    os.fchmod(handle, mode)


def _create_beside(folder: str, mode: int) -> tuple[int, str]:
    """A new file for what is being written, open and locked: its lock tells other saves that it is no leftover."""
    while True:
        path = os.path.join(folder, f".chainrule-{os.urandom(8).hex()}.part")
        handle = os.open(path, _CREATE, mode)
        if _is_mine(handle):
            return handle, path
        os.close(handle)


def _is_mine(handle: int) -> bool:
    """Lock a file that was just created; False if the sweep of another save was faster."""
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without such locks, where nothing is swept
            return True
        return os.fstat(handle).st_nlink > 0
    return True


def _sweep(folder: str) -> None:
    """Remove what saves that were killed have left in this folder."""
    with suppress(OSError):  # a folder that may not be listed may be written to all the same
        for name in filter(_LEFTOVER.fullmatch, os.listdir(folder)):
            with suppress(OSError):
                _remove_if_left(os.path.join(folder, name))


def _remove_if_left(path: str) -> None:
    """Remove a file unless a save is still at it: the system takes the lock from a process that has ended."""
    if sys.platform == "win32":  # no such locks there
        if time.time() - os.stat(path).st_mtime > _AN_HOUR:
            os.unlink(path)
    else:
        handle = os.open(path, _LOOK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if stat.S_ISREG(os.fstat(handle).st_mode):
                os.unlink(path)
        finally:
            os.close(handle)

"""Files are written whole or not at all, and what is no plain file is written to and stays what it is."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autograd.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions, links and special files")


def python(code: str, *words: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, words)]


def run(code: str, *words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        python(code, *words), cwd=ROOT, capture_output=True, text=True, timeout=60, **options
    )


@contextmanager
def a_folder_of_somebody_without_special_rights() -> Iterator[Path]:
    """For root nothing is read-only, so it becomes somebody else meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() != 0:
            yield Path(name)
            return
        os.chown(name, 65534, 65534)
        os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_and_written_over(tmp_path: Path) -> None:
    target = tmp_path / "f"
    for content in (b"one\r\n\xff", b"", b"x" * 1_000_000):
        write_whole(target, content)
        assert target.read_bytes() == content
    write_whole(str(tmp_path / ("n" * 255)), b"as long a name as the system allows")
    assert sorted(len(name) for name in os.listdir(tmp_path)) == [1, 255]


@pytest.mark.parametrize("step", ["fsync", "replace", "fdopen"])
def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "f"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(KeyboardInterrupt):
            write_whole(target, b"new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


@posix
def test_a_disk_that_is_full_half_way_leaves_the_old_file_and_names_it(tmp_path: Path) -> None:
    target = tmp_path / "f"
    target.write_text("old")
    code = """
import resource, sys
from autograd.files import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_whole(sys.argv[1], b"x" * 20_000)
except OSError as error:
    print(error)
"""
    done = run(code, target)
    assert done.stdout == f"[Errno 27] File too large: {str(target)!r}\n", done.stderr
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


# --- what is kept


@posix
def test_a_file_keeps_its_permissions_and_a_new_one_gets_the_usual_ones(tmp_path: Path) -> None:
    target = tmp_path / "f"
    for mode in (0o600, 0o640, 0o755, 0o666):
        target.write_text("old")
        target.chmod(mode)
        write_whole(target, b"new")
        assert (target.read_text(), mode_of(target)) == ("new", mode)
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "new", b"new")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "new") == 0o640


@posix
def test_nobody_can_read_a_private_file_while_it_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "f"
    target.write_text("old")
    target.chmod(0o600)
    seen = set()

    def look(handle: int) -> None:
        seen.update(mode_of(path) for path in tmp_path.iterdir())

    monkeypatch.setattr(os, "fsync", look)
    write_whole(target, b"new")
    assert seen == {0o600}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_keeps_its_owner_and_group(tmp_path: Path) -> None:
    target = tmp_path / "f"
    target.write_text("old")
    os.chown(target, 1234, 2345)
    target.chmod(0o640)
    write_whole(target, b"new")
    there = target.stat()
    assert (there.st_uid, there.st_gid, mode_of(target)) == (1234, 2345, 0o640)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
def test_where_the_group_cannot_be_kept_another_group_may_do_no_more_than_anybody() -> None:
    with a_folder_of_somebody_without_special_rights() as folder:
        target = folder / "f"
        target.write_text("old")
        target.chmod(0o664)
        os.seteuid(0)
        os.chown(target, 65534, 4242)
        os.seteuid(65534)
        write_whole(target, b"new")
        assert target.stat().st_gid != 4242
        assert (target.read_text(), mode_of(target)) == ("new", 0o644)


@posix
def test_links_stay_and_the_file_at_their_end_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    real = tmp_path / "folder" / "real"
    for name, goal in (("first", "second"), ("second", "folder/real")):
        (tmp_path / name).symlink_to(goal)
    for content in (b"made through a link to nowhere yet", b"written over"):
        write_whole(tmp_path / "first", content)
        assert real.read_bytes() == content
    assert (tmp_path / "first").is_symlink() and (tmp_path / "second").is_symlink()
    assert len(list(tmp_path.rglob("*"))) == 4
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(OSError, match="ring"):
        write_whole(tmp_path / "ring", b"")


# --- what is refused


def test_a_folder_and_a_folder_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder; a file needs a name of its own in it"):
        write_whole(tmp_path, b"")
    (tmp_path / "file").write_text("")
    for name in ("nowhere", "file"):
        with pytest.raises(FileNotFoundError, match=f"there is no folder .*{name}' to write 'f' into"):
            write_whole(tmp_path / name / "f", b"")
    with pytest.raises(
        FileNotFoundError, match=r"there is no folder .*; a ~ is read by shells alone: os\.path\.expanduser"
    ):
        write_whole("~/f", b"")


@posix
def test_what_is_read_only_is_refused_and_stays(tmp_path: Path) -> None:
    with a_folder_of_somebody_without_special_rights() as folder:
        target = folder / "f"
        target.write_text("old")
        target.chmod(0o444)
        with pytest.raises(PermissionError, match="Permission denied: '.*f'"):
            write_whole(target, b"new")
        target.chmod(0o644)
        folder.chmod(0o555)
        try:
            for name in ("f", "new"):
                with pytest.raises(PermissionError, match=f"nothing may be created in the folder .*, and '{name}'"):
                    write_whole(folder / name, b"new")
        finally:
            folder.chmod(0o755)
        assert target.read_text() == "old"
        assert os.listdir(folder) == ["f"]


# --- special files


@posix
def test_a_fifo_is_written_to_and_stays_one(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    content = bytes(range(256)) * 4_000  # more than a FIFO holds at a time
    for name in (fifo, link):
        read: list[bytes] = []
        reader = threading.Thread(target=lambda read=read: read.append(fifo.read_bytes()))
        reader.start()
        write_whole(name, content)
        reader.join(30)
        assert read == [content]
    assert fifo.is_fifo()
    assert len(os.listdir(tmp_path)) == 2


@posix
def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    controller, terminal = os.openpty()
    try:
        (tmp_path / "link").symlink_to(os.ttyname(terminal))
        write_whole(tmp_path / "link", b"hello")
        assert os.read(controller, 100) == b"hello"
        assert stat.S_ISCHR(os.stat(tmp_path / "link").st_mode)
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_device_is_an_error_that_names_it() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_whole("/dev/full", b"x")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@posix
def test_standard_output_is_written_to_wherever_it_leads(tmp_path: Path) -> None:
    code = """
import os
from autograd.files import write_whole
os.write(1, b"before ")
write_whole("/dev/stdout", b"content")
write_whole(f"/dev/fd/1", b" twice")
os.write(1, b" after")
"""
    wanted = "before content twice after"
    assert run(code).stdout == wanted
    target = tmp_path / "f"
    with target.open("wb") as file:
        subprocess.run(python(code), cwd=ROOT, stdout=file, check=True, timeout=60)
    assert target.read_text() == wanted
    assert os.listdir(tmp_path) == ["f"]


# --- saves that were killed, and saves at the same time

DIES = """
import os, signal, sys
from autograd.files import write_whole
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
write_whole(sys.argv[1], b"half")
"""
WAITS = """
import os, sys
from autograd.files import write_whole
os.fsync = lambda handle: print("at it", flush=True) or input()
write_whole(sys.argv[1], b"whole")
"""


@posix
def test_what_a_killed_save_has_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    target = tmp_path / "f"
    target.write_text("old")
    for _ in range(2):
        assert run(DIES, target).returncode == -signal.SIGKILL
        assert target.read_text() == "old"
        assert len(os.listdir(tmp_path)) == 2  # the second one has already removed what the first one left
    not_ours = [".chainrule-notes.part", ".f.part", "f~", "chainrule-0123456789abcdef.part"]
    for name in not_ours:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".chainrule-0123456789abcdef.part").mkdir()
    os.mkfifo(tmp_path / ".chainrule-0123456789abcde0.part")
    (tmp_path / ".chainrule-0123456789abcde1.part").symlink_to(target)
    kept = [*not_ours, "f", *(f".chainrule-0123456789abcde{k}.part" for k in "f01")]
    write_whole(target, b"new")
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    assert target.read_text() == "new"


@posix
def test_a_save_that_is_still_at_it_is_left_alone(tmp_path: Path) -> None:
    slow = subprocess.Popen(
        python(WAITS, tmp_path / "slow"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert slow.stdout is not None and slow.stdout.readline() == "at it\n"
        write_whole(tmp_path / "quick", b"whole")
        assert len(os.listdir(tmp_path)) == 2
        slow.communicate("\n", timeout=30)
    finally:
        slow.kill()
        slow.wait()
    assert slow.returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"quick": "whole", "slow": "whole"}


def test_many_saves_of_one_file_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "f"
    code = """
import os, sys
from autograd.files import write_whole
os.fsync = lambda handle: None
content = sys.argv[2].encode() * 100_000
for _ in range(60):
    write_whole(sys.argv[1], content)
"""
    write_whole(target, b"a" * 100_000)
    writers = [subprocess.Popen(python(code, target, letter), cwd=ROOT) for letter in "abcd"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        content = target.read_bytes()
        seen.add((len(content), len(set(content))))
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert seen <= {(100_000, 1)}
    assert os.listdir(tmp_path) == ["f"]


def test_threads_save_at_once(tmp_path: Path) -> None:
    def save(letter: bytes) -> None:
        for _ in range(20):
            write_whole(tmp_path / "f", letter * 10_000)

    threads = [threading.Thread(target=save, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    content = (tmp_path / "f").read_bytes()
    assert len(content) == 10_000 and len(set(content)) == 1
    assert os.listdir(tmp_path) == ["f"]

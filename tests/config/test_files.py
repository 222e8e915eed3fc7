from __future__ import annotations

import errno
import multiprocessing
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isexplore.config.files import MAX_SIZE, Disk, StateFile, dump, parse, read_bytes, write_atomically
from isexplore.errors import StateError
from isexplore.text import clean

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class FailingDisk(Disk):
    """Lets the n-th system call fail; writes are cut into small ones, so that there are several."""

    def __init__(self, failing: int, error: int) -> None:
        self.calls = 0
        self._failing = failing
        self._error = error

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._failing:
            raise OSError(self._error, os.strerror(self._error))

    def make_folder(self, folder: Path) -> None:
        self._count()
        super().make_folder(folder)

    def create(self, folder: Path, prefix: str) -> tuple[int, str]:
        self._count()
        return super().create(folder, prefix)

    def set_mode(self, descriptor: int, mode: int) -> None:
        self._count()
        super().set_mode(descriptor, mode)

    def write(self, descriptor: int, data: memoryview) -> int:
        self._count()
        return super().write(descriptor, data[:20])

    def flush(self, descriptor: int) -> None:
        self._count()
        super().flush(descriptor)

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        self._count()

    def replace(self, source: str, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def flush_folder(self, folder: Path) -> None:
        self._count()
        super().flush_folder(folder)


def sweep(act: Callable[[FailingDisk], None], error: int) -> Iterator[StateError | None]:
    """Run `act` with the first call failing, then the second, ... until none fails; yield the outcomes."""
    for failing in range(1, 100):
        disk = FailingDisk(failing, error)
        try:
            act(disk)
        except StateError as failure:
            yield failure
        else:
            yield None
        if disk.calls < failing:
            return
    raise AssertionError("the sweep does not end")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EXDEV])
def test_write_is_all_or_nothing_at_every_call(tmp_path: Path, error: int) -> None:
    file = tmp_path / "x.toml"
    old, new = b"old = 1\n", b"new = " + b"1" * 100 + b"\n"
    file.write_bytes(old)
    failed = []
    for outcome in sweep(lambda disk: write_atomically(file, new, disk=disk), error):
        failed.append(outcome is not None)
        assert file.read_bytes() == (new if outcome is None else old)
        assert outcome is None or str(file) in outcome.title
        assert [path.name for path in tmp_path.iterdir()] == ["x.toml"]
        file.write_bytes(old)
    # Folder, create, mode, six writes, flush, close, replace; the folder's flush may fail unheard.
    assert failed == [True] * 12 + [False] * 2


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_state_is_old_or_new_at_every_call(tmp_path: Path, error: int) -> None:
    file = tmp_path / "state" / "state.toml"

    def write(value: str, disk: Disk) -> None:
        with StateFile(file, disk=disk).edit() as data:
            data["value"] = value

    write("old", Disk())
    failed = []
    for outcome in sweep(lambda disk: write("new", disk), error):
        failed.append(outcome is not None)
        assert StateFile(file).read()["value"] == ("new" if outcome is None else "old")
        assert outcome is None or str(file) in outcome.title
        assert {path.name for path in file.parent.iterdir()} == {"state.toml", "state.lock"}
        write("old", Disk())
    assert failed == [True] * (len(failed) - 2) + [False] * 2


def test_no_space_left_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        write_atomically(tmp_path / "x", b"1", disk=FailingDisk(4, errno.ENOSPC))
    assert "Free some space" in caught.value.hint
    assert caught.value.detail == "No space left on device"


def test_permissions_are_the_owners_only(tmp_path: Path) -> None:
    os.umask(0o022)
    file = tmp_path / "a" / "b" / "state.toml"
    with StateFile(file).edit() as data:
        data["x"] = 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o700


def test_symbolic_links_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "state.toml"
    real.parent.mkdir()
    real.write_text("x = 1\n")
    link = tmp_path / "state.toml"
    link.symlink_to(real)
    with StateFile(link).edit() as data:
        data["x"] += 1
    assert link.is_symlink()
    assert parse(real.read_bytes()) == {"schema": 1, "x": 2}
    assert {path.name for path in tmp_path.iterdir()} == {"dotfiles", "state.toml"}


def test_missing_file_is_empty_and_not_created(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "none" / "state.toml")
    assert state.read() == {}
    assert state.notice is None
    assert not (tmp_path / "none").exists()


def test_nothing_is_written_after_an_exception(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.toml")
    with pytest.raises(ZeroDivisionError), state.edit() as data:
        data["x"] = 1 // 0
    assert state.read() == {}


BROKEN = {
    "half": b'[[bookmarks]]\nforge = "wo',
    "latin-1": b'note = "caf\xe9"\n',
    "deep": b"x = " + b"[" * 100_000,
    "digits": b"x = " + b"1" * 5_000,
    "nul": b'x = "\x00"\n',
    "duplicate": b"x = 1\nx = 2\n",
    "binary": bytes(range(256)),
    "utf-16": "x = 1".encode("utf-16"),
    "large": b"# " + b"x" * MAX_SIZE,
    "json": b'{"bookmarks": []}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_is_put_aside_and_work_goes_on(tmp_path: Path, name: str) -> None:
    file = tmp_path / "state.toml"
    file.write_bytes(BROKEN[name])
    state = StateFile(file, now=lambda: NOW)
    assert state.read() == {}
    aside = tmp_path / "state.toml.corrupt-20260304T050607Z"
    assert aside.read_bytes() == BROKEN[name]
    assert state.notice is not None
    assert str(aside) in state.notice
    with state.edit() as data:
        data["x"] = 1
    assert StateFile(file).read() == {"schema": 1, "x": 1}


def test_a_second_broken_file_does_not_replace_the_first(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    for content in ("first [", "second ["):
        file.write_text(content)
        with StateFile(file, now=lambda: NOW).edit() as data:
            data["x"] = 1
    asides = sorted(tmp_path.glob("state.toml.corrupt-*"))
    assert [aside.read_text() for aside in asides] == ["first [", "second ["]


def test_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    file.write_bytes(b"\xef\xbb\xbfx = 1\r\n")
    assert StateFile(file).read() == {"x": 1}


@pytest.mark.parametrize("schema", ["2", "999", '"two"', "true", "1.5"])
def test_newer_schema_is_read_but_never_written(tmp_path: Path, schema: str) -> None:
    file = tmp_path / "state.toml"
    content = f"schema = {schema}\nfuture = 1\n"
    file.write_text(content)
    state = StateFile(file)
    assert state.read()["future"] == 1
    assert state.notice is not None
    assert "newer" in state.notice
    with pytest.raises(StateError, match="newer"), state.edit() as data:
        data["x"] = 1
    assert file.read_text() == content


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    file.write_text('schema = 1\n[plugin]\nmoment = 2026-01-02T03:04:05Z\nlist = [1, "a", {b = 2.5}]\n')
    before = parse(file.read_bytes())
    with StateFile(file).edit() as data:
        data["bookmarks"] = []
    assert parse(file.read_bytes()) == before | {"bookmarks": []}


def add_entries(file: str, worker: int, count: int) -> None:
    for number in range(count):
        with StateFile(Path(file), lock_seconds=30).edit() as data:
            data.setdefault("entries", []).append(f"{worker}-{number}")


def test_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_entries, args=(str(file), worker, 25)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(50)
    assert [worker.exitcode for worker in workers] == [0] * 4
    entries = StateFile(file).read()["entries"]
    assert len(entries) == len(set(entries)) == 100


def test_another_instance_that_does_not_let_go_is_told(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    second = StateFile(file, lock_seconds=0.05)
    with StateFile(file).edit() as data:
        with pytest.raises(StateError, match="Another isexplore"), second.edit():
            pass
        data["x"] = 1
    with second.edit() as data:
        data["y"] = 2
    assert second.read() == {"schema": 1, "x": 1, "y": 2}


def test_broken_file_stays_while_another_instance_writes(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    other = StateFile(file, lock_seconds=0.05)
    with StateFile(file).edit():
        file.write_text("broken [")
        assert other.read() == {}
        assert file.read_text() == "broken ["
    assert other.notice is not None


def test_unwritable_folder_means_memory(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    state = StateFile(blocker / "state.toml")
    with state.edit() as data:
        data["x"] = {"y": 1}
    assert not state.persistent
    assert state.notice is not None
    assert "until isexplore ends" in state.notice
    copy = state.read()
    copy["x"]["y"] = 2
    assert state.read() == {"schema": 1, "x": {"y": 1}}
    with state.edit() as data:
        data["x"]["y"] = 3
    assert state.read()["x"] == {"y": 3}
    with pytest.raises(ZeroDivisionError), state.edit() as data:
        data["x"]["y"] = 4 // 0
    assert state.read()["x"] == {"y": 3}


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES])
def test_read_only_disk_means_memory_with_what_was_there(tmp_path: Path, error: int) -> None:
    file = tmp_path / "state.toml"
    file.write_text("x = 1\n")
    for failing in (1, 2):
        state = StateFile(file, disk=FailingDisk(failing, error))
        with state.edit() as data:
            data["y"] = 2
        assert not state.persistent
        assert state.read() == {"schema": 1, "x": 1, "y": 2}
        assert file.read_text() == "x = 1\n"


def test_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "state.lock").symlink_to(target)
    state = StateFile(tmp_path / "state.toml")
    with state.edit() as data:
        data["x"] = 1
    assert target.read_text() == "mine"
    assert not state.persistent


def test_a_folder_in_place_of_the_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state.toml").mkdir()
    state = StateFile(tmp_path / "state.toml")
    assert state.read() == {}
    assert not state.persistent
    assert (tmp_path / "state.toml").is_dir()


class Colour(StrEnum):
    RED = "red"


def test_what_cannot_be_stored_is_left_out_or_cleaned(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.toml")
    with state.edit() as data:
        data["a"] = {
            "none": None,
            "nan": float("nan"),
            "surrogate": "a\ud800b",
            "escape": "\x1b[31m",
            "list": [1, None, ("x", Path("/y"))],
            "colour": Colour.RED,
            "moment": datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1, minutes=30))),
            5: "key",
        }
    assert StateFile(tmp_path / "state.toml").read()["a"] == {
        "surrogate": "a\N{REPLACEMENT CHARACTER}b",
        "escape": "\N{SYMBOL FOR ESCAPE}[31m",
        "list": [1, ["x", "/y"]],
        "colour": "red",
        "moment": datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
        "5": "key",
    }


def test_what_is_no_data_is_a_bug_and_writes_nothing(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.toml")
    with pytest.raises(TypeError, match="object"), state.edit() as data:
        data["x"] = object()
    assert not (tmp_path / "state.toml").exists()


texts = st.text(max_size=30)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(texts, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(allow_nan=False), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case list():
            return [cleaned(item) for item in value]
        case dict():
            return {clean(key): cleaned(item) for key, item in value.items()}
    return value


@given(table=st.dictionaries(texts, values, max_size=4))
def test_any_data_reads_back_clean(tmp_path_factory: pytest.TempPathFactory, table: dict[str, Any]) -> None:
    file = tmp_path_factory.mktemp("state") / "state.toml"
    with StateFile(file).edit() as data:
        data.update(table)
    expected = cleaned(table)
    expected.pop("schema", None)
    found = StateFile(file).read()
    found.pop("schema")
    assert found == expected


def test_dump_refuses_what_would_not_read_back() -> None:
    with pytest.raises(StateError, match="read back"):
        dump({"x": float("nan")})


def test_read_bytes_refuses_what_is_no_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # Held open for writing so that opening it for reading does not wait.
    descriptor = os.open(fifo, os.O_RDWR)
    try:
        with pytest.raises(OSError, match="not a plain file"):
            read_bytes(fifo)
    finally:
        os.close(descriptor)

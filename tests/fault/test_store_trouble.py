"""A full disk, a directory that cannot be written, a damaged database: one clear line each, and hits go on."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from phaleron.errors import Busy
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.errors import StoreError
from phaleron.store.records import blob_key
from phaleron.store.sqlite import SqliteCatalog
from phaleron.store.sqlite_writer import SqliteWriter
from phaleron.store.store import Store
from tests.require import require, require_tool
from tests.world.stored import KINDS, ORIGIN, body_of, files_below, put, put_whole, row_of

M = ModulePath("example.com/Some/module")
V1, V2 = Version("v1.0.0"), Version("v1.1.0")
DISK_BYTES = 4 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "phaleron-test", str(disk)]
    require_tool("mount")
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    require(mounted, "the right to mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def without_end(action: Callable[[], object]) -> None:
    while True:
        action()


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as f:
        for size in (1 << 16, 1 << 12, 1):
            with pytest.raises(OSError, match="No space left"):
                without_end(partial(f.write, bytes(size)))
    return filler


@contextmanager
def no_file_above(size_bytes: int) -> Iterator[None]:
    """Let files of this process grow to a size and not beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def assert_stored(store: Store, version: Version) -> None:
    for kind in KINDS:
        blob = await store.get(M, version, kind)
        assert blob is not None
        assert blob.read() == body_of(M, version, kind)


async def test_on_a_full_disk_misses_are_busy_and_hits_go_on(small_disk: Path) -> None:
    store = await Store.open(small_disk)
    for kind in KINDS:
        await put(store, M, V1, kind)
    filler = fill(small_disk)
    for kind in KINDS:
        with pytest.raises(Busy, match="No space left"):
            await put(store, M, V2, kind)
        await assert_stored(store, V1)
    with pytest.raises(Busy, match="No space left"):
        await put_whole(store, M, V2)
    assert files_below(small_disk / "tmp") == []
    assert len(files_below(small_disk / "modules")) == 4
    filler.unlink()
    for kind in KINDS:
        await put(store, M, V2, kind)
    await assert_stored(store, V2)
    assert len(await store.catalog.feed(limit=10)) == 2
    await store.close()


async def test_a_file_that_got_its_name_and_no_row_is_recorded_by_the_next_start(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    for kind in ("info", "mod"):
        await put(store, M, V1, kind)
    with (
        no_file_above((tmp_path / "catalog.db-wal").stat().st_size),
        pytest.raises(Busy, match="catalog cannot be written"),
    ):
        await put(store, M, V2, "mod")
    assert len(files_below(tmp_path / "tmp")) == 2  # the file and the journal's entry
    await store.close()
    again = await Store.open(tmp_path)
    assert files_below(tmp_path / "tmp") == []
    row = await again.catalog.file(M, V2, "mod")
    assert row is not None
    assert row.origin == ORIGIN
    await again.close()


async def test_a_file_that_got_its_name_and_no_row_is_served_and_taken_in(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    for kind in ("info", "mod"):
        await put(store, M, V1, kind)
    zip_bytes = body_of(M, V1, "zip")
    file = tmp_path / "modules" / blob_key(M, V1, "zip")
    file.write_bytes(zip_bytes)
    with no_file_above((tmp_path / "catalog.db-wal").stat().st_size):
        blob = await store.get(M, V1, "zip")
        assert blob is not None
        assert blob.read() == zip_bytes
        assert not await store.catalog.is_complete(M, V1)
    assert await store.get(M, V1, "zip") is not None
    assert await store.catalog.is_complete(M, V1)
    await store.close()


async def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    with no_file_above(100_000), pytest.raises(Busy, match="File too large"):
        await put(store, M, V1, "zip")
    assert files_below(tmp_path / "tmp") == files_below(tmp_path / "modules") == []
    await put(store, M, V1, "zip")
    await store.close()


async def test_no_descriptors_left_is_busy(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await put(store, M, V1, "mod")
    held: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            without_end(lambda: held.append(os.open(tmp_path, os.O_RDONLY)))
        with pytest.raises(Busy, match="Too many open files"):
            store.begin()
        with pytest.raises(Busy, match="Too many open files"):
            await store.get(M, V1, "mod")
        with pytest.raises(Busy, match="Too many open files"):
            async with store.flight("key"):
                pass
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await store.get(M, V1, "mod") is not None
    await store.close()


@pytest.mark.parametrize("at", [".", "tmp"])
async def test_a_directory_that_is_a_file_stops_the_start(tmp_path: Path, at: str) -> None:
    directory = tmp_path / "data"
    if at == ".":
        directory.write_text("not a directory")
    else:
        directory.mkdir()
        (directory / at).write_text("not a directory")
    with pytest.raises(StoreError, match=r"cannot be written.*--data") as stopped:
        await Store.open(directory)
    assert str(directory) in str(stopped.value)
    assert "\n" not in str(stopped.value)


async def test_an_unwritable_directory_stops_the_start(tmp_path: Path) -> None:
    # The one place where root, too, can write nothing.
    with pytest.raises(StoreError, match=r"/proc/.*cannot be written.*--data"):
        await Store.open(Path("/proc/self/phaleron"))


@pytest.mark.parametrize(
    ("offset", "garbage"),
    [(0, b"this is no database at all" * 10), (4096, b"\xff" * 4096), (100, b"\xff" * 200)],
    ids=["header", "page", "schema"],
)
async def test_a_damaged_catalog_stops_the_start_with_what_to_do(tmp_path: Path, offset: int, garbage: bytes) -> None:
    store = await Store.open(tmp_path)
    for kind in KINDS:
        await put(store, M, V1, kind)
    await store.close()
    database = tmp_path / "catalog.db"
    assert not (tmp_path / "catalog.db-wal").exists()
    with database.open("r+b") as f:
        f.seek(offset)
        f.write(garbage)
    with pytest.raises(StoreError, match=r"catalog\.db: the catalog is damaged .*move it away") as stopped:
        await Store.open(tmp_path)
    assert "\n" not in str(stopped.value)
    database.unlink()  # as it says
    again = await Store.open(tmp_path)
    await assert_stored(again, V1)
    assert [e.version for e in await again.catalog.feed(limit=10)] == [V1]
    await again.close()


async def test_a_catalog_that_is_no_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").mkdir()
    with pytest.raises(StoreError, match=r"catalog\.db: the catalog cannot be opened .*may write"):
        await Store.open(tmp_path)


async def test_a_catalog_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    await (await Store.open(tmp_path)).close()
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"newer Phaleron \(schema 99\)"):
        await Store.open(tmp_path)


async def test_reads_go_on_while_another_process_writes_long(tmp_path: Path) -> None:
    catalog = SqliteCatalog(tmp_path / "catalog.db")
    await catalog.record(row_of(M, V1, "mod"))
    other = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
    other.execute("begin immediate")
    other.execute("delete from files")
    assert await catalog.file(M, V1, "mod") == row_of(M, V1, "mod")
    other.execute("rollback")
    other.close()
    await catalog.close()


async def test_a_write_that_fails_undoes_itself_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "any.db", isolation_level=None, check_same_thread=False)
    connection.execute("create table t (n integer)")
    writer = SqliteWriter(connection)

    def write(n: int, connection: sqlite3.Connection) -> int:
        connection.execute("insert into t values (?)", (n,))
        if n % 2:
            raise KeyError(n)
        return n

    outcomes = await asyncio.gather(*(writer.run(partial(write, n)) for n in range(10)), return_exceptions=True)
    assert [o if isinstance(o, int) else repr(o) for o in outcomes] == [
        n if n % 2 == 0 else f"KeyError({n})" for n in range(10)
    ]
    await writer.close()
    with pytest.raises(Busy, match="closed"):
        await writer.run(partial(write, 0))
    connection = sqlite3.connect(tmp_path / "any.db")
    assert [n for (n,) in connection.execute("select n from t")] == [0, 2, 4, 6, 8]
    connection.close()


async def test_the_feed_rises_when_the_clock_is_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = SqliteCatalog(tmp_path / "catalog.db")
    for n, now_ns in enumerate((5_000_000, 5_000_000, 1_000_000, 9_000_000)):
        monkeypatch.setattr(time, "time_ns", lambda now_ns=now_ns: now_ns)
        for kind in KINDS:
            await catalog.record(row_of(M, Version(f"v1.{n}.0"), kind))
    assert [e.at_us for e in await catalog.feed(limit=10)] == [5000, 5001, 5002, 9000]
    await catalog.close()

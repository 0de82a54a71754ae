"""`kill -9` at any instant: nothing half there is visible, nothing is left over, and no complete version is missed."""

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from phaleron.gomod.dirhash import hash_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version, unescape_path
from phaleron.store.records import Kind
from phaleron.store.store import Store
from tests.world.stored import KINDS, body_of, files_below

SEED = 20_240_102
KILLS = 40
TOUCHES = 150
"""So many calls that touch files cover the opening of a store and the first versions of each kind."""


@pytest.fixture
async def children() -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.world.store_child", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    yield process
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


async def start(children: Process, directory: Path, round_: int, die_at: int = 0) -> int:
    assert children.stdin is not None
    assert children.stdout is not None
    children.stdin.write(f"{directory} {round_} {die_at}\n".encode())
    return int(await children.stdout.readline())


async def wait_for(children: Process, word: bytes) -> None:
    """Read what the children say, up to a word."""
    assert children.stdout is not None
    while (line := await children.stdout.readline()) != word + b"\n":
        assert line == b"stored\n"


def visible(directory: Path) -> dict[tuple[ModulePath, Version, Kind], Path]:
    """Find all files that have their names."""
    found: dict[tuple[ModulePath, Version, Kind], Path] = {}
    for file in files_below(directory / "modules"):
        if file.name != "list":
            path = unescape_path(file.relative_to(directory / "modules").parent.parent.as_posix())
            for kind in KINDS:
                if file.suffix == f".{kind}":
                    found[path, Version(file.stem), kind] = file
    return found


def assert_none_is_partial(directory: Path) -> None:
    for (path, version, kind), file in visible(directory).items():
        assert file.read_bytes() == body_of(path, version, kind), file


async def assert_all_is_well(directory: Path) -> int:
    """Open the store that a killed process left, and hold it against everything that is promised. Gives the feed's length."""
    assert_none_is_partial(directory)
    store = await Store.open(directory)
    try:
        assert files_below(directory / "tmp") == []
        assert files_below(directory / "locks") == []
        assert await store.catalog.claims() == []
        files = visible(directory)
        rows = {
            (r.path, r.version, r.kind): r
            for p in await store.catalog.modules("", 100)
            for r in await store.catalog.files(p)
        }
        assert rows.keys() == files.keys()
        complete = {(path, version) for path, version, _ in files if all((path, version, k) in files for k in KINDS)}
        feed = await store.catalog.feed(limit=100_000)
        assert {(e.path, e.version) for e in feed} == complete
        assert len(feed) == len(complete)
        assert set(await store.catalog.page(("", ""), 100_000)) == complete
        for path in {path for path, _ in complete}:
            listed = (directory / "modules" / path.escaped / "@v" / "list").read_text().split()
            assert listed == list(await store.catalog.versions(path))
        for (path, version, kind), row in rows.items():
            if kind == "zip":
                with files[path, version, kind].open("rb") as f:
                    assert row.h1 == hash_zip(f.fileno())
        return len(feed)
    finally:
        await store.close()


async def test_killed_at_random_instants(children: Process, tmp_path: Path) -> None:
    print("seed", SEED)
    instants = random.Random(SEED)
    lengths: list[int] = []
    for round_ in range(KILLS):
        child = await start(children, tmp_path, round_)
        if round_ % 2:
            await wait_for(children, b"stored")
        ending = asyncio.create_task(wait_for(children, b"end"))
        await asyncio.wait((ending,), timeout=instants.uniform(0.0, 0.15))
        assert not ending.done(), "the process ended by itself"
        os.kill(child, signal.SIGKILL)
        await ending
        lengths.append(await assert_all_is_well(tmp_path))
    assert lengths == sorted(lengths)
    assert lengths[-1] >= KILLS // 2


async def test_killed_at_each_touch_of_a_file(children: Process, tmp_path: Path) -> None:
    lengths: list[int] = []
    for touch in range(1, TOUCHES + 1):
        directory = tmp_path / str(touch)
        directory.mkdir()
        await start(children, directory, touch, touch)
        await wait_for(children, b"end")
        lengths.append(await assert_all_is_well(directory))
    assert lengths[0] == 0
    assert max(lengths) > 0

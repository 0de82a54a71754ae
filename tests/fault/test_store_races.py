"""Several processes on one directory: one content under a name, whoever is first, and no harm in opening it together."""

import asyncio
import hashlib
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from phaleron.gomod.version import Version
from phaleron.store.store import Store
from tests.world.store_racer import PATH, VERSION
from tests.world.stored import KINDS, files_below, put, zip_of

ROUNDS = 3
RACERS = 4


async def race(directory: Path, contents: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Let processes store their contents at once, in a directory that none has opened before."""
    racers: list[Process] = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.world.store_racer", str(directory), *content, stdin=PIPE, stdout=PIPE
        )
        for content in contents
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
    outputs = await asyncio.gather(*(racer.communicate() for racer in racers))
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    words = [out.decode().splitlines()[-1].split() for out, _ in outputs]
    return [(verb, sha256) for verb, sha256 in words]


@pytest.mark.parametrize("equal", [True, False], ids=["equal h1", "different h1"])
async def test_processes_that_store_one_zip_at_once_end_with_one_content(tmp_path: Path, equal: bool) -> None:
    for round_ in range(ROUNDS):
        directory = tmp_path / str(round_)
        contents = [("the same" if equal else f"content {n}", f"comment {n}") for n in range(RACERS)]
        outcomes = await race(directory, contents)
        store = await Store.open(directory)
        blob = await store.get(PATH, VERSION, "zip")
        assert blob is not None
        kept = hashlib.sha256(blob.read()).hexdigest()
        assert kept == blob.row.sha256
        assert {sha256 for _, sha256 in outcomes} == {kept}  # each was given the one that is kept
        assert [verb for verb, _ in outcomes].count("stored") == (RACERS if equal else 1)
        bodies = [zip_of(PATH, VERSION, content=c.encode(), comment=k.encode()) for c, k in contents]
        assert kept in [hashlib.sha256(body).hexdigest() for body in bodies]
        assert files_below(directory / "tmp") == []
        await store.close()


async def test_a_start_leaves_what_others_are_writing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    draft = store.begin()
    await draft.write(b"half")
    for _ in range(3):
        await (await Store.open(tmp_path)).close()
    assert len(files_below(tmp_path / "tmp")) == 1
    draft.discard()
    await store.close()


async def test_starts_beside_writers_disturb_nothing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    versions = [Version(f"v1.{n}.0") for n in range(30)]

    async def write() -> None:
        for version in versions:
            await asyncio.gather(*(put(store, PATH, version, kind) for kind in KINDS))

    writing = asyncio.create_task(write())
    starts = 0
    while not writing.done():
        await (await Store.open(tmp_path)).close()
        starts += 1
    await writing
    assert starts > 3
    assert await store.catalog.versions(PATH) == versions
    assert len(await store.catalog.feed(limit=100)) == len(versions)
    assert (tmp_path / "modules" / PATH / "@v/list").read_text().split() == versions
    assert files_below(tmp_path / "tmp") == files_below(tmp_path / "locks") == []
    await store.close()


async def test_a_flight_ends_with_the_process_that_held_it(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from phaleron.store.store import Store\n"
        "async def main():\n"
        "    store = await Store.open(pathlib.Path(sys.argv[1]))\n"
        "    async with store.flight('key'):\n"
        "        print('held', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(tmp_path), stdout=PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    store = await Store.open(tmp_path)
    entered = asyncio.Event()

    async def fly() -> None:
        async with store.flight("key"):
            entered.set()

    flying = asyncio.create_task(fly())
    await asyncio.wait((flying,), timeout=0.1)
    assert not entered.is_set()
    holder.kill()
    await holder.wait()
    await asyncio.wait_for(flying, 5)
    await store.close()

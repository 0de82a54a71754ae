"""What a store promises about files: whole or not there, never another content, one descriptor for all who read."""

import asyncio
import gc
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from phaleron.errors import NotFound
from phaleron.gomod.dirhash import hash_mod
from phaleron.gomod.errors import RuleError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.draft import Draft
from phaleron.store.records import ClaimRow, Conflict, Kind, blob_key
from phaleron.store.store import Store
from tests.world.audit import watched
from tests.world.stored import KINDS, ORIGIN, TIME, body_of, files_below, put, put_whole, row_of, zip_of

M = ModulePath("example.com/Some/module")
V1, V2, PSEUDO = Version("v1.0.0"), Version("v1.1.0"), Version("v1.1.1-0.20240102030405-abcdef123456")
TOOLCHAIN, GO = ModulePath("golang.org/toolchain"), Version("v0.0.1-go1.22.0.linux-amd64")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path)
    yield store
    await store.close()


def file_of(store: Store, version: Version, kind: Kind, path: ModulePath = M) -> Path:
    return store.directory / "modules" / blob_key(path, version, kind)


def open_descriptors(name: str) -> int:
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            count += str(link.readlink()).endswith(name)
        except FileNotFoundError:
            continue  # that by which the folder was read
    return count


def place(store: Store, version: Version, kind: Kind, body: bytes) -> Path:
    """Copy a file in by hand."""
    file = file_of(store, version, kind)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return file


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_is_at_its_url_with_its_bytes_and_its_row(store: Store, kind: Kind) -> None:
    assert await store.get(M, V1, kind) is None
    blob = await put(store, M, V1, kind)
    body = body_of(M, V1, kind)
    assert (store.directory / "modules/example.com/!some/module/@v" / f"v1.0.0.{kind}").read_bytes() == body
    for found in (blob, await store.get(M, V1, kind)):
        assert found is not None
        assert found.read() == body
        assert b"".join([piece async for piece in found]) == body
        assert (found.size_bytes, found.origin) == (len(body), ORIGIN)
        assert found.row == await store.catalog.file(M, V1, kind)
    assert files_below(store.directory / "tmp") == files_below(store.directory / "locks") == []


async def test_a_list_names_complete_versions_and_no_pseudo_versions(store: Store) -> None:
    listed = store.directory / "modules" / M.escaped / "@v" / "list"
    await put(store, M, V2, "mod")
    assert not listed.exists()
    for version in (V2, V1, PSEUDO):
        await asyncio.gather(*(put(store, M, version, kind) for kind in KINDS))
    assert listed.read_text() == "v1.0.0\nv1.1.0\n"


async def test_a_toolchain_is_complete_with_its_zip(store: Store) -> None:
    await put(store, TOOLCHAIN, GO, "zip")
    assert [e.version for e in await store.catalog.feed(limit=10)] == [GO]
    assert (store.directory / "modules/golang.org/toolchain/@v/list").read_text() == f"{GO}\n"


async def test_all_readers_share_one_descriptor_that_the_last_one_closes(store: Store) -> None:
    await put(store, M, V1, "zip")
    assert open_descriptors("v1.0.0.zip") == 0
    blobs = [await store.get(M, V1, "zip") for _ in range(100)]
    assert open_descriptors("v1.0.0.zip") == 1
    first = blobs.pop()
    blobs.clear()
    assert first is not None
    assert first.read() == body_of(M, V1, "zip")
    del first
    gc.collect()
    assert open_descriptors("v1.0.0.zip") == 0


async def test_a_file_cut_short_under_its_readers_is_absent_for_new_ones(store: Store) -> None:
    reader = await put(store, M, V1, "zip")
    os.truncate(file_of(store, V1, "zip"), 10)
    assert await store.get(M, V1, "zip") is None
    assert len(reader.read()) == 10  # fewer than it was promised: its server cuts the connection
    assert (await put(store, M, V1, "zip")).read() == body_of(M, V1, "zip")


async def test_a_reader_keeps_the_bytes_of_a_file_that_is_taken_away(store: Store) -> None:
    blob = await put(store, M, V1, "zip")
    file_of(store, V1, "zip").unlink()
    assert b"".join([piece async for piece in blob]) == body_of(M, V1, "zip")


async def test_an_equal_zip_of_other_bytes_gives_the_one_that_is_kept(store: Store) -> None:
    first = await put(store, M, V1, "zip")
    again = await put(store, M, V1, "zip", zip_of(M, V1, comment=b"made elsewhere"), "https://other.example")
    assert again.row == first.row
    assert file_of(store, V1, "zip").read_bytes() == body_of(M, V1, "zip")


async def test_the_first_info_is_kept(store: Store) -> None:
    await put(store, M, V1, "info")
    again = await put(store, M, V1, "info", b'{"Version":"v1.0.0"}')
    assert again.read() == body_of(M, V1, "info")


@pytest.mark.parametrize(("kind", "other"), [("mod", b"module evil\n"), ("zip", zip_of(M, V1, content=b"evil"))])
async def test_another_content_is_refused_with_an_alarm_and_changes_nothing(
    store: Store, kind: Kind, other: bytes
) -> None:
    await put(store, M, V1, kind)
    with capture_logs() as logs, pytest.raises(Conflict):
        await put(store, M, V1, kind, other)
    assert [(log["log_level"], log["event"]) for log in logs] == [
        ("error", "another content under a kept name was refused")
    ]
    assert file_of(store, V1, kind).read_bytes() == body_of(M, V1, kind)
    assert files_below(store.directory / "tmp") == []


@pytest.mark.parametrize("harm", ["gone", "shorter", "empty"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_lost_file_is_absent_until_its_content_comes_again(store: Store, kind: Kind, harm: str) -> None:
    for each in KINDS:
        await put(store, M, V1, each)
    file = file_of(store, V1, kind)
    if harm == "gone":
        file.unlink()
    else:
        os.truncate(file, 0 if harm == "empty" else file.stat().st_size - 1)
    with capture_logs() as logs:
        assert await store.get(M, V1, kind) is None
    assert [log["log_level"] for log in logs] == ["error"]
    assert not file.exists()
    if kind != "info":
        evil = b"module evil\n" if kind == "mod" else zip_of(M, V1, content=b"evil")
        links: list[str] = []
        with watched(lambda event, _: links.append(event) if event == "os.link" else None), pytest.raises(Conflict):
            await put(store, M, V1, kind, evil)
        assert links == []  # it never had the name, not for an instant
    await put(store, M, V1, kind)
    found = await store.get(M, V1, kind)
    assert found is not None
    assert found.read() == body_of(M, V1, kind)
    assert len(await store.catalog.feed(limit=10)) == 1


async def test_a_lost_zip_may_come_again_with_other_bytes(store: Store) -> None:
    await put(store, M, V1, "zip")
    file_of(store, V1, "zip").unlink()
    assert await store.get(M, V1, "zip") is None
    other = zip_of(M, V1, comment=b"made elsewhere")
    await put(store, M, V1, "zip", other)
    found = await store.get(M, V1, "zip")
    assert found is not None
    assert found.read() == other
    assert found.row == await store.catalog.file(M, V1, "zip")


async def test_files_copied_in_by_hand_are_taken_in_and_complete_their_version(store: Store) -> None:
    for kind in KINDS:
        place(store, V1, kind, body_of(M, V1, kind))
        blobs = await asyncio.gather(*(store.get(M, V1, kind) for _ in range(10)))
        assert {b.fd for b in blobs if b is not None} == {blobs[0].fd if blobs[0] else -1}
        assert blobs[0] is not None
        assert blobs[0].read() == body_of(M, V1, kind)
    row = await store.catalog.file(M, V1, "info")
    assert row is not None
    assert (row.time, row.origin) == (TIME, "")
    assert (await put(store, M, V1, "zip")).row.origin == ""
    assert [e.version for e in await store.catalog.feed(limit=10)] == [V1]


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("info", b"not JSON"),
        ("info", body_of(M, V2, "info")),
        ("zip", body_of(M, V2, "zip")),
        ("zip", body_of(M, V1, "zip")[:-30]),
    ],
)
async def test_a_copied_file_that_breaks_a_rule_is_absent_said_once_and_gives_way(
    store: Store, kind: Kind, bad: bytes
) -> None:
    place(store, V1, kind, bad)
    with capture_logs() as logs:
        for _ in range(3):
            assert await store.get(M, V1, kind) is None
    assert [log["event"] for log in logs] == ["a file that nobody recorded is not served"]
    assert (await put(store, M, V1, kind)).read() == body_of(M, V1, kind)
    assert file_of(store, V1, kind).read_bytes() == body_of(M, V1, kind)


async def test_a_copied_file_is_not_taken_in_for_a_lost_one_of_other_content(store: Store) -> None:
    await put(store, M, V1, "mod")
    file_of(store, V1, "mod").unlink()
    assert await store.get(M, V1, "mod") is None
    place(store, V1, "mod", b"module evil\n")
    assert await store.get(M, V1, "mod") is None


@pytest.mark.parametrize(
    ("path", "version", "holds"),
    [
        (M, V1, True),
        (ModulePath("example.com/" + "a" * 255), V1, True),
        (ModulePath("example.com/" + "a" * 256), V1, False),
        (ModulePath("example.com/" + "A" * 128), V1, False),  # escaped it is twice as long
        (M, Version("v1.0.0-" + "a" * 243), True),
        (M, Version("v1.0.0-" + "a" * 244), False),
        (ModulePath("example.com" + "/a" * 2100), V1, False),
    ],
)
async def test_what_the_file_system_cannot_hold_is_known_beforehand(
    store: Store, path: ModulePath, version: Version, holds: bool
) -> None:
    assert store.can_hold(path, version) is holds
    for kind in KINDS:
        assert await store.get(path, version, kind) is None
    if holds:
        for kind in KINDS:
            await put(store, path, version, kind)
    else:
        with pytest.raises(NotFound, match="too long"):
            await put(store, path, version, "mod", b"")
    assert files_below(store.directory / "tmp") == []


async def test_the_longest_path_that_can_be_held_is_held(store: Store) -> None:
    element = "/" + "a" * 100
    path = ModulePath("example.com" + element * 30)
    while not store.can_hold(path, V1):
        path = ModulePath(path[: -len(element)])
    while store.can_hold(longer := ModulePath(path + "a"), V1):
        path = longer
    assert (await put(store, path, V1, "info")).read() == body_of(path, V1, "info")


async def test_a_draft_is_removed_when_it_is_discarded_or_forgotten(store: Store) -> None:
    draft = store.begin()
    await draft.write(b"x")
    assert len(files_below(store.directory / "tmp")) == 1
    draft.discard()
    draft.discard()
    assert files_below(store.directory / "tmp") == []
    draft = store.begin()
    fd = draft.fd
    del draft
    gc.collect()
    assert files_below(store.directory / "tmp") == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


async def test_pieces_of_all_sizes_are_kept_in_order(store: Store) -> None:
    pieces = [bytes([n]) * size for n, size in enumerate((1, 65_535, 65_536, 300_000, 0, 10, 1 << 20, 3))]
    draft = store.begin()
    for piece in pieces:
        await draft.write(piece)
    body = b"".join(pieces)
    assert draft.size_bytes == len(body)
    blob = await store.commit(draft, M, V1, "mod", origin=ORIGIN, h1=hash_mod(body))
    assert os.pread(draft.fd, len(body), 0) == body  # those who read it while it came may go on
    draft.discard()
    assert blob.read() == body


async def test_a_writer_that_is_called_away_does_not_close_what_a_thread_has_yet_to_write_to(store: Store) -> None:
    gate = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(gate.wait)
        draft = Draft(store.tmp, thread)
        writing = asyncio.create_task(draft.write(bytes(1 << 20)))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait((writing,))
        assert writing.cancelled()
        draft.discard()
        other = store.begin()  # would be given the number of a descriptor that was closed
        gate.set()
    assert os.fstat(other.fd).st_size == 0
    other.discard()
    assert files_below(store.tmp) == []


async def test_a_commit_whose_caller_is_called_away_is_finished(store: Store) -> None:
    draft = store.begin()
    await draft.write(body_of(M, V1, "mod"))
    commit = asyncio.create_task(store.commit(draft, M, V1, "mod", origin=ORIGIN, h1=hash_mod(body_of(M, V1, "mod"))))
    await asyncio.sleep(0)
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit
    draft.discard()
    await store.close()
    again = await Store.open(store.directory)
    found = await again.catalog.file(M, V1, "mod")
    assert found is not None
    assert found.origin == ORIGIN
    assert files_below(store.directory / "tmp") == []
    await again.close()


async def test_a_version_that_arrives_whole_is_all_there(store: Store) -> None:
    blob = await put_whole(store, M, V1)
    assert blob.read() == zip_of(M, V1)
    for kind in KINDS:
        found = await store.get(M, V1, kind)
        assert found is not None
        assert found.read() == body_of(M, V1, kind)
    assert await store.catalog.claims() == []
    assert [e.version for e in await store.catalog.feed(limit=10)] == [V1]
    await put_whole(store, M, V1, zip_of(M, V1, comment=b"again"))  # the same once more is no fault
    with pytest.raises(Conflict):
        await put_whole(store, M, V1, zip_of(M, V1, content=b"evil"))
    assert len(await store.catalog.files(M)) == 3


async def test_the_info_of_a_version_that_arrives_whole_comes_last(store: Store) -> None:
    steps: list[tuple[Kind, set[Kind]]] = [("mod", set()), ("zip", {"mod"}), ("info", {"mod", "zip"})]
    for kind, there in steps:
        version = Version(f"v1.0.{len(there)}")
        async with store.naming(blob_key(M, version, kind)):
            whole = asyncio.create_task(put_whole(store, M, version))
            while {k for k in KINDS if file_of(store, version, k).exists()} != there:
                assert not whole.done()
                await asyncio.wait((whole,), timeout=0.001)
            await asyncio.wait((whole,), timeout=0.02)
            assert {k for k in KINDS if file_of(store, version, k).exists()} == there
            assert not await store.catalog.is_complete(M, version)
        await whole
        assert await store.catalog.is_complete(M, version)


async def test_a_version_that_cannot_arrive_whole_leaves_what_was_there(store: Store) -> None:
    await put(store, M, V1, "zip")
    with pytest.raises(Conflict):
        await put_whole(store, M, V1, zip_of(M, V1, content=b"evil"))
    assert [r.kind for r in await store.catalog.files(M)] == ["zip"]
    assert [p.name for p in files_below(store.directory / "modules")] == ["v1.0.0.zip"]
    draft = store.begin()
    with pytest.raises(RuleError):
        await store.commit_version(draft, M, V1, info=body_of(M, V2, "info"), mod=b"", h1="", origin="")
    draft.discard()
    assert files_below(store.directory / "tmp") == []
    await put_whole(store, M, V1)
    assert await store.catalog.is_complete(M, V1)


@pytest.mark.parametrize("way", ["start", "next upload"])
async def test_a_dead_claim_is_undone_with_its_files_and_spares_those_that_were_there(store: Store, way: str) -> None:
    await put(store, M, V1, "info")
    await store.catalog.claim(ClaimRow(M, V1, ("mod", "zip")))
    await put(store, M, V1, "mod", b"module dead\n")
    if way == "start":
        await (await Store.open(store.directory)).close()
        assert [p.name for p in files_below(store.directory / "modules")] == ["v1.0.0.info"]
        assert await store.catalog.claims() == []
        assert await store.get(M, V1, "mod") is None
    else:
        await put_whole(store, M, V1)
        assert file_of(store, V1, "mod").read_bytes() == body_of(M, V1, "mod")


async def test_a_dead_claim_of_a_complete_version_is_ended_and_nothing_else(store: Store) -> None:
    await store.catalog.claim(ClaimRow(M, V1, KINDS))
    for kind in KINDS:
        await put(store, M, V1, kind)
    await (await Store.open(store.directory)).close()
    assert await store.catalog.claims() == []
    assert len(await store.catalog.files(M)) == 3
    assert await store.get(M, V1, "zip") is not None


async def test_the_claim_of_a_living_holder_is_left_to_it(store: Store) -> None:
    await store.catalog.claim(ClaimRow(M, V1, ("mod",)))
    async with store.locks.hold(f"claim of {M}@{V1}"):
        await (await Store.open(store.directory)).close()
        assert len(await store.catalog.claims()) == 1


async def test_a_flight_has_one_holder_and_waiters_may_give_up(store: Store, tmp_path: Path) -> None:
    other = await Store.open(tmp_path)
    held = asyncio.Event()
    inside: list[str] = []

    async def fly(over: Store, name: str) -> None:
        async with over.flight("key"):
            inside.append(name)
            held.set()
            assert len(files_below(tmp_path / "locks")) == 1
            await asyncio.sleep(0)
            assert inside.pop() == name
            assert inside == []

    async with store.flight("key"), store.flight("another key"):
        waiting = [asyncio.create_task(fly(s, f"{n}")) for n, s in enumerate((store, other) * 8)]
        quitter = asyncio.create_task(fly(other, "quitter"))
        await asyncio.wait(waiting, timeout=0.02)
        assert not held.is_set()
        quitter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await quitter
    await asyncio.gather(*waiting)
    assert files_below(tmp_path / "locks") == []
    await other.close()


async def test_a_lock_that_its_holder_removes_at_the_last_instant_is_taken_anew(store: Store) -> None:
    locks = store.directory / "locks"
    removed: list[Path] = []

    def remove_between_open_and_lock(event: str, _: object) -> None:
        if event == "fcntl.flock" and not removed:
            removed.extend(files_below(locks))
            removed[0].unlink()

    with watched(remove_between_open_and_lock):
        async with store.flight("key"):
            assert len(removed) == 1
            assert files_below(locks) == removed


async def test_a_row_without_a_file_is_not_taken_from_the_catalog_alone(store: Store) -> None:
    await store.catalog.record(row_of(M, V1, "mod"))
    assert await store.get(M, V1, "mod") is None
    assert await store.catalog.file(M, V1, "mod") is None

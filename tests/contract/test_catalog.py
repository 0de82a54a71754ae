"""What every catalog engine promises: rows once and for ever, versions when complete, a feed and pages that lose nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.records import AnswerRow, Catalog, ClaimRow, Conflict, FeedEntry, Kind
from tests.world.catalogs import ENGINES
from tests.world.stored import KINDS, row_of

M, OTHER = ModulePath("example.com/Some/module"), ModulePath("example.com/other")
TOOLCHAIN = ModulePath("golang.org/toolchain")
V1, V2, V10 = Version("v1.2.0"), Version("v1.9.0"), Version("v1.10.0")
WRITERS, EACH = 4, 150


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def opened(engine: str, tmp_path: Path) -> AsyncIterator[Callable[[], Catalog]]:
    catalogs: list[Catalog] = []

    def open_one() -> Catalog:
        catalogs.append(ENGINES[engine](str(tmp_path)))
        return catalogs[-1]

    yield open_one
    for catalog in catalogs:
        await catalog.close()


@pytest.fixture
def catalog(opened: Callable[[], Catalog]) -> Catalog:
    return opened()


async def complete(catalog: Catalog, path: ModulePath, version: Version) -> None:
    for kind in KINDS:
        await catalog.record(row_of(path, version, kind))


async def whole_feed(catalog: Catalog, limit: int = 100) -> list[FeedEntry]:
    entries: list[FeedEntry] = []
    while page := await catalog.feed(after=entries[-1].sequence if entries else 0, limit=limit):
        entries += page
    return entries


async def test_a_row_comes_back_as_it_was_given(catalog: Catalog) -> None:
    for kind in KINDS:
        row = row_of(M, V1, kind)
        assert await catalog.file(M, V1, kind) is None
        await catalog.record(row)
        found = await catalog.file(M, V1, kind)
        assert found == row
        assert isinstance(found.path, ModulePath)
        assert isinstance(found.version, Version)
    assert {r.kind for r in await catalog.files(M)} == set(KINDS)
    assert await catalog.files(OTHER) == []


@pytest.mark.parametrize("order", [("info", "mod", "zip"), ("zip", "info", "mod"), ("mod", "zip", "info")])
async def test_a_version_is_complete_with_its_third_file_whichever_that_is(
    catalog: Catalog, order: tuple[Kind, ...]
) -> None:
    for kind in order[:2]:
        assert not await catalog.record(row_of(M, V1, kind))
        assert not await catalog.is_complete(M, V1)
        assert await whole_feed(catalog) == []
    assert await catalog.record(row_of(M, V1, order[2]))
    assert await catalog.is_complete(M, V1)
    assert [(e.path, e.version) for e in await whole_feed(catalog)] == [(M, V1)]
    assert not await catalog.record(row_of(M, V1, order[2]))
    assert len(await whole_feed(catalog)) == 1


async def test_a_toolchain_is_complete_with_its_zip_alone(catalog: Catalog) -> None:
    version = Version("v0.0.1-go1.22.0.linux-amd64")
    assert await catalog.record(row_of(TOOLCHAIN, version, "zip"))
    assert not await catalog.record(row_of(TOOLCHAIN, version, "info"))
    assert [e.version for e in await whole_feed(catalog)] == [version]


@pytest.mark.parametrize("kind", ["mod", "zip"])
async def test_another_h1_under_a_kept_name_is_a_conflict_and_changes_nothing(catalog: Catalog, kind: Kind) -> None:
    await catalog.record(row_of(M, V1, kind))
    with pytest.raises(Conflict) as refused:
        await catalog.record(row_of(M, V1, kind, h1="h1:another"))
    assert refused.value.kept == row_of(M, V1, kind)
    assert await catalog.file(M, V1, kind) == row_of(M, V1, kind)


async def test_the_first_row_of_equal_content_stays(catalog: Catalog) -> None:
    for kind in KINDS:
        await catalog.record(row_of(M, V1, kind))
        await catalog.record(
            replace(row_of(M, V1, kind), sha256="0" * 64, size_bytes=8, origin="https://other.example")
        )
        assert await catalog.file(M, V1, kind) == row_of(M, V1, kind)


async def test_what_is_lost_is_absent_and_only_the_same_content_takes_its_place(catalog: Catalog) -> None:
    await complete(catalog, M, V1)
    row = row_of(M, V1, "zip")
    assert await catalog.lost(M, V1, "zip") is None
    await catalog.forget(row)
    assert await catalog.file(M, V1, "zip") is None
    assert {r.kind for r in await catalog.files(M)} == {"info", "mod"}
    assert await catalog.lost(M, V1, "zip") == row
    assert await catalog.versions(M) == [V1]  # it was there, and the feed said so
    with pytest.raises(Conflict):
        await catalog.record(row_of(M, V1, "zip", h1="h1:another"))
    again = replace(row, sha256="1" * 64, size_bytes=9)
    assert not await catalog.record(again)
    assert await catalog.file(M, V1, "zip") == again
    assert await catalog.lost(M, V1, "zip") is None
    assert len(await whole_feed(catalog)) == 1
    await catalog.forget(row)  # said by somebody who saw the old one: too late
    assert await catalog.file(M, V1, "zip") == again


async def test_a_lost_file_does_not_complete_a_version(catalog: Catalog) -> None:
    await catalog.record(row_of(M, V1, "info"))
    await catalog.record(row_of(M, V1, "mod"))
    await catalog.forget(row_of(M, V1, "mod"))
    assert not await catalog.record(row_of(M, V1, "zip"))
    assert await catalog.record(row_of(M, V1, "mod"))


async def test_versions_are_ascending_by_precedence_and_modules_by_bytes(catalog: Catalog) -> None:
    for version in (V10, V1, V2):
        await complete(catalog, M, version)
    await catalog.record(row_of(OTHER, V1, "mod"))
    assert await catalog.versions(M) == [V1, V2, V10]
    assert await catalog.versions(OTHER) == []
    assert await catalog.modules("", 10) == [M, OTHER]
    assert await catalog.modules("", 1) == [M]
    assert await catalog.modules(M, 10) == [OTHER]


async def test_an_answer_is_replaced_and_dropped_by_kind_and_query(catalog: Catalog) -> None:
    rows = [
        AnswerRow(M, "list", "", b"v1.2.0\n", "https://a.example", 1.5),
        AnswerRow(M, "latest", "", b"{}", "", 2.25),
        AnswerRow(M, "query", "master", b"\x00\xff", "", 3.0),
    ]
    for row in rows:
        await catalog.put_answer(row)
    for row in rows:
        assert await catalog.answer(M, row.kind, row.query) == row
    newer = replace(rows[0], body=b"", fetched_at=9.0)
    await catalog.put_answer(newer)
    assert await catalog.answer(M, "list") == newer
    await catalog.drop_answer(M, "query", "master")
    assert await catalog.answer(M, "query", "master") is None
    assert await catalog.answer(M, "latest") == rows[1]
    assert await catalog.answer(OTHER, "list") is None


async def test_pages_are_in_byte_order(catalog: Catalog) -> None:
    wanted = sorted(
        (p, v) for p in (M, OTHER, ModulePath("example.com/other/v2")) for v in (V1, V2, V10) if "v2" not in p
    )
    for path, version in reversed(wanted):
        await complete(catalog, path, version)
    for limit in (1, 2, 4, 100):
        got: list[tuple[str, str]] = []
        while page := await catalog.page(got[-1] if got else ("", ""), limit):
            assert len(page) <= limit
            got += page
        assert got == wanted


async def test_pages_lose_nothing_that_was_there_while_others_write(
    catalog: Catalog, opened: Callable[[], Catalog]
) -> None:
    before = [(ModulePath(f"example.com/m{n:03}"), V1) for n in range(0, 200, 2)]
    for path, version in before:
        await complete(catalog, path, version)
    other = opened()
    turn = asyncio.Event()

    async def write() -> None:
        for n in range(1, 200, 2):
            await complete(other, ModulePath(f"example.com/m{n:03}"), V1)
            turn.set()

    writing = asyncio.create_task(write())
    got: list[tuple[str, str]] = []
    while page := await catalog.page(got[-1] if got else ("", ""), 7):
        got += page
        if not writing.done():
            turn.clear()
            await asyncio.wait([writing, asyncio.create_task(turn.wait())], return_when=asyncio.FIRST_COMPLETED)
    turn.set()
    await writing
    assert got == sorted(set(got))
    assert set(before) <= set(got)
    assert len(await catalog.page(("", ""), 1000)) == 200


async def test_64_writers_at_once_are_all_heard(catalog: Catalog, opened: Callable[[], Catalog]) -> None:
    catalogs = [catalog, opened()]
    outcomes = await asyncio.gather(
        *(catalogs[n % 2].record(row_of(M, V1, "zip", h1=f"h1:{n % 4}")) for n in range(64)), return_exceptions=True
    )
    kept = await catalog.file(M, V1, "zip")
    assert kept is not None
    refused = [o for o in outcomes if isinstance(o, Conflict)]
    assert len(refused) == 48
    assert {o.kept.h1 for o in refused} == {kept.h1}
    await asyncio.gather(*(complete(catalogs[n % 2], OTHER, Version(f"v1.{n}.0")) for n in range(64)))
    assert len(await whole_feed(catalog)) == 64


async def test_a_feed_that_four_processes_write_rises_and_misses_nothing(
    catalog: Catalog, engine: str, tmp_path: Path
) -> None:
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.world.catalog_writer", engine, str(tmp_path), str(n), str(EACH)
        )
        for n in range(WRITERS)
    ]
    ended = asyncio.gather(*(w.wait() for w in writers))
    followed: list[FeedEntry] = []
    while True:
        last = ended.done()
        while page := await catalog.feed(after=followed[-1].sequence if followed else 0, limit=13):
            followed += page
        if last:
            break
        await asyncio.wait([ended], timeout=0.002)
    assert await ended == [0] * WRITERS
    assert len({(e.path, e.version) for e in followed}) == len(followed) == WRITERS * EACH
    for order in ([e.sequence for e in followed], [e.at_us for e in followed]):
        assert order == sorted(set(order))
    # By time, as /index pages: from the last one seen on.
    by_time: list[FeedEntry] = []
    while page := await catalog.feed(since_us=by_time[-1].at_us + 1 if by_time else 0, limit=50):
        by_time += page
    assert by_time == followed


async def test_a_claim_is_had_once_and_undone_without_a_trace(catalog: Catalog) -> None:
    await catalog.record(row_of(M, V1, "info"))
    claim = ClaimRow(M, V1, ("mod", "zip"))
    assert await catalog.claim(claim)
    assert not await catalog.claim(replace(claim, kinds=("info",)))
    assert await catalog.claims() == [claim]
    await catalog.record(row_of(M, V1, "mod"))
    await catalog.unclaim(claim, undo=True)
    assert await catalog.claims() == []
    assert [r.kind for r in await catalog.files(M)] == ["info"]
    await catalog.record(row_of(M, V1, "mod", h1="h1:another"))  # nobody relies on what never came to be
    assert await catalog.claim(claim)
    await catalog.unclaim(claim, undo=False)
    assert {r.kind for r in await catalog.files(M)} == {"info", "mod"}


async def test_everything_is_there_after_opening_it_anew(catalog: Catalog, opened: Callable[[], Catalog]) -> None:
    await complete(catalog, M, V1)
    await catalog.close()
    again = opened()
    assert await again.versions(M) == [V1]
    await complete(again, M, V2)
    first, second = await whole_feed(again)
    assert (first.version, second.version) == (V1, V2)
    assert first.sequence < second.sequence
    assert first.at_us < second.at_us

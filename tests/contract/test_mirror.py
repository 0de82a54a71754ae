"""The mirror over a real store and a source of a few lines: asked once, kept, and served when the origin is down."""

import asyncio
import io
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from phaleron.errors import NotFound, OriginFailed, OriginTimeout, PhaleronError, Untrusted
from phaleron.gomod.info import Info, encode_info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.mirror.arriving import HELD_BACK_BYTES, Arriving
from phaleron.mirror.kept import Kept
from phaleron.mirror.mirror import Mirror
from phaleron.mirror.options import MirrorOptions
from phaleron.sources.source import Answer, Content
from phaleron.store.blob import Blob
from phaleron.store.store import Store

M = ModulePath("example.com/Some/module")
V1, V2, PSEUDO = Version("v1.0.0"), Version("v1.1.0"), Version("v1.1.1-0.20240102030405-abcdef123456")
ORIGIN = "https://origin.example"


def module_zip(path: ModulePath, version: Version, content: bytes = b"package m\n") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr(f"{path}@{version}/go.mod", f"module {path}\n")
        z.writestr(f"{path}@{version}/m.go", content)
    return out.getvalue()


@dataclass
class Whole:
    """Content that comes in one piece."""

    body: bytes
    origin: str = ORIGIN

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body


@dataclass
class Origin:
    """A source that counts what it is asked, and fails as told."""

    asked: Counter[str] = field(default_factory=Counter)
    listed: tuple[Version, ...] = (V1, V2)
    down: PhaleronError | None = None
    zip_body: bytes = module_zip(M, V1)
    hold: asyncio.Event | None = None
    content: Content | None = None

    async def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.down is not None:
            raise self.down

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        await self._ask("list")
        return Answer(self.listed, b"", ORIGIN)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        await self._ask("latest")
        raise NotFound("no @latest here")

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        await self._ask(f"{query}.info")
        version = query if isinstance(query, Version) else PSEUDO
        info = Info(version, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
        return Answer(info, encode_info(info), ORIGIN)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        await self._ask(f"{version}.mod")
        body = f"module {path}\n".encode()
        return Answer(body, body, ORIGIN)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        await self._ask(f"{version}.zip hint={hint}")
        yield self.content or Whole(self.zip_body)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path)
    yield store
    await store.close()


@asynccontextmanager
async def mirrored(origin: Origin, store: Store, **options: float) -> AsyncIterator[Mirror]:
    mirror = Mirror(origin, store, MirrorOptions(**options))
    try:
        yield mirror
    finally:
        await mirror.close()


async def read_zip(mirror: Mirror | Kept, version: Version = V1) -> bytes:
    async with mirror.zip(M, version) as content:
        return b"".join([piece async for piece in content])


async def test_each_file_is_asked_for_once_and_only_the_one_that_was_wanted(store: Store) -> None:
    origin = Origin()
    async with mirrored(origin, store) as mirror:
        for _ in range(3):
            assert (await mirror.mod(M, V1)).body == b"module example.com/Some/module\n"
        assert origin.asked == {"v1.0.0.mod": 1}
        assert list(await asyncio.gather(*(read_zip(mirror) for _ in range(50)))) == [origin.zip_body] * 50
        assert origin.asked == {"v1.0.0.mod": 1, f"v1.0.0.zip hint={ORIGIN}": 1}


async def test_a_version_is_in_the_feed_once_all_three_files_are_there(store: Store) -> None:
    async with mirrored(Origin(), store) as mirror:
        await mirror.mod(M, V1)
        await read_zip(mirror)
        assert list(await store.catalog.feed(limit=10)) == []
        await mirror.info(M, V1)
        assert [(e.path, e.version) for e in await store.catalog.feed(limit=10)] == [(M, V1)]


async def test_what_is_absent_is_remembered_for_each_file_apart(store: Store) -> None:
    origin = Origin(down=NotFound("gone"))
    async with mirrored(origin, store) as mirror:
        for _ in range(3):
            with pytest.raises(NotFound, match="gone"):
                await mirror.info(M, V1)
        assert origin.asked == {"v1.0.0.info": 1}
        origin.down = None
        await mirror.mod(M, V1)  # a sibling that names the version clears it
        await mirror.info(M, V1)


async def test_a_list_that_names_the_version_clears_its_absence(store: Store) -> None:
    origin = Origin(down=NotFound("not yet"))
    async with mirrored(origin, store) as mirror:
        with pytest.raises(NotFound):
            await mirror.info(M, V2)
        origin.down = None
        with pytest.raises(NotFound):
            await mirror.info(M, V2)
        await mirror.versions(M)
        await mirror.info(M, V2)


async def test_a_list_404_never_answers_for_a_version(store: Store) -> None:
    origin = Origin(down=NotFound("no list"))
    async with mirrored(origin, store) as mirror:
        with pytest.raises(NotFound):
            await mirror.versions(M)
        origin.down = None
        await mirror.info(M, V1)


async def test_a_fresh_list_costs_nothing_and_a_stale_one_is_refreshed_behind(store: Store) -> None:
    origin = Origin()
    async with mirrored(origin, store) as mirror:
        for _ in range(3):
            assert (await mirror.versions(M)).value == (V1, V2)
        assert origin.asked["list"] == 1
    origin.listed = (V1, V2, Version("v1.2.0"))
    async with mirrored(origin, store, fresh_s=0) as mirror:
        answer = await mirror.versions(M)
        assert (answer.value, answer.stale) == ((V1, V2), True)
        async with asyncio.timeout(5):
            while (await mirror.versions(M)).value != origin.listed:
                await asyncio.sleep(0)


async def test_an_older_list_waits_for_its_refresh_but_not_for_ever(store: Store) -> None:
    origin = Origin()
    async with mirrored(origin, store) as mirror:
        await mirror.versions(M)
    origin.listed = (V1,)
    async with mirrored(origin, store, fresh_s=0, stale_s=0) as mirror:
        answer = await mirror.versions(M)
        assert (answer.value, answer.stale) == ((V1,), False)
        origin.hold = asyncio.Event()
    async with mirrored(origin, store, fresh_s=0, stale_s=0, refresh_wait_s=0.01) as mirror:
        answer = await mirror.versions(M)
        assert (answer.value, answer.stale) == ((V1,), True)


@pytest.mark.parametrize("error", [OriginFailed("down"), OriginTimeout("silent")])
async def test_while_the_origin_is_down_what_is_kept_is_served_and_it_is_left_alone(
    store: Store, error: PhaleronError
) -> None:
    origin = Origin()
    async with mirrored(origin, store) as mirror:
        await mirror.versions(M)
    origin.down = error
    async with mirrored(origin, store, fresh_s=0, stale_s=0) as mirror:
        for _ in range(10):
            answer = await mirror.versions(M)
            assert (answer.value, answer.stale) == ((V1, V2), True)
        assert origin.asked["list"] == 2


async def test_a_deleted_module_stays_usable_by_what_is_kept(store: Store) -> None:
    origin = Origin()
    async with mirrored(origin, store) as mirror:
        for get in (mirror.info(M, V1), mirror.mod(M, V1), read_zip(mirror)):
            await get
    origin.down = NotFound("deleted")
    async with mirrored(origin, store) as mirror:
        assert (await mirror.versions(M)).value == (V1,)
        assert (await mirror.latest(M)).value.version == V1


async def test_latest_is_chosen_from_the_list_where_the_origin_has_none(store: Store) -> None:
    async with mirrored(Origin(listed=(V1, V2, Version("v1.2.0-rc.1"))), store) as mirror:
        assert (await mirror.latest(M)).value.version == V2


async def test_a_query_is_kept_and_completes_its_version(store: Store) -> None:
    origin = Origin(zip_body=module_zip(M, PSEUDO))
    async with mirrored(origin, store) as mirror:
        for _ in range(2):
            assert (await mirror.info(M, Query("master"))).value.version == PSEUDO
        await mirror.mod(M, PSEUDO)
        await read_zip(mirror, PSEUDO)
        assert origin.asked["master.info"] == 1
        assert [e.version for e in await store.catalog.feed(limit=10)] == [PSEUDO]
        assert (await mirror.versions(M)).value == (V1, V2)  # a pseudo-version is in nobody's list


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (module_zip(M, V2), "v1.1.0"),
        (module_zip(M, V1)[:-10], "zip"),
        (module_zip(M, V1).replace(b"package m", b"package n"), "CRC"),
    ],
)
async def test_a_zip_that_breaks_a_rule_is_refused_and_nothing_is_stored(store: Store, body: bytes, rule: str) -> None:
    async with mirrored(Origin(zip_body=body), store) as mirror:
        with pytest.raises(OriginFailed, match=rule):
            await read_zip(mirror)
        assert await store.get(M, V1, "zip") is None
        assert list((store.directory / "tmp").iterdir()) == []


async def test_kept_never_asks_the_origin(store: Store) -> None:
    kept = Kept(store)
    for ask in (
        kept.versions(M),
        kept.latest(M),
        kept.info(M, V1),
        kept.info(M, Query("master")),
        kept.mod(M, V1),
        read_zip(kept),
    ):
        with pytest.raises(NotFound):
            await ask
    origin = Origin()
    async with mirrored(origin, store) as mirror:
        for get in (mirror.versions(M), mirror.info(M, V1), mirror.mod(M, V1), read_zip(mirror)):
            await get
    assert (await kept.versions(M)).value == (V1, V2)
    assert (await kept.latest(M)).value.version == V1
    assert await read_zip(kept) == origin.zip_body


class Slow:
    """Content of a big zip whose second half comes when it is let through, or breaks."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.go_on = asyncio.Event()
        self.broken = False
        self.size_bytes: int | None = len(body)
        self.origin = ORIGIN

    async def __aiter__(self) -> AsyncIterator[bytes]:
        half = len(self.body) // 2
        yield self.body[:half]
        await self.go_on.wait()
        if self.broken:
            raise OriginFailed("cut")
        yield self.body[half:]


@pytest.mark.parametrize("broken", [False, True])
async def test_a_slow_zip_begins_to_be_sent_and_its_end_is_held_back_until_it_is_verified(
    store: Store, broken: bool
) -> None:
    body = module_zip(M, V1, bytes(1 << 20))
    slow = Slow(body)
    slow.broken = broken
    async with mirrored(Origin(content=slow), store, first_byte_s=0.01) as mirror, mirror.zip(M, V1) as content:
        assert isinstance(content, Arriving)
        assert content.size_bytes == len(body)
        got = b""
        pieces = aiter(content)
        while len(got) < len(body) // 2:
            got += await anext(pieces)
        slow.go_on.set()
        if broken:
            with pytest.raises(OriginFailed, match="cut"):
                await anext(pieces)
            assert len(got) <= len(body) - HELD_BACK_BYTES
        else:
            got += b"".join([piece async for piece in pieces])
            assert got == body
            assert isinstance(await store.get(M, V1, "zip"), Blob)


async def test_another_content_under_a_kept_name_is_refused(store: Store) -> None:
    async with mirrored(Origin(), store) as mirror:
        await read_zip(mirror)
    (store.directory / "modules" / M.escaped / "@v" / f"{V1}.zip").unlink()
    async with mirrored(Origin(zip_body=module_zip(M, V1, b"package evil\n")), store) as mirror:
        with pytest.raises(Untrusted):
            await read_zip(mirror)

"""What every module source must do, over a tree with one module of every shape.

A new source joins by a line in `SOURCES`: how to open it over a tree of files.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from phaleron.errors import NotFound, OriginFailed
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pattern import PatternList
from phaleron.gomod.version import Query, Version
from phaleron.net.client import Client, ClientOptions
from phaleron.sources.answers import Limits
from phaleron.sources.goproxy import Entry, parse_goproxy
from phaleron.sources.routed import Routed
from phaleron.sources.source import ModuleSource
from phaleron.sources.tree import Tree
from phaleron.sources.upstream import Upstream
from tests.support.modules import (
    ABSENT,
    EMPTY,
    GO,
    INCOMPATIBLE,
    NEWER,
    NEWEST,
    PSEUDO,
    SECOND,
    TOOLCHAIN,
    UPPER,
    WRONG,
    info_of,
    mod_of,
    serving,
    write_tree,
)
from tests.support.origin import always, origin

LIMITS = Limits(list_bytes=10_000, info_bytes=10_000, mod_bytes=100_000, zip_bytes=1_000_000)
OPTIONS = ClientOptions(headers_s=5, idle_s=5, retry_s=0)


@asynccontextmanager
async def over_upstream(root: Path) -> AsyncIterator[ModuleSource]:
    async with origin(serving(root, "/go/proxy")) as it, Client(OPTIONS, environment={}) as client:
        yield Upstream(f"http://user:geheim@{it.host}/go/proxy/", client, LIMITS)


@asynccontextmanager
async def over_tree(root: Path) -> AsyncIterator[ModuleSource]:
    yield Tree(root.as_uri(), LIMITS)


@asynccontextmanager
async def over_route(root: Path) -> AsyncIterator[ModuleSource]:
    """The tree stands behind an upstream that has nothing."""
    async with origin(always(410, b"gone")) as it, Client(OPTIONS, environment={}) as client:

        def make(entry: Entry) -> ModuleSource:
            return Tree(entry.url, LIMITS) if entry.url.startswith("file:") else Upstream(entry.url, client, LIMITS)

        yield Routed(parse_goproxy(f"{it.url},{root.as_uri()},direct"), PatternList.parse("private.example"), make)


Opening = Callable[[Path], AbstractAsyncContextManager[ModuleSource]]
SOURCES: dict[str, Opening] = {"upstream": over_upstream, "tree": over_tree, "routed": over_route}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "a tree"  # a blank in it: file URLs are escaped
    write_tree(root)
    return root


@pytest.fixture(params=SOURCES.values(), ids=SOURCES.keys())
async def source(request: pytest.FixtureRequest, root: Path) -> AsyncIterator[ModuleSource]:
    async with request.param(root) as source:
        yield source


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        (UPPER, ["v1.9.0", "v1.10.0-RC1", "v1.10.0"]),
        (INCOMPATIBLE, ["v0.9.0-alpha.1", "v1.0.0", "v2.0.0+incompatible"]),
        (SECOND, ["v2.0.0"]),
        (PSEUDO, []),
        (EMPTY, []),
        (TOOLCHAIN, [GO]),
    ],
)
async def test_a_list_is_ascending_and_without_pseudo_versions(
    source: ModuleSource, path: ModulePath, versions: list[str]
) -> None:
    answer = await source.versions(path)
    assert list(answer.value) == versions
    assert all(isinstance(v, Version) for v in answer.value)
    assert answer.body.decode() == "".join(f"{v}\n" for v in versions)
    assert not answer.stale


async def test_latest_is_the_origins_own(source: ModuleSource) -> None:
    answer = await source.latest(UPPER)
    assert (answer.value.version, answer.body) == ("v1.10.0", info_of("v1.10.0"))


async def test_latest_of_a_module_without_tags_is_its_newest_commit_that_is_there(source: ModuleSource) -> None:
    assert (await source.latest(PSEUDO)).value.version == NEWER


async def test_latest_without_an_answer_of_its_own(source: ModuleSource) -> None:
    with pytest.raises(NotFound):
        await source.latest(INCOMPATIBLE)  # it is computed from the list, where the list has versions
    with pytest.raises(NotFound):
        await source.latest(EMPTY)


async def test_an_info_is_kept_to_the_byte(source: ModuleSource) -> None:
    version = Version("v1.10.0-RC1")
    answer = await source.info(UPPER, version)
    assert answer.body == info_of(version)
    assert answer.value.version == version
    assert answer.value.time == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert answer.value.origin is not None
    assert answer.value.origin.url == "https://git.example/x"


@pytest.mark.parametrize(
    ("path", "query", "version"),
    [
        (UPPER, Query("main"), "v1.10.0"),
        (UPPER, Query("Feature-1"), "v1.10.1-0.20240102030405-aaaaaaaaaaaa"),
        (INCOMPATIBLE, Version("v2.0.0+incompatible"), "v2.0.0+incompatible"),
        (INCOMPATIBLE, Version("v2.0.0"), "v2.0.0+incompatible"),
        (PSEUDO, NEWER, NEWER),
    ],
)
async def test_a_query_names_a_version(
    source: ModuleSource, path: ModulePath, query: Version | Query, version: str
) -> None:
    assert (await source.info(path, query)).value.version == version


async def test_a_go_mod_is_kept_to_the_byte(source: ModuleSource) -> None:
    answer = await source.mod(PSEUDO, NEWEST)
    assert answer.body == answer.value == mod_of(PSEUDO)


@pytest.mark.parametrize(
    ("path", "version"),
    [(UPPER, Version("v1.10.0-RC1")), (INCOMPATIBLE, Version("v2.0.0+incompatible")), (TOOLCHAIN, GO)],
)
async def test_a_zip_comes_whole_and_says_how_long_it_is(
    source: ModuleSource, root: Path, path: ModulePath, version: Version
) -> None:
    wanted = (root / f"{path.escaped}/@v/{version.escaped}.zip").read_bytes()
    async with source.zip(path, version) as content:
        assert content.size_bytes == len(wanted)
        assert b"".join([piece async for piece in content]) == wanted


async def test_a_zip_need_not_be_read_to_its_end(source: ModuleSource) -> None:
    for _ in range(3):
        async with source.zip(UPPER, Version("v1.9.0")) as content:
            assert content.size_bytes


V1 = Version("v1.0.0")


@pytest.mark.parametrize(
    ("path", "version"),
    [
        (ABSENT, V1),
        (UPPER, V1),
        (UPPER, Version("v1.10.0-rc1")),
        (ModulePath("example.com/upper/case"), Version("v1.9.0")),
    ],
)
async def test_what_is_not_there_is_not_found(source: ModuleSource, path: ModulePath, version: Version) -> None:
    for asking in (source.info(path, version), source.mod(path, version), source.info(path, Query("none"))):
        with pytest.raises(NotFound, match=f"^{path}@"):
            await asking
    with pytest.raises(NotFound, match=f"^{path}@{version}: "):
        await source.zip(path, version).__aenter__()


async def test_a_module_that_is_not_there_has_no_list(source: ModuleSource) -> None:
    with pytest.raises(NotFound, match=f"^{ABSENT}: "):
        await source.versions(ABSENT)
    with pytest.raises(NotFound, match=f"^{ABSENT}@latest: "):
        await source.latest(ABSENT)


async def test_what_breaks_a_rule_is_the_origins_failure(source: ModuleSource) -> None:
    for asking, rule in [
        (source.versions(WRONG), "page of HTML"),
        (source.latest(WRONG), "has no Version"),
        (source.info(WRONG, V1), "of another version"),
        (source.info(WRONG, Query("main")), "cannot be a version of"),
        (source.mod(WRONG, V1), "go.mod:1:"),
    ]:
        with pytest.raises(OriginFailed, match=f"^{WRONG}.*{rule}"):
            await asking


async def test_what_is_too_long_is_refused_with_the_limit(source: ModuleSource, root: Path) -> None:
    base = root / UPPER.escaped / "@v"
    (base / "list").write_bytes(b"v1.0.0\n" * 2000)
    (base / "v1.9.0.info").write_bytes(info_of("v1.9.0") + b" " * 10_000)
    (base / "v1.9.0.mod").write_bytes(b"// x\n" * 30_000)
    (base / "v1.9.0.zip").write_bytes(bytes(1_000_001))
    version = Version("v1.9.0")
    with pytest.raises(OriginFailed, match="limit of 10000 bytes"):
        await source.versions(UPPER)
    with pytest.raises(OriginFailed, match="limit of 10000 bytes"):
        await source.info(UPPER, version)
    with pytest.raises(OriginFailed, match="limit of 100000 bytes"):
        await source.mod(UPPER, version)
    with pytest.raises(OriginFailed, match="limit of 1000000 bytes"):
        await source.zip(UPPER, version).__aenter__()


async def test_answers_say_who_gave_them_and_no_secret(source: ModuleSource) -> None:
    version = Version("v1.9.0")
    origins = {
        (await source.versions(UPPER)).origin,
        (await source.info(UPPER, version)).origin,
        (await source.mod(UPPER, version)).origin,
    }
    async with source.zip(UPPER, version, hint=origins.copy().pop()) as content:
        origins.add(content.origin)
    assert len(origins) == 1
    assert "geheim" not in origins.pop()

"""The fast lane and the ordinary path answer the same, byte for byte, headers included."""

import asyncio
import re
from pathlib import Path

import pytest

from phaleron.errors import OriginFailed
from phaleron.gomod.version import Version
from phaleron.web.options import WebOptions
from tests.world.webserver import BASE, web_server

REPEATED = [
    f"{BASE}/@v/list",
    f"{BASE}/@latest",
    f"{BASE}/@v/v1.0.0.info",
    f"{BASE}/@v/main.info",
    f"{BASE}/@v/v1.0.0.mod",
    f"{BASE}/@v/v1.0.0.zip",
    f"{BASE}/@v/v1.0.0.zip".replace("!", "%21"),
]
NEVER_REPEATED = [
    f"{BASE}/@v/v1.0.0.mod?x=1",
    f"/cached-only{BASE}/@v/v1.0.0.mod",
    "/example.com/absent/@v/list",
    "/example.com/Upper/@v/list",
    "/sumdb/sum.example/tile/8/0/000",
    "/sumdb/other.example/supported",
    "/index",
    "/catalog",
    "/livez",
    "/no/such/route",
    f"{BASE}/@v/%zz.info",
]
LEAVES_THE_LANE = [
    {"range": "bytes=3-9"},
    {"range": "bytes=-4"},
    {"range": "bytes=999999999-"},
    {"range": "bytes=0-1,4-5"},
    {"if_none_match": "*"},
    {"if_none_match": '"other"'},
    {"if_match": '"other"'},
    {"if_modified_since": "Tue, 02 Jan 2024 03:04:05 GMT"},
    {"if_range": '"other"', "range": "bytes=0-1"},
    {"x_request_id": "abc"},
    {"athens_request_id": "abc"},
    {"disable_module_fetch": "1"},
    {"phaleron_hops": "ffff"},
    {"expect": "100-continue"},
    {"connection": "close"},
]


@pytest.mark.parametrize("target", REPEATED)
async def test_a_repeated_answer_is_the_first_one(target: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        first = await connection.ask(target)
        asked = server.source.asked.total()
        assert (first.status, server.cache.hits, asked) == (200, 0, 1)
        for n in range(1, 4):
            assert await connection.ask(target) == first
            assert (server.cache.hits, server.source.asked.total()) == (n, asked)
        assert await server.ask(target, user_agent="GoCommand/1", accept_encoding="gzip") == first
        if target.endswith("zip"):
            assert first.body == server.source.zip_body


@pytest.mark.parametrize("target", [*REPEATED, *NEVER_REPEATED])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_without_the_lane_the_answers_are_the_same(target: str, method: str, tmp_path: Path) -> None:
    answers = []
    for on in (True, False):
        directory = tmp_path / str(on)
        directory.mkdir()
        async with web_server(directory, WebOptions(fast_lane=on), zip_bytes=9000) as server:
            for _ in range(2):
                await server.ask(target)
            got = await server.ask(target, method=method)
            fixed = [h for h in got.headers if h[0] != b"x-request-id"]
            body = re.sub(rb"request [0-9a-f]{16}", b"request ID", got.body)
            answers.append((got.status, fixed, body))
            repeated = on and target in REPEATED and method == "GET"
            assert server.cache.hits == (1 if on and target in REPEATED else 0) + repeated
    assert answers[0] == answers[1]


@pytest.mark.parametrize("headers", LEAVES_THE_LANE, ids=lambda h: ",".join(f"{k}={v}" for k, v in h.items()))
@pytest.mark.parametrize("target", [f"{BASE}/@v/v1.0.0.info", f"{BASE}/@v/v1.0.0.zip"])
async def test_a_header_that_may_change_the_answer_leaves_the_lane(
    target: str, headers: dict[str, str], tmp_path: Path
) -> None:
    async with web_server(tmp_path) as server:
        await server.ask(target)
        await server.ask(target)
        assert server.cache.hits == 1
        async with server.connection() as connection:
            connection.send(target, **headers)
            if "expect" in headers:
                got = await connection.receive()
                got = await connection.receive() if got.status == 100 else got
            else:
                await connection.receive()
        assert server.cache.hits == 1


@pytest.mark.parametrize("method", ["HEAD", "POST"])
async def test_another_method_leaves_the_lane(method: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        target = f"{BASE}/@v/v1.0.0.mod"
        first = await server.ask(target)
        got = await server.ask(target, method=method)
        assert server.cache.hits == 0
        assert got.status == (200 if method == "HEAD" else 405)
        if method == "HEAD":
            assert (got.headers, got.body) == (first.headers, b"")


async def test_http_1_0_leaves_the_lane_and_ends_the_connection(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        target = f"{BASE}/@v/v1.0.0.mod"
        await server.ask(target)
        async with server.connection() as connection:
            got = await connection.ask(target, version="1.0", connection="keep-alive")
            assert (got.status, got["connection"], server.cache.hits) == (200, b"close", 0)
            assert await connection.ended() == b""


async def test_a_list_is_repeated_for_a_moment_only(tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(lists_in_lane_s=0.2)) as server, server.connection() as connection:
        target = f"{BASE}/@v/list"
        first = await connection.ask(target)
        server.source.listed = (Version("v1.0.0"), Version("v1.1.0"))
        async with asyncio.timeout(5):
            while (got := await connection.ask(target)).body == first.body:
                assert server.source.asked["list"] == 1
                await asyncio.sleep(0.02)
        assert got.body == b"v1.0.0\nv1.1.0\n"
        assert server.cache.hits > 0


async def test_a_stale_answer_is_not_repeated(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        server.source.stale = True
        for n in (1, 2):
            assert (await connection.ask(f"{BASE}/@v/list"))["age"] == b"90"
            assert server.source.asked["list"] == n


async def test_an_error_is_not_repeated(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        server.source.error = OriginFailed("down")
        assert (await connection.ask(f"{BASE}/@v/v1.0.0.mod")).status == 502
        server.source.error = None
        assert (await connection.ask(f"{BASE}/@v/v1.0.0.mod")).status == 200


async def test_the_lane_is_bounded(tmp_path: Path) -> None:
    options = WebOptions(lane_bytes=20_000, lane_files=3)
    async with web_server(tmp_path, options) as server, server.connection() as connection:
        spellings = [f"{BASE}/@v/v1.0.0.".replace("o", "%6f", n) for n in range(4)]
        spellings += [s.replace("e", "%65", 1) for s in spellings] + [s.replace("e", "%65", 2) for s in spellings]
        for kind in ("zip", "mod"):
            for base in spellings:
                assert (await connection.ask(base + kind)).status == 200
        kept = server.cache.entries
        assert sum(e.stored is not None for e in kept.values()) <= 3
        assert 0 < sum(e.cost for e in kept.values()) <= 20_000
        server.source.mod_body = b"// " + b"x" * 5000
        count = len(kept)
        await connection.ask(f"{BASE}/@v/v1.0.0.mod?fresh")
        await connection.ask(f"{BASE.replace('m', '%6d')}/@v/v1.0.0.mod")
        assert len(kept) == count  # one that takes a quarter of all pushes nothing out

"""Trouble by the number: misses that hang, herds on one file, readers that are slow. Bounded, and on loopback only."""

import asyncio
import hashlib
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.world.modules import bodies
from tests.world.server import Phaleron, serving
from tests.world.upstream import Fault, Upstream

BIG = "example.com/big"
HOT = "example.com/hot"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        upstream.bodies |= bodies(HOT, ("v1.0.0",))
        yield upstream


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=120), auto_decompress=False
    )


async def hits(client: aiohttp.ClientSession, url: str, count: int) -> list[float]:
    """Ask for a stored file so many times; give the milliseconds of each."""
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        async with client.get(url) as response:
            assert response.status == 200
            await response.read()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def test_hits_go_on_while_500_misses_hang(upstream: Upstream, tmp_path: Path) -> None:
    upstream.fault = lambda path: Fault(hang=True) if "/hang/" in path else None
    with serving(tmp_path / "data", upstream.url, environment={"PHALERON_MIRROR_DEADLINE_S": "5"}) as server:
        url = f"{server.url}/{HOT}/@v/v1.0.0.mod"
        async with session() as client, session() as hanging:
            await hits(client, url, 50)
            quiet = await hits(client, url, 300)
            misses = [
                asyncio.create_task(hanging.get(f"{server.url}/example.com/hang/m{n}/@v/v1.0.0.zip"))
                for n in range(500)
            ]
            while upstream.at_once < 32:
                await asyncio.sleep(0.01)
            loaded = await hits(client, url, 300)
            print(f"p50 quiet {statistics.median(quiet):.2f} ms, with 500 hanging {statistics.median(loaded):.2f} ms")
            done, _ = await asyncio.wait(misses, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            for task in list(done)[:5]:
                response = task.result()
                assert (response.status, int(response.headers["Retry-After"]) > 0) == (503, True)
            assert upstream.most_at_once == 32
            for task in misses:
                task.cancel()
            await asyncio.gather(*misses, return_exceptions=True)
            await hanging.close()
            async with asyncio.timeout(5):
                while upstream.at_once:
                    await asyncio.sleep(0.01)
            await hits(client, url, 10)
        assert server.peak_rss_mib() < 150


async def test_2000_clients_on_one_zip_cost_one_fetch(upstream: Upstream, tmp_path: Path) -> None:
    upstream.bodies |= bodies(BIG, ("v1.0.0",), filling=os.urandom(30_000_000))
    path = f"/{BIG}/@v/v1.0.0.zip"
    whole = upstream.bodies[path]
    digest = hashlib.sha256(whole).hexdigest()
    with serving(tmp_path / "data", upstream.url) as server:
        async with session() as client:

            async def fetch(number: int) -> int:
                seen = hashlib.sha256()
                length = 0
                async with client.get(f"{server.url}{path}") as response:
                    assert response.status == 200
                    async for piece in response.content.iter_any():
                        length += len(piece)
                        if number % 200 == 0:
                            seen.update(piece)
                if number % 200 == 0:
                    assert seen.hexdigest() == digest
                return length

            lengths = await asyncio.gather(*(fetch(n) for n in range(2000)))
        assert set(lengths) == {len(whole)}
        assert upstream.asked[path] == 1
        assert server.peak_rss_mib() < 150


async def test_slow_readers_cost_no_memory(upstream: Upstream, tmp_path: Path) -> None:
    upstream.bodies |= bodies(BIG, ("v1.0.0",), filling=os.urandom(30_000_000))
    path = f"/{BIG}/@v/v1.0.0.zip"
    with serving(tmp_path / "data", upstream.url) as server:
        assert server.get(path).status == 200
        before = server.peak_rss_mib()
        host, _, port = server.url.removeprefix("http://").partition(":")
        readers = [await asyncio.open_connection(host, int(port), limit=1 << 12) for _ in range(200)]
        for _, writer in readers:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        for reader, _ in readers:
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        await hits_while(server)
        assert server.peak_rss_mib() - before < 15
        for _, writer in readers:
            writer.close()


async def hits_while(server: Phaleron) -> None:
    async with session() as client:
        await hits(client, f"{server.url}/{HOT}/@v/v1.0.0.info", 50)


async def test_a_zip_of_150_mib_passes_in_constant_memory(upstream: Upstream, tmp_path: Path) -> None:
    version = "v0.0.1-go1.99.1.linux-amd64"
    upstream.bodies |= bodies("golang.org/toolchain", (version,), filling=os.urandom(150 << 20))
    path = f"/golang.org/toolchain/@v/{version}.zip"
    with serving(tmp_path / "data", upstream.url) as server:
        for _ in range(2):
            async with session() as client, client.get(f"{server.url}{path}") as response:
                length = sum([len(piece) async for piece in response.content.iter_any()])
            assert length == len(upstream.bodies[path])
        assert server.peak_rss_mib() < 150
        assert json.loads(server.get("/index").body)["Version"] == version


async def test_with_the_upstream_gone_a_stale_list_is_served_at_once(upstream: Upstream, tmp_path: Path) -> None:
    environment = {"PHALERON_MIRROR_FRESH_S": "0", "PHALERON_MIRROR_STALE_S": "0"}
    with serving(tmp_path / "data", upstream.url, environment=environment) as server:
        path = f"/{HOT}/@v/list"
        fresh = server.get(path)
        assert (fresh.status, fresh.headers["Age"]) == (200, None)
        upstream.unplug()
        async with session() as client:
            took = await hits(client, f"{server.url}{path}", 100)
        print(f"p50 of a stale list {statistics.median(took):.2f} ms")
        stale = server.get(path)
        assert (stale.body, stale.headers["Age"] is not None) == (fresh.body, True)
        upstream.plug()

"""Hits while misses hang, a herd on one uncached zip, lists without an upstream, start and idle."""

import asyncio
import shutil
import statistics
import time
import urllib.request
from pathlib import Path

import aiohttp

from bench.servers import free_port, phaleron, upstream

HEAD = ["what", "figure"]


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=300), auto_decompress=False
    )


async def _hits(client: aiohttp.ClientSession, url: str, count: int) -> list[float]:
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        async with client.get(url) as response:
            response.raise_for_status()
            await response.read()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def hanging(url: str, hot: str, misses: int, rounds: int) -> tuple[list[float], list[float]]:
    """Give the median milliseconds of hits of each round: quiet, and while so many misses hang."""
    quiet: list[float] = []
    loaded: list[float] = []
    async with _session() as client:
        await _hits(client, f"{url}{hot}", 100)
        for number in range(rounds):
            quiet.append(statistics.median(await _hits(client, f"{url}{hot}", 500)))
            async with _session() as others:
                waiting = [
                    asyncio.create_task(others.get(f"{url}/hang.example/r{number}/m{n}/@v/v1.0.0.zip"))
                    for n in range(misses)
                ]
                await asyncio.sleep(1)  # until all have reached the server
                loaded.append(statistics.median(await _hits(client, f"{url}{hot}", 500)))
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
    return quiet, loaded


async def herd(url: str, clients: int) -> tuple[int, float, float]:
    """Let so many clients take one file at once; give errors, and the median and longest time to the first byte in seconds."""
    first: list[float] = []
    errors = 0
    async with _session() as client:

        async def take() -> None:
            nonlocal errors
            began = time.perf_counter()
            try:
                async with client.get(url) as response:
                    length = 0
                    async for piece in response.content.iter_any():
                        if not length:
                            first.append(time.perf_counter() - began)
                        length += len(piece)
                    errors += response.status != 200 or length != response.content_length
            except (aiohttp.ClientError, TimeoutError):
                errors += 1

        await asyncio.gather(*(take() for _ in range(clients)))
    return errors, statistics.median(first), max(first)


def trouble(root: Path) -> list[list[str]]:
    """Measure; gives rows of a table."""
    rows: list[list[str]] = []
    data = root / "trouble"
    shutil.rmtree(data, ignore_errors=True)
    hot = (root / "paths.mod").read_text().split()[0]
    hot_list = (root / "paths.list").read_text().split()[0]
    big = (root / "paths.big").read_text().split()[0]
    with upstream(root, root / "tree") as origin:  # noqa: SIM117 - the inner server ends before the upstream
        with phaleron(data, origin.url, environment={"PHALERON_MIRROR_DEADLINE_S": "3"}) as server:
            idle = server.peak_rss_mib()
            quiet, loaded = asyncio.run(hanging(server.url, hot, 500, 5))
            ratio = [b / a for a, b in zip(quiet, loaded, strict=True)]
            rows.append(
                [
                    "hits while 500 misses hang: p50, quiet / hanging / ratio",
                    f"{statistics.median(quiet):.2f} ms / {statistics.median(loaded):.2f} ms / {statistics.median(ratio):.2f}",
                ]
            )
            urllib.request.urlopen(f"{origin.url}/-/reset", timeout=10).close()
            errors, median, longest = asyncio.run(herd(f"{server.url}{big}", 2000))
            with urllib.request.urlopen(f"{origin.url}/-/count", timeout=10) as response:
                fetched = int(response.read())
            rows.append(
                [
                    "2,000 clients on one uncached 30 MB zip: fetches / errors / first byte p50, max",
                    f"{fetched} / {errors} / {median:.1f} s, {longest:.1f} s",
                ]
            )
            rows.append(
                ["RSS of the process group: idle / peak of these", f"{idle:.0f} / {server.peak_rss_mib():.0f} MiB"]
            )
            urllib.request.urlopen(f"{server.url}{hot_list}", timeout=10).close()
    dead = f"http://127.0.0.1:{free_port()}"
    stale = {"PHALERON_MIRROR_FRESH_S": "0", "PHALERON_MIRROR_STALE_S": "0"}
    with phaleron(data, dead, environment=stale) as server:

        async def lists() -> list[float]:
            async with _session() as client:
                return await _hits(client, f"{server.url}{hot_list}", 500)

        took = asyncio.run(lists())
        rows.append(
            [
                "a stale list with the upstream down: p50 / longest",
                f"{statistics.median(took):.2f} / {max(took):.1f} ms",
            ]
        )
    starts: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        with phaleron(data, dead) as server:
            urllib.request.urlopen(f"{server.url}{hot}", timeout=10).close()
            starts.append(time.perf_counter() - began)
    rows.append(["start to the first warm answer, median of 5", f"{statistics.median(starts) * 1000:.0f} ms"])
    shutil.rmtree(data)
    return rows

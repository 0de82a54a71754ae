"""A zip of 150 MB passes through in constant memory, measured in a process of its own by the kernel's high-water mark."""

import asyncio
import json
import os
import sys

from tests.support.origin import Asked, Wire, origin

SIZE_BYTES = 150 << 20
GROWTH_BYTES = 30 << 20

READER = """
import asyncio, json, sys
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.net.client import Client
from phaleron.sources.upstream import Upstream

def high_water():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

async def main():
    read = longest = 0
    async with Client(environment={}) as client:
        source = Upstream(sys.argv[1], client)
        path, small, big = ModulePath("golang.org/toolchain"), Version("v0.0.1"), Version("v0.0.2")
        async with source.zip(path, small) as content:
            async for piece in content:
                pass
        before = high_water()
        async with source.zip(path, big) as content:
            size = content.size_bytes
            async for piece in content:
                read += len(piece)
                longest = max(longest, len(piece))
    print(json.dumps({"size": size, "read": read, "longest": longest, "growth": high_water() - before}))

asyncio.run(main())
"""


async def test_a_zip_of_150_mb_takes_no_more_memory_than_a_small_one() -> None:
    piece = os.urandom(1 << 20)

    async def answer(asked: Asked, wire: Wire) -> None:
        if asked.target.endswith("v0.0.1.zip"):
            await wire.send(200, piece)
            return
        await wire.raw(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE_BYTES}\r\n\r\n".encode())
        for _ in range(SIZE_BYTES // len(piece)):
            await wire.raw(piece)

    async with origin(answer) as it:
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        reader = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            READER,
            it.url,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        out, _ = await asyncio.wait_for(reader.communicate(), 120)
    assert reader.returncode == 0
    measured = json.loads(out)
    assert measured["size"] == measured["read"] == SIZE_BYTES
    assert measured["longest"] <= 256 * 1024
    assert measured["growth"] < GROWTH_BYTES

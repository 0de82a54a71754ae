"""A process that completes versions in a catalog: catalog_writer.py ENGINE LOCATION WHO COUNT. Sixteen writes at a time."""

import asyncio
import sys

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from tests.world.catalogs import ENGINES
from tests.world.stored import KINDS, row_of


async def main(engine: str, location: str, who: str, count: int) -> None:
    catalog = ENGINES[engine](location)
    path = ModulePath(f"example.com/writer{who}")
    places = asyncio.Semaphore(16)

    async def complete(version: Version) -> None:
        async with places:
            for kind in KINDS:
                await catalog.record(row_of(path, version, kind))

    async with asyncio.TaskGroup() as group:
        for n in range(count):
            group.create_task(complete(Version(f"v1.{n}.0")))
    await catalog.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))

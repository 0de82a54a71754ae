"""A process that stores a zip at the same time as others: store_racer.py DIRECTORY CONTENT COMMENT. It begins when stdin closes."""

import asyncio
import sys
from pathlib import Path

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.records import Conflict
from phaleron.store.store import Store
from tests.world.stored import put, zip_of

PATH, VERSION = ModulePath("example.com/raced"), Version("v1.0.0")


async def main(directory: Path, content: str, comment: str) -> None:
    body = zip_of(PATH, VERSION, content=content.encode(), comment=comment.encode())
    print("ready", flush=True)
    sys.stdin.read()
    store = await Store.open(directory)
    try:
        blob = await put(store, PATH, VERSION, "zip", body)
        said = f"stored {blob.row.sha256}"
    except Conflict as e:
        said = f"refused {e.kept.sha256}"
    await store.close()
    print(said)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))

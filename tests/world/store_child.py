"""Processes that store versions until they are killed: store_child.py, told on stdin `DIRECTORY ROUND DIE_AT` a line.

Each line starts one process, forked from this one so that forty of them cost no forty starts of Python. It says its number on
stdout, then stores versions without end, and says `stored` after the first. At the DIE_ATth call that touches a file (0: never)
it kills itself. `end` is said when it is dead.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import structlog

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.store import Store
from tests.world.stored import KINDS, put, put_whole

_TOUCHES = frozenset({"open", "os.link", "os.remove", "os.rename", "os.mkdir", "fcntl.flock", "sqlite3.connect"})
MODULES = tuple(ModulePath(f"example.com/Module{n}") for n in range(4))


async def store_for_ever(directory: Path, round_: int) -> None:
    store = await Store.open(directory)
    order = random.Random(round_)

    await put_whole(store, MODULES[0], Version(f"v2.{round_}.0+incompatible"))
    print("stored", flush=True)

    async def store_versions(path: ModulePath) -> None:
        n = 0
        while True:
            version = Version(f"v1.{round_}.{n}")
            n += 1
            if order.random() < 0.3:
                await put_whole(store, path, version)
            else:
                kinds = order.sample(KINDS, order.randint(1, 3))
                await asyncio.gather(*(put(store, path, version, kind) for kind in kinds))

    await asyncio.gather(*(store_versions(path) for path in MODULES))


def die_at(touches: int) -> None:
    left = touches

    def hook(event: str, _: object) -> None:
        nonlocal left
        if event in _TOUCHES:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    for line in sys.stdin:
        directory, round_, touches = line.split()
        child = os.fork()
        if child == 0:
            if int(touches):
                die_at(int(touches))
            asyncio.run(store_for_ever(Path(directory), int(round_)))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("end", flush=True)


if __name__ == "__main__":
    main()

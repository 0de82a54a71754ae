"""Opening a store to look at what is there, without a server and beside a running one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from phaleron.cli.failure import CommandFailed
from phaleron.store.store import Store


@asynccontextmanager
async def kept_store(directory: Path) -> AsyncIterator[Store]:
    """Open a store that is there. Raises CommandFailed where there is none: looking makes no directories."""
    if not (directory / "catalog.db").exists():
        raise CommandFailed(f"{directory}: there is no store here (--data DIR or PHALERON_STORE_DATA names another)")
    store = await Store.open(directory)
    try:
        yield store
    finally:
        await store.close()

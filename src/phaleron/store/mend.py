"""What a store does when it is opened: record what killed processes had named, and remove what else they left.

Other processes may be at work in the same directory: only what is locked by nobody is touched.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from phaleron.errors import Busy
from phaleron.store import journal, temp
from phaleron.store.records import Conflict, blob_key
from phaleron.store.whole import undo_dead_claims

if TYPE_CHECKING:
    from phaleron.store.store import Store

_log: structlog.stdlib.BoundLogger = structlog.get_logger("phaleron.store")


async def mend(store: "Store") -> None:
    """Mend a store that was just opened. Raises OSError, Busy."""
    store.locks.sweep()
    for path in sorted(store.tmp.iterdir()):
        if path.suffix == temp.SUFFIX:
            fd = temp.lock_abandoned(path)
            if fd is not None:
                try:
                    await _mend_file(store, path, fd)
                finally:
                    os.close(fd)
        elif path.suffix == journal.SUFFIX and not path.with_suffix(temp.SUFFIX).exists():
            path.unlink(missing_ok=True)
    await undo_dead_claims(store)


async def _mend_file(store: "Store", path: Path, fd: int) -> None:
    row = journal.read_entry(path)
    if row is not None:
        key = blob_key(row.path, row.version, row.kind)
        async with store.naming(key):
            if store.tree.is_named(key, fd):
                try:
                    await store.catalog.record(row)
                except Conflict as e:
                    _log.error("what a killed process had stored is not what was kept", file=key, error=str(e))
                    store.tree.remove(key)
                except Busy as e:
                    _log.error("what a killed process had stored cannot be recorded now", file=key, error=str(e))
                    return  # the next start tries again, and a reader takes it in
                else:
                    # It may have been killed after recording the version, and before it wrote the list.
                    await store.write_list(row.path)
                    _log.info("recorded what a killed process had stored", file=key)
    journal.entry_of(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)

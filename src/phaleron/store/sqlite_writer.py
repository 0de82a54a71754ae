"""The thread that writes to a SQLite database: what has gathered while it wrote is committed together.

In goes a function that is given the connection, out comes its result once it is committed. Each write has a savepoint of its
own, so one that fails undoes itself alone. What the writes do is not known here.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from phaleron.errors import Busy

BATCH = 256
"""How many writes go into one transaction at most: other processes wait for it."""

T = TypeVar("T")


class _Job:
    """A write that waits for its turn, and whom to tell."""

    def __init__(self, write: Callable[[sqlite3.Connection], Any]) -> None:
        self.write = write
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Any] = self.loop.create_future()

    def tell(self, result: object, error: Exception | None) -> None:
        def settle() -> None:
            if self.done.done():
                return  # whoever asked has been called away; the write stands
            if error is None:
                self.done.set_result(result)
            else:
                self.done.set_exception(error)

        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(settle)


class SqliteWriter:
    """One connection and the thread that has it. `connection` was opened with `check_same_thread=False`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="catalog-writer", daemon=True)
        self._thread.start()

    async def run(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Do one write; return when it is committed. Raises what it raised; Busy where the database cannot be written now.

        Whoever is called away while it waits does not call off the write.
        """
        if self._closed:
            raise Busy("the catalog is closed")
        job = _Job(write)
        self._jobs.put(job)
        result: T = await job.done
        return result

    async def close(self) -> None:
        """Do what is waiting, and end."""
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                self._commit([job, *self._gathered()])
        finally:
            self._connection.close()

    def _gathered(self) -> list[_Job]:
        jobs: list[_Job] = []
        while len(jobs) < BATCH - 1 and not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)
                break
            jobs.append(job)
        return jobs

    def _commit(self, jobs: list[_Job]) -> None:
        connection = self._connection
        outcomes: list[tuple[_Job, object, Exception | None]] = []
        try:
            # Immediate: a transaction that reads first and then writes fails under other writers, whatever its timeout.
            connection.execute("begin immediate")
            for job in jobs:
                outcomes.append((job, *self._done(job)))
            connection.execute("commit")
        except Exception as e:  # noqa: BLE001 - whatever it is, those who wait must hear of it, and the thread goes on
            if connection.in_transaction:
                connection.execute("rollback")
            error = Busy(f"the catalog cannot be written now: {e}") if isinstance(e, sqlite3.Error) else e
            outcomes = [(job, None, error) for job in jobs]
        for job, result, failed in outcomes:
            job.tell(result, failed)

    def _done(self, job: _Job) -> tuple[object, Exception | None]:
        connection = self._connection
        connection.execute("savepoint job")
        try:
            result = job.write(connection)
        except sqlite3.DatabaseError:
            raise  # a full disk or a locked file is no fault of this write: all of them fail
        except Exception as e:  # noqa: BLE001 - it is given to whoever asked for the write
            connection.execute("rollback to job")
            connection.execute("release job")
            return None, e
        connection.execute("release job")
        return result, None

"""A checksum database of the tests' own, for modules made up: the Go program in `sumdb/`, built and run.

It learns sums from a GOPROXY server, as the world's own does, and signs them; so a go command verifies made-up modules for real.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.require import require, require_tool
from tests.world.cache import cache_root

NAME = "sum.example.com"


@dataclass(frozen=True)
class Database:
    """A running database."""

    url: str
    key: str
    """Its verifier key: what GOSUMDB is, where the database is reached through a proxy."""
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it; a second time does nothing."""
        self.process.communicate(timeout=30)


def build_database(folder: Path) -> Path:
    """Build the program into `folder`; skip the test where what it is built of cannot be had."""
    caches = {"GOCACHE": str(cache_root() / "tools" / "build"), "GOMODCACHE": str(cache_root() / "tools" / "mod")}
    fixed = {"GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    program = folder / "sumdb"
    done = subprocess.run(
        [require_tool("go"), "build", "-o", str(program), "."],
        cwd=Path(__file__).parent / "sumdb",
        env=os.environ | caches | fixed,
        capture_output=True,
        text=True,
        check=False,
    )
    require(done.returncode == 0, f"what the checksum database is built of: {done.stderr.strip()[-300:]}")
    return program


@contextlib.contextmanager
def running(program: Path, goproxy: str) -> Iterator[Database]:
    """A database over what this GOPROXY server has, for the length of a block."""
    process = subprocess.Popen(
        [program, NAME, goproxy], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    database = Database(said["url"], said["key"], process)
    try:
        yield database
    finally:
        if process.returncode is None:
            database.stop()

"""The journal: what a file in `tmp/` is about to become, written beside it before it gets its name.

Whoever is killed between naming a file and recording it leaves both behind, so the next sweep can record it without
walking the tree. The entry goes away before the file does.
"""

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.records import FileRow
from phaleron.store.temp import write_all

SUFFIX = ".intent"


def entry_of(temp: Path) -> Path:
    """Say where the entry of a temporary file is."""
    return temp.with_suffix(SUFFIX)


def write_entry(temp: Path, row: FileRow) -> None:
    """Note what a temporary file becomes. Raises OSError."""
    document = asdict(row) | {"time": row.time.isoformat() if row.time else None}
    fd = os.open(entry_of(temp), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        write_all(fd, json.dumps(document).encode())
    finally:
        os.close(fd)


def read_entry(temp: Path) -> FileRow | None:
    """Read what a temporary file was to become; None if that was not noted, or not to the end."""
    try:
        document = json.loads(entry_of(temp).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return FileRow(
        path=ModulePath(document["path"]),
        version=Version(document["version"]),
        kind=document["kind"],
        sha256=document["sha256"],
        size_bytes=document["size_bytes"],
        origin=document["origin"],
        h1=document["h1"],
        time=datetime.fromisoformat(document["time"]) if document["time"] else None,
    )

"""`phaleron show`: what is kept of a version: its files, their sizes and hashes, where they came from and when."""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from phaleron.cli.failure import WRONG_USAGE, CommandFailed
from phaleron.cli.options import Flags, Json, takes_settings
from phaleron.cli.stored import kept_store
from phaleron.cli.targets import read_module_version
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.records import FileRow, Kind, blob_key, kind_name
from phaleron.store.store import Store

_KINDS: tuple[Kind, ...] = ("info", "mod", "zip")


@dataclass(frozen=True, slots=True)
class _File:
    row: FileRow
    first_seen: datetime


@takes_settings("--data")
def show(
    flags: Flags,
    module: Annotated[str, typer.Argument(metavar="MODULE@VERSION")],
    json_: Json = False,
) -> None:
    """Show what is kept of a version."""
    path, version = read_module_version(module)
    if not isinstance(version, Version):
        raise CommandFailed(f"{module}: {version} is no canonical version such as v1.2.3", exit_code=WRONG_USAGE)
    directory = flags.load().settings.store.directory
    files, complete = asyncio.run(_look(directory, path, version))
    if not files:
        raise CommandFailed(f"{path}@{version}: not kept in {directory}")
    print(_as_json(path, version, files, complete) if json_ else _as_text(path, version, files, complete, directory))


async def _look(directory: Path, path: ModulePath, version: Version) -> tuple[list[_File], bool]:
    async with kept_store(directory) as store:
        found = [await _file(store, path, version, kind) for kind in _KINDS]
        complete = version in await store.catalog.versions(path)
    return [file for file in found if file is not None], complete


async def _file(store: Store, path: ModulePath, version: Version, kind: Kind) -> _File | None:
    blob = await store.get(path, version, kind)
    if blob is None:
        return None
    # A stored file is never written again, so its time is that of its first and only writing.
    return _File(blob.row, datetime.fromtimestamp(int(os.fstat(blob.fd).st_mtime), UTC))


def _as_json(path: ModulePath, version: Version, files: list[_File], complete: bool) -> str:
    return json.dumps(
        {
            "path": path,
            "version": version,
            "complete": complete,
            "files": [
                {
                    "kind": file.row.kind,
                    "size_bytes": file.row.size_bytes,
                    "sha256": file.row.sha256,
                    "h1": file.row.h1,
                    "origin": file.row.origin,
                    "first_seen": file.first_seen.isoformat(),
                    "time": file.row.time.isoformat() if file.row.time else None,
                }
                for file in files
            ],
        },
        indent=2,
    )


def _as_text(path: ModulePath, version: Version, files: list[_File], complete: bool, directory: Path) -> str:
    lines = [f"{path} {version}" + ("" if complete else "  (not complete)")]
    for file in files:
        row = file.row
        lines += [
            f"  {kind_name(row.kind)}",
            f"    file        {directory / 'modules' / blob_key(path, version, row.kind)}",
            f"    size        {row.size_bytes} bytes",
            f"    sha256      {row.sha256}",
        ]
        if row.h1:
            lines.append(f"    h1          {row.h1}")
        if row.time:
            lines.append(f"    commit time {row.time.isoformat()}")
        lines += [f"    origin      {row.origin or 'not known'}", f"    first seen  {file.first_seen.isoformat()}"]
    return "\n".join(lines)

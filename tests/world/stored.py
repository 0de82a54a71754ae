"""Versions whose three files follow from their names, so that any process can tell what should be there."""

import hashlib
import io
import random
import zipfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from phaleron.gomod.dirhash import hash_mod, hash_zip
from phaleron.gomod.info import Info, encode_info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.blob import Blob
from phaleron.store.records import FileRow, Kind
from phaleron.store.store import Store

ORIGIN = "https://origin.example"
TIME = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("info", "mod", "zip")


def zip_of(path: ModulePath, version: Version, *, content: bytes | None = None, comment: bytes = b"") -> bytes:
    """Make a module zip; `comment` changes its bytes and not its h1."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.comment = comment
        # With a date of its own: by a plain name the clock would get into the bytes.
        z.writestr(zipfile.ZipInfo(f"{path}@{version}/go.mod"), f"module {path}\n")
        if content is None:
            content = random.Random(f"{path}@{version}").randbytes(150_000)
        z.writestr(zipfile.ZipInfo(f"{path}@{version}/data.bin"), content)
    return out.getvalue()


@cache
def body_of(path: ModulePath, version: Version, kind: Kind) -> bytes:
    """Give the bytes of one of a version's files."""
    if kind == "info":
        return encode_info(Info(version, TIME))
    if kind == "mod":
        return f"module {path}\n".encode()
    return zip_of(path, version)


async def put(
    store: Store, path: ModulePath, version: Version, kind: Kind, body: bytes | None = None, origin: str = ORIGIN
) -> Blob:
    """Store one file as the mirror does."""
    body = body_of(path, version, kind) if body is None else body
    draft = store.begin()
    try:
        for at in range(0, len(body), 70_000):
            await draft.write(body[at : at + 70_000])
        h1 = hash_zip(draft.fd) if kind == "zip" else hash_mod(body) if kind == "mod" else ""
        time = TIME if kind == "info" else None
        return await store.commit(draft, path, version, kind, origin=origin, h1=h1, time=time)
    finally:
        draft.discard()


async def put_whole(store: Store, path: ModulePath, version: Version, archive: bytes | None = None) -> Blob:
    """Store a version as an upload does."""
    draft = store.begin()
    try:
        await draft.write(zip_of(path, version) if archive is None else archive)
        return await store.commit_version(
            draft,
            path,
            version,
            info=body_of(path, version, "info"),
            mod=body_of(path, version, "mod"),
            h1=hash_zip(draft.fd),
            origin="",
        )
    finally:
        draft.discard()


def row_of(path: ModulePath, version: Version, kind: Kind, *, h1: str | None = None) -> FileRow:
    """Make the row of a file that needs no blob."""
    sha256 = hashlib.sha256(f"{path}@{version}.{kind}".encode()).hexdigest()
    h1 = h1 if h1 is not None else "" if kind == "info" else f"h1:{kind}"
    return FileRow(path, version, kind, sha256, 7, ORIGIN, h1, TIME if kind == "info" else None)


def files_below(directory: Path) -> list[Path]:
    """List the files of a tree."""
    return sorted(p for p in directory.rglob("*") if p.is_file())

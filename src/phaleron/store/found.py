"""Files that have a name and no row: copied in by hand, or named just before the power went. What are they?

Each is held against the rules for its kind before anybody is served with it.
"""

import hashlib
import os

from isal import isal_zlib

from phaleron.gomod.dirhash import hash_mod
from phaleron.gomod.errors import RuleError
from phaleron.gomod.info import parse_info
from phaleron.gomod.modzip import verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.store.records import FileRow, Kind

_PIECE_BYTES = 1 << 20
MOST_BYTES = 16 << 20
"""Of an .info or a go.mod, which are read whole; the limit of the go command for a go.mod."""


def describe(fd: int, path: ModulePath, version: Version, kind: Kind) -> FileRow:
    """Describe the open file as one of a version's, of no known origin. Raises RuleError. Call it in a thread."""
    size_bytes = os.fstat(fd).st_size
    if kind == "zip":
        digest = hashlib.sha256()
        for at in range(0, size_bytes, _PIECE_BYTES):
            digest.update(os.pread(fd, _PIECE_BYTES, at))
        sha256 = digest.hexdigest()
        h1 = verify_zip(fd, path, version, codec=isal_zlib).h1
        return FileRow(path, version, kind, sha256, size_bytes, "", h1, None)
    if size_bytes > MOST_BYTES:
        raise RuleError(f"{size_bytes} bytes are too many: {MOST_BYTES} at most")
    body = os.pread(fd, size_bytes, 0)
    sha256 = hashlib.sha256(body).hexdigest()
    if kind == "mod":
        return FileRow(path, version, kind, sha256, size_bytes, "", hash_mod(body), None)
    info = parse_info(body)
    if info.version != version:
        raise RuleError(f".info is of another version, {info.version}")
    return FileRow(path, version, kind, sha256, size_bytes, "", "", info.time)

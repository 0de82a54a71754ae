"""Module zips: what one may contain, checked and hashed in one pass.

In the order in which the rules are applied:
1. the version is canonical and fits the module path; the file is at most 500 MiB;
2. the archive can be trusted (`zipread`) and has no more entries than are allowed;
3. each name begins with `module@version/` and is, behind that, a valid file path;
4. no two names are one to a file system that folds case, directories included, and none is there twice or is both a file and
   a directory;
5. a go.mod stands in the root alone, and is written so; it and LICENSE are at most 16 MiB;
6. all that is unpacked is at most 500 MiB together;
7. each member's content has its declared size and CRC.
Files of nested modules and of vendored packages are no fault here: they are left out when a zip is made (`zipmake`).
Source: golang.org/x/mod/zip; the Go Modules Reference, "Module zip files".
"""

import os
import unicodedata
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from phaleron.gomod.dirhash import hash_sorted
from phaleron.gomod.errors import InvalidPathError, RuleError
from phaleron.gomod.fold import fold
from phaleron.gomod.path import ModulePath, check_file_path
from phaleron.gomod.version import Version, check
from phaleron.gomod.zipread import Codec, Member, read_directory, read_member, sha256_of

MAX_ZIP_BYTES = 500 << 20
"""Of the zip file, and of all that it unpacks to."""
MAX_MOD_BYTES = 16 << 20
MAX_LICENSE_BYTES = 16 << 20
MAX_ENTRIES = 200_000
"""Ours: no module that is known comes near it, and each entry costs 0.5 KiB of memory while a zip is checked."""


class ZipFacts(NamedTuple):
    """What is known of a zip once it is verified."""

    h1: str
    mod: bytes | None
    """The go.mod in its root."""
    entries: int
    unpacked_bytes: int


class Collisions:
    """Finds names that are one to a file system that folds case, and names that are both a file and a directory."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, bool]] = {}
        self._sound: set[str] = set()

    def add(self, name: str, *, directory: bool) -> str | None:
        """Take a name and the directories it lies in; say what it collides with, or None."""
        directories: list[str] = []
        while name and not (directory and name in self._sound):
            added = (name, directory)
            other = self._seen.setdefault(fold(name), added)
            if other[0] != name:
                return f"case-insensitive file name collision: {other[0]!r} and {name!r}"
            if other[1] != directory:
                return f"entry {name!r} is both a file and a directory"
            if not directory and other is not added:
                return f"multiple entries for file {name!r}"
            if directory:
                directories.append(name)
            name, directory = name.rpartition("/")[0], True
        self._sound.update(directories)
        return None


class _Names:
    """Holds names against the rules for file paths; what lies in one directory shares its verdict."""

    def __init__(self, *, unassigned_ok: bool) -> None:
        self._unassigned_ok = unassigned_ok
        self._directories: set[str] = {""}

    def check(self, name: str) -> None:
        directory, _, base = name.rpartition("/")
        if directory not in self._directories or (not directory and name.startswith("/")):
            self._check(name)
            self._directories.add(directory)
        else:
            self._check(base)

    def _check(self, path: str) -> None:
        if self._unassigned_ok and not path.isascii():
            path = "".join("x" if c > "\x7f" and unicodedata.category(c) == "Cn" else c for c in path)
        check_file_path(path)


def _check_entry(member: Member, name: str, names: _Names, collisions: Collisions, directories: set[str]) -> str | None:
    """Say which rule an entry breaks (`name` is behind the prefix), or None."""
    directory = name.endswith("/")
    if directory:
        if name in directories:
            return "it is there twice"
        directories.add(name)
        name = name[:-1]
    try:
        names.check(name)
    except InvalidPathError as e:
        return e.reason
    if collision := collisions.add(name, directory=directory):
        return collision
    if directory:
        return "a directory with content" if member.unpacked_bytes else None
    base = name.rpartition("/")[2]
    if fold(base) == "go.mod":
        if base != name:
            return "go.mod file not in module root directory"
        if name != "go.mod":
            return "go.mod file not in lower case"
        if member.unpacked_bytes > MAX_MOD_BYTES:
            return f"go.mod file too large (limit is {MAX_MOD_BYTES} bytes)"
    if name == "LICENSE" and member.unpacked_bytes > MAX_LICENSE_BYTES:
        return f"LICENSE file too large (limit is {MAX_LICENSE_BYTES} bytes)"
    return None


def check_zip(
    fd: int, path: ModulePath, version: Version, *, most_entries: int = MAX_ENTRIES, unassigned_ok: bool = False
) -> list[Member]:
    """Check all that the directory of the zip file open as `fd` tells; give its members. Raises RuleError.

    With `unassigned_ok` a character that this Python does not know passes for a letter: newer versions of Unicode, and so
    of Go, know more of them, and a zip that others verified is not to be refused for that.
    """
    check(path, version)
    size = os.fstat(fd).st_size
    if size > MAX_ZIP_BYTES:
        raise RuleError(f"zip is too large ({size} bytes; limit is {MAX_ZIP_BYTES} bytes)")
    members = read_directory(fd, most_entries=most_entries)
    prefix = f"{path}@{version}/"
    names, collisions = _Names(unassigned_ok=unassigned_ok), Collisions()
    directories: set[str] = set()
    total = 0
    for member in members:
        if not member.name.startswith(prefix):
            raise RuleError(f"zip entry {member.name!r} does not have the prefix {prefix!r}")
        name = member.name[len(prefix) :]
        if name and (reason := _check_entry(member, name, names, collisions, directories)):
            raise RuleError(f"zip entry {member.name!r}: {reason}")
        total += member.unpacked_bytes
        if total > MAX_ZIP_BYTES:
            raise RuleError(f"zip unpacks to more than {MAX_ZIP_BYTES} bytes")
    return members


def verify_zip(
    fd: int,
    path: ModulePath,
    version: Version,
    *,
    codec: Codec = zlib,
    most_entries: int = MAX_ENTRIES,
    unassigned_ok: bool = True,
) -> ZipFacts:
    """Hold the zip file open as `fd` against every rule and hash it, in one pass. Raises RuleError."""
    members = check_zip(fd, path, version, most_entries=most_entries, unassigned_ok=unassigned_ok)
    members.sort()  # the hash wants them by name, which comes first
    mod_name = f"{path}@{version}/go.mod"
    mod: bytes | None = None

    def hashes() -> Iterator[tuple[str, str]]:
        nonlocal mod
        for member in members:
            pieces = read_member(fd, member, codec)
            if member.name == mod_name:
                mod = b"".join(pieces)
                pieces = iter([mod])
            yield member.name, sha256_of(pieces)

    h1 = hash_sorted(hashes())
    return ZipFacts(h1, mod, len(members), sum(m.unpacked_bytes for m in members))

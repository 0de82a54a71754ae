"""The `h1:` hash of go.sum: SHA-256 over a sorted list of files, each by the SHA-256 of its content and its name.

The list has a line a file: lower-case hex of the content's hash, two spaces, the name, a newline; it is sorted by the names'
bytes. A zip's names include its `module@version/` prefix, and every entry counts. Source: golang.org/x/mod/sumdb/dirhash.
"""

import base64
import hashlib
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from phaleron.gomod.errors import RuleError
from phaleron.gomod.zipread import Codec, read_directory, read_member, sha256_of


def hash_list(files: Iterable[tuple[str, str]]) -> str:
    """Hash pairs of (name, hex SHA-256 of the content). Raises RuleError for a name with a newline, not of UTF-8, or repeated."""
    return hash_sorted(sorted(files))


def hash_sorted(files: Iterable[tuple[str, str]]) -> str:
    """Hash pairs that are sorted by name already, keeping none; UTF-8 sorts as its characters do. Raises as hash_list does."""
    digest = hashlib.sha256()
    previous = None
    for name, content in files:
        if "\n" in name:
            raise RuleError(f"file name with a newline: {name!r}")
        if name == previous:
            raise RuleError(f"file {name!r} is there twice")
        previous = name
        try:
            digest.update(f"{content}  {name}\n".encode())
        except UnicodeEncodeError as e:
            raise RuleError(f"file name that is not UTF-8: {name!r}") from e
    return "h1:" + base64.b64encode(digest.digest()).decode()


def hash_mod(data: bytes) -> str:
    """Hash a go.mod file: as a directory that holds it alone."""
    return hash_list([("go.mod", hashlib.sha256(data).hexdigest())])


def hash_zip(fd: int, *, codec: Codec = zlib, most_entries: int = 1_000_000) -> str:
    """Hash the zip file open as `fd`, whatever it contains. Raises RuleError where it cannot be read."""
    members = sorted(read_directory(fd, most_entries=most_entries))
    return hash_sorted((m.name, sha256_of(read_member(fd, m, codec))) for m in members)


def hash_dir(directory: Path, prefix: str) -> str:
    """Hash a directory as the module that would be extracted to it; `prefix` (`module@version`) stands for its own name.

    Symbolic links are read through, as the go command does. Raises OSError, for a link to a directory too; RuleError as above.
    """
    files: list[tuple[str, str]] = []
    for folder, folders, names in os.walk(directory, onerror=_raise):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in names + links:
            file = Path(folder, name)
            with file.open("rb") as f:
                content = hashlib.file_digest(f, "sha256").hexdigest()
            files.append((f"{prefix}/{file.relative_to(directory).as_posix()}", content))
    return hash_list(files)


def _raise(error: OSError) -> None:
    raise error

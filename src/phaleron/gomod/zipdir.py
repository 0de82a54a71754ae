"""Module zips made of a directory: which of its files a zip is made from.

Takes a directory, gives the files that `zipmake` then judges by its rules, and what is passed over on the way: directories of
version control, directories that are modules of their own, vendored packages, whatever is no regular file. Source:
golang.org/x/mod/zip, CheckDir and CreateFromDir.
"""

import os
import stat
import zlib
from functools import partial
from pathlib import Path
from typing import BinaryIO

from phaleron.gomod.modzip import MAX_MOD_BYTES
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.gomod.zipmake import (
    NOT_REGULAR,
    VENDORED,
    CheckedFiles,
    FileFault,
    SourceFile,
    check_files,
    create_zip,
    has_strict_vendoring,
    is_vendored,
)
from phaleron.gomod.zipwrite import Deflater

VERSION_CONTROL = "directory is a version control repository"
NESTED_MODULE = "directory is in another module"
_VERSION_CONTROL = frozenset({".bzr", ".git", ".hg", ".svn"})


def list_dir(directory: Path) -> tuple[list[SourceFile], list[FileFault]]:
    """Give the files below a directory that may go into its zip, and what is passed over. Raises OSError."""
    files: list[SourceFile] = []
    omitted: list[FileFault] = []
    strict = _has_strict_vendoring(directory / "go.mod")
    ahead = _entries(directory, "")
    while ahead:
        name, entry = ahead.pop()
        is_dir = entry.is_dir(follow_symlinks=False)
        if is_vendored(name, strict=strict):
            omitted.append(FileFault(name, VENDORED))
        elif is_dir:
            if reason := _passed_over(entry):
                omitted.append(FileFault(name, reason))
                continue
        elif entry.is_file(follow_symlinks=False):
            files.append(SourceFile(name, entry.stat(follow_symlinks=False).st_size, partial(_open, entry.path)))
        else:
            omitted.append(FileFault(name, NOT_REGULAR))
        if is_dir:  # a vendored one too: each file in it is named
            ahead += _entries(entry.path, f"{name}/")
    return files, omitted


def check_dir(directory: Path) -> CheckedFiles:
    """Say which files below a directory go into its zip, which are left out, which must not be there. Raises OSError.

    A directory that is left out is named alone, without its files.
    """
    files, omitted = list_dir(directory)
    checked = check_files(files)
    return checked._replace(omitted=checked.omitted + omitted)


def create_zip_from_dir(
    out: BinaryIO, path: ModulePath, version: Version, directory: Path, *, codec: Deflater = zlib, level: int = 6
) -> None:
    """Write the zip of a directory to `out`, as `create_zip` does. Raises RuleError and OSError."""
    create_zip(out, path, version, list_dir(directory)[0], codec=codec, level=level)


def _has_strict_vendoring(mod: Path) -> bool:
    if not mod.is_file():  # read through a symbolic link, though that itself does not go into the zip
        return False
    with mod.open("rb") as content:
        return has_strict_vendoring(content.read(MAX_MOD_BYTES))


def _open(path: str) -> BinaryIO:
    return open(path, "rb")


def _entries(directory: str | Path, prefix: str) -> list[tuple[str, "os.DirEntry[str]"]]:
    """Give a directory's entries with their names below the root, last name first."""
    with os.scandir(directory) as entries:
        named = [(prefix + entry.name, entry) for entry in entries]
    return sorted(named, key=lambda pair: os.fsencode(pair[0]), reverse=True)


def _passed_over(directory: "os.DirEntry[str]") -> str | None:
    if directory.name in _VERSION_CONTROL:
        return VERSION_CONTROL
    try:
        mod = (Path(directory) / "go.mod").lstat()
    except FileNotFoundError:
        return None
    return None if stat.S_ISDIR(mod.st_mode) else NESTED_MODULE

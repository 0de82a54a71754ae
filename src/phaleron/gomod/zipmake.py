"""Module zips: which files of a module go into one, and the making of it.

In the order in which the rules are applied to each file:
1. its name is a cleaned, relative path, or the file is invalid;
2. left out are: vendored packages (by the rule that the go line of the root's go.mod asks for), files of nested modules (those
   below a directory with a regular file named go.mod in any case), `.hg_archival.txt` in the root;
3. invalid are: names that no file path may have, GO.MOD and its like in the root, names that collide (`modzip.Collisions`);
4. left out are: symbolic links and all else that is no regular file;
5. invalid are: a go.mod or LICENSE of more than 16 MiB; a module of more than 500 MiB is too large as a whole.
One invalid file spoils the zip, one left out does not. The LICENSE of a repository's root is the caller's to add where a
module in a sub-directory has none. Source: golang.org/x/mod/zip; the Go Modules Reference, "Module zip files".
"""

import posixpath
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO, NamedTuple

from phaleron.gomod.errors import InvalidPathError, RuleError
from phaleron.gomod.modfile import parse
from phaleron.gomod.modzip import MAX_LICENSE_BYTES, MAX_MOD_BYTES, MAX_ZIP_BYTES, Collisions
from phaleron.gomod.path import ModulePath, check_file_path
from phaleron.gomod.version import Version, check
from phaleron.gomod.zipwrite import Deflater, ZipWriter

_PIECE_BYTES = 1 << 20


class FileType(Enum):
    """What a file is."""

    REGULAR = "regular"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that may go into a zip."""

    name: str
    """Below the module's root, separated by slashes; bytes that are no UTF-8 as os.fsdecode gives them."""
    size_bytes: int
    open: Callable[[], BinaryIO]
    """Called for regular files alone: once when it is put into a zip, and once more for a go.mod in the root."""
    type: FileType = FileType.REGULAR


class FileFault(NamedTuple):
    """A file that does not go into the zip, and why."""

    name: str
    reason: str


class CheckedFiles(NamedTuple):
    """Where each file belongs. Of files with one name and several faults the first is told."""

    valid: list[SourceFile]
    omitted: list[FileFault]
    invalid: list[FileFault]
    size_error: str | None

    def fault(self) -> str | None:
        """Say why no zip can be made of these files, or None."""
        if self.size_error or not self.invalid:
            return self.size_error
        name, reason = self.invalid[0]
        return f"file {name!r}: {reason}"


VENDORED = "file is in vendor directory"
IN_NESTED_MODULE = "file is in another module"
HG_ARCHIVAL = "file is inserted by hg archive"
SYMLINK = "file is a symbolic link"
NOT_REGULAR = "not a regular file"

_LANGUAGE = re.compile(
    r"(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)|[a-z]+(?:0|[1-9][0-9]*)?)?)?"
).fullmatch


def is_vendored(name: str, *, strict: bool) -> bool:
    """Tell whether a file belongs to a vendored package.

    `strict` is the rule since Go 1.24. The older one, which the hashes of older modules depend on, keeps vendor/modules.txt, and
    for a vendor directory further down it looks for the slash in the wrong place: behind the name's first eight
    characters (golang.org/issue/37397).
    """
    if strict and name == "vendor/modules.txt":
        return True
    start = len("vendor/")
    if not name.startswith("vendor/"):
        at = name.find("/vendor/")
        if at < 0:
            return False
        start = (at if strict else 0) + len("/vendor/")
    return "/" in name[start:]


def has_strict_vendoring(mod: bytes) -> bool:
    """Tell whether the go line of a go.mod asks for the vendor rule of Go 1.24. What cannot be read does not."""
    try:
        language = _LANGUAGE(parse(mod, strict=False).go)
    except RuleError:
        return False
    return language is not None and (int(language[1]), int(language[2] or 0)) >= (1, 24)


def _is_clean(name: str) -> bool:
    return posixpath.normpath(name) == name and not name.startswith("//")


def _nested_in(name: str, modules: set[str]) -> bool:
    while cut := name.rfind("/") + 1:
        if name[:cut] in modules:
            return True
        name = name[: cut - 1]
    return False


def _find_modules(files: Iterable[SourceFile]) -> tuple[set[str], bool]:
    """Give the directories (with their slash) that are modules of their own, and whether the root's go.mod is of Go 1.24."""
    modules: set[str] = set()
    strict = False
    for file in files:
        directory, base = file.name[: (cut := file.name.rfind("/") + 1)], file.name[cut:]
        if file.type is not FileType.REGULAR or base.lower() != "go.mod":
            continue
        if directory:
            modules.add(directory)
        elif base == "go.mod":
            with file.open() as content:
                strict = has_strict_vendoring(content.read(MAX_MOD_BYTES))
    return modules, strict


def check_files(files: Iterable[SourceFile]) -> CheckedFiles:
    """Say which files go into a module's zip, which are left out and which must not be there.

    Opens nothing but a go.mod in the root. Raises OSError where that cannot be read.
    """
    files = list(files)
    modules, strict = _find_modules(files)
    checked = CheckedFiles([], [], [], None)
    faulty: set[str] = set()
    collisions = Collisions()
    room_bytes, size_error = MAX_ZIP_BYTES, None
    for file in files:
        omitted = _omission(file.name, modules, strict=strict) if _is_clean(file.name) and file.name[0] != "/" else None
        invalid = None if omitted else _name_fault(file, collisions)
        if not omitted and not invalid and file.type is not FileType.REGULAR:
            omitted = SYMLINK if file.type is FileType.SYMLINK else NOT_REGULAR
        if not omitted and not invalid:
            if 0 <= file.size_bytes <= room_bytes:
                room_bytes -= file.size_bytes
            else:
                size_error = f"module is too large (limit is {MAX_ZIP_BYTES} bytes)"
            invalid = _size_fault(file)
        if not omitted and not invalid:
            checked.valid.append(file)
        elif file.name not in faulty:
            faulty.add(file.name)
            (checked.omitted if omitted else checked.invalid).append(FileFault(file.name, omitted or invalid or ""))
    return checked._replace(size_error=size_error)


def _omission(name: str, modules: set[str], *, strict: bool) -> str | None:
    if is_vendored(name, strict=strict):
        return VENDORED
    if _nested_in(name, modules):
        return IN_NESTED_MODULE
    return HG_ARCHIVAL if name == ".hg_archival.txt" else None


def _name_fault(file: SourceFile, collisions: Collisions) -> str | None:
    name = file.name
    if not _is_clean(name):
        return "file path is not clean"
    if name[0] == "/":
        return "file path is not relative"
    try:
        check_file_path(name)
    except InvalidPathError as e:
        return e.reason
    if name != "go.mod" and name.lower() == "go.mod":
        return "go.mod file not in lower case"
    return collisions.add(name, directory=file.type is FileType.DIRECTORY)


def _size_fault(file: SourceFile) -> str | None:
    if file.name == "go.mod" and file.size_bytes > MAX_MOD_BYTES:
        return f"go.mod file too large (limit is {MAX_MOD_BYTES} bytes)"
    if file.name == "LICENSE" and file.size_bytes > MAX_LICENSE_BYTES:
        return f"LICENSE file too large (limit is {MAX_LICENSE_BYTES} bytes)"
    return None


def create_zip(
    out: BinaryIO,
    path: ModulePath,
    version: Version,
    files: Iterable[SourceFile],
    *,
    codec: Deflater = zlib,
    level: int = 6,
) -> None:
    """Write the zip of `path` at `version` to `out`, from where `out` stands; equal files give equal bytes with one codec.

    `out` need not seek. `level` is the codec's own: 0 to 9 of zlib, 0 to 3 of isal_zlib. Raises RuleError where a file is
    invalid (nothing is written then), is not of its declared size, or the zip grows beyond 500 MiB; OSError.
    """
    check(path, version)
    checked = check_files(files)
    if fault := checked.fault():
        raise RuleError(fault)
    writer = ZipWriter(out, codec=codec, level=level, most_bytes=MAX_ZIP_BYTES)
    for file in checked.valid:
        left = file.size_bytes
        with file.open() as content, writer.member(f"{path}@{version}/{file.name}") as member:
            while piece := content.read(min(left + 1, _PIECE_BYTES)):
                left -= len(piece)
                if left < 0:
                    break
                member.write(piece)
        if left:
            raise RuleError(f"file {file.name!r} is not of its declared size, {file.size_bytes} bytes")
    writer.finish()

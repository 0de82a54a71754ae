"""Module paths, import paths and file paths: which strings are valid, and how a module path tells its major version.

The three validators share one walk over the elements and differ in the characters they admit and in the Windows rules
that hold for them. Source of every rule: the Go Modules Reference, "Module paths and versions", and golang.org/x/mod/module.

In the order in which they are applied, for a path:
1. valid UTF-8 (a str with lone surrogates is not), not empty, no leading dash (file paths may), no `//`, no trailing `/`;
2. each element: not empty, not only dots, no leading dot (module paths), no trailing dot, admitted characters only;
3. the part before an element's first dot is no reserved Windows name, and (not in file paths) does not end in `~` and digits;
4. module paths: the first element has a dot, no leading dash, and only `a-z 0-9 - .`;
5. module paths: a trailing `/vN` has no leading zero, no dots, and N >= 2; gopkg.in paths end in `.vN` instead.
"""

import re
from collections.abc import Callable

from phaleron.gomod import semver
from phaleron.gomod.errors import InvalidPathError, InvalidVersionError
from phaleron.gomod.escape import escape
from phaleron.gomod.letters import is_letter

_RESERVED_ON_WINDOWS = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)
_MODULE_CHARACTERS = re.compile(r"[-._~0-9A-Za-z]*").fullmatch
_IMPORT_CHARACTERS = re.compile(r"[-._~+0-9A-Za-z]*").fullmatch
_FILE_CHARACTERS = re.compile(r"[-!#$%&()+,.=@\[\]^_{}~ 0-9A-Za-z]*").fullmatch
_FIRST_ELEMENT = re.compile(r"[-.0-9a-z]*").fullmatch
_SHORT_NAME_TAIL = re.compile(r"~[0-9]+\Z").search
_MAJOR_TAIL = re.compile(r"/v([0-9.]+)\Z").search
_GOPKG_TAIL = re.compile(r"\.v(?:([0-9]+)(-unstable)?|-unstable)\Z").search


def _file_characters(element: str) -> bool:
    return bool(_FILE_CHARACTERS(element)) or all(_FILE_CHARACTERS(c) or (c > "\x7f" and is_letter(c)) for c in element)


_ADMITTED: dict[str, Callable[[str], object]] = {
    "module": _MODULE_CHARACTERS,
    "import": _IMPORT_CHARACTERS,
    "file": _file_characters,
}


def _element_fault(element: str, kind: str) -> str | None:
    """Say which rule an element breaks, or None."""
    if not element:
        return "empty path element"
    if not element.strip("."):
        return f"invalid path element {element!r}"
    if kind == "module" and element[0] == ".":
        return "leading dot in path element"
    if element[-1] == ".":
        return "trailing dot in path element"
    if not _ADMITTED[kind](element):
        return f"invalid character in path element {element!r}"
    short = element.partition(".")[0]
    if short.lower() in _RESERVED_ON_WINDOWS:
        return f"{short!r} disallowed as path element component on Windows"
    if kind != "file" and _SHORT_NAME_TAIL(short):
        return "trailing tilde and digits in path element"
    return None


def _fault(path: str, kind: str) -> str | None:
    """Say which rule a whole path breaks, or None."""
    if not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:
            return "invalid UTF-8"
    if not path:
        return "empty string"
    if path[0] == "-" and kind != "file":
        return "leading dash"
    if "//" in path:
        return "double slash"
    if path[-1] == "/":
        return "trailing slash"
    for element in path.split("/"):
        if reason := _element_fault(element, kind):
            return reason
    return None


def _module_fault(path: str) -> str | None:
    if reason := _fault(path, "module"):
        return reason
    first = path.partition("/")[0]
    if "." not in first:
        return "missing dot in first path element"
    if not _FIRST_ELEMENT(first):
        return "invalid character in first path element"
    if split_path_version(path) is None:
        return "invalid major version suffix"
    return None


def check_import_path(path: str) -> None:
    """Raise InvalidPathError unless `path` is a valid import path."""
    if reason := _fault(path, "import"):
        raise InvalidPathError("import", path, reason)


def check_file_path(path: str) -> None:
    """Raise InvalidPathError unless `path`, slash-separated, may be the name of a file in a module zip."""
    if reason := _fault(path, "file"):
        raise InvalidPathError("file", path, reason)


def is_file_element(element: str) -> bool:
    """Tell whether `element` may be one element of a file path (a version must be one: it is a file name)."""
    return _element_fault(element, "file") is None


def split_path_version(path: str) -> tuple[str, str] | None:
    """Split a path into (prefix, path major); None where its tail breaks the rules for major version suffixes.

    The path major is `""`, `/vN` with N >= 2, or for gopkg.in `.vN` or `.vN-unstable` (and `.v-unstable`, which x/mod lets pass
    and no version fits).
    """
    if path.startswith("gopkg.in/"):
        tail = _GOPKG_TAIL(path)
        # A leading zero is forgiven to the bare `.v0` alone: `.v0-unstable` is refused.
        if tail is None or (tail[1] and tail[1][0] == "0" and tail[0] != ".v0"):
            return None
    else:
        tail = _MAJOR_TAIL(path)
        if tail is None:
            return path, ""
        number = tail[1]
        if "." in number or number[0] == "0" or number == "1":
            return None
    return path[: tail.start()], path[tail.start() :]


def path_major_prefix(path_major: str) -> str:
    """Give the major version that a path major stands for: `v2` for `/v2`, `v1` for `.v1-unstable`, `""` for `""`."""
    return path_major[1:].removesuffix("-unstable")


def check_path_major(version: str, path_major: str) -> None:
    """Raise InvalidVersionError unless the semantic version `version` may belong to a path with `path_major`."""
    wanted = path_major_prefix(path_major)
    if version.startswith("v0.0.0-") and path_major in (".v1", ".v1-unstable"):
        return  # gopkg.in once made pseudo-versions of this form for .v1, and go.mod files still name them
    parts = semver.parse(version)
    major = f"v{parts.major}" if parts else ""
    if not path_major:
        if major in ("v0", "v1") or (parts and parts.build == "+incompatible"):
            return
        wanted = "v0 or v1"
    elif major == wanted:
        return
    raise InvalidVersionError(version, f"should be {wanted}, not {major or 'what is no version'}")


class ModulePath(str):
    """A valid module path, unescaped. `ModulePath(text)` raises InvalidPathError."""

    __slots__ = ()

    def __new__(cls, text: str) -> "ModulePath":
        if reason := _module_fault(text):
            raise InvalidPathError("module", text, reason)
        return super().__new__(cls, text)

    @property
    def escaped(self) -> str:
        """The path as it stands in URLs and file names: each upper-case letter is `!` and its lower case."""
        return escape(self)

    @property
    def prefix(self) -> str:
        """The path without its major version suffix."""
        return (split_path_version(self) or (self, ""))[0]

    @property
    def major(self) -> str:
        """The path major: `""`, `/vN`, `.vN` or `.vN-unstable`."""
        return (split_path_version(self) or (self, ""))[1]

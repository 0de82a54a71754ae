"""Versions and queries as types: what may stand in `.mod` and `.zip` URLs, and what may stand in an `.info` URL.

A `Version` is canonical (module.CanonicalVersion of golang.org/x/mod gives it back unchanged): it names one immutable
content. A `Query` is anything else that the go command asks `.info` for: a branch, a tag, a commit hash, `v1.2`.
"""

from phaleron.gomod import semver
from phaleron.gomod.errors import InvalidVersionError
from phaleron.gomod.escape import escape, unescape
from phaleron.gomod.path import ModulePath, check_path_major, is_file_element

_INCOMPATIBLE = "+incompatible"


def canonical_version(text: str) -> str:
    """Give the canonical form, which keeps `+incompatible` and no other build metadata; `""` for what is no version."""
    p = semver.parse(text)
    if p is None:
        return ""
    return f"v{p.major}.{p.minor}.{p.patch}{p.prerelease}{_INCOMPATIBLE if p.build == _INCOMPATIBLE else ''}"


def is_version(text: str) -> bool:
    """Tell whether `Version(text)` can be made."""
    return bool(text) and canonical_version(text) == text and is_file_element(text)


class Version(str):
    """A canonical version. `Version(text)` raises InvalidVersionError."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Version":
        if canonical_version(text) != text or not text:
            raise InvalidVersionError(text, "not a canonical semantic version")
        if not is_file_element(text):
            raise InvalidVersionError(text, "cannot be a file name")
        return super().__new__(cls, text)

    @property
    def escaped(self) -> str:
        """The version as it stands in URLs and file names."""
        return escape(self)


class Query(str):
    """A revision query that names no canonical version, fit for an `.info` URL. Raises InvalidVersionError."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Query":
        if not text.isascii() or "!" in text or not is_file_element(text):
            raise InvalidVersionError(text, "disallowed version string")
        return super().__new__(cls, text)

    @property
    def escaped(self) -> str:
        """The query as it stands in URLs."""
        return escape(self)


def unescape_path(escaped: str) -> ModulePath:
    """Read an escaped module path. Raises InvalidEscapeError or InvalidPathError."""
    return ModulePath(unescape(escaped, "module path"))


def unescape_version(escaped: str) -> Version | Query:
    """Read an escaped version or query: canonical ones become a Version. Raises InvalidEscapeError, InvalidVersionError."""
    text = unescape(escaped, "version")
    return Version(text) if text and canonical_version(text) == text else Query(text)


def check(path: ModulePath, version: Version) -> None:
    """Raise InvalidVersionError unless `version` may be a version of `path`: their major versions must agree."""
    check_path_major(version, path.major)


def fits(path: ModulePath, version: Version) -> bool:
    """Tell whether `version` may be a version of `path`."""
    try:
        check(path, version)
    except InvalidVersionError:
        return False
    return True

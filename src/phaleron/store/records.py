"""What the store keeps, as types, and the protocol that every catalog engine implements.

A *file* is one of a version's three files, known by a row that is inserted once and never changed. A version is *complete*
when all that it needs is there; it then has a version row and an entry in the feed. An *answer* is what an origin said to a
list, `@latest` or query; it is the one kind of row that is rewritten. A *claim* stands for a version that arrives whole, until
all of it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version

Kind = Literal["info", "mod", "zip"]
AnswerKind = Literal["list", "latest", "query"]


def blob_key(path: ModulePath, version: Version, kind: Kind) -> str:
    """Give a file's key in the blob store: its GOPROXY URL, so that the store is itself a file:// GOPROXY tree."""
    return f"{path.escaped}/@v/{version.escaped}.{kind}"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One stored file."""

    path: ModulePath
    version: Version
    kind: Kind
    sha256: str
    """Of the file's bytes, lower-case hex: its strong ETag."""
    size_bytes: int
    origin: str
    """Who gave it: an upstream's base URL without credentials."""
    h1: str
    """The `h1:` hash of a zip or go.mod; `""` for an .info."""
    time: datetime | None
    """For an .info, the version's commit time."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What an origin last said about a module's list or `@latest`, or to a query."""

    path: ModulePath
    kind: AnswerKind
    query: str
    """The query's text; `""` for list and latest."""
    body: bytes
    """The bytes to serve."""
    origin: str
    fetched_at: float
    """When the origin was asked, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A complete version's entry in the index feed."""

    sequence: int
    """Dense enough to page by: strictly rising, never reused."""
    path: ModulePath
    version: Version
    at_us: int
    """When it was completed, in microseconds since the epoch; strictly rising with the sequence."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A version that arrives whole is being stored, or its storing was cut short."""

    path: ModulePath
    version: Version
    kinds: tuple[Kind, ...]
    """The files that were not there before: those that go away again if the rest does not come."""


class Conflict(Exception):  # noqa: N818 - the field's word for it
    """Another content is already kept under this name. `kept` is its row; nothing was changed."""

    def __init__(self, kept: FileRow, refused_h1: str) -> None:
        super().__init__(
            f"{kept.path}@{kept.version}: refused another {kind_name(kept.kind)}: kept {kept.h1}, offered {refused_h1}"
        )
        self.kept = kept


def kind_name(kind: Kind) -> str:
    """Name a kind of file for people."""
    return {"info": ".info", "mod": "go.mod", "zip": "zip"}[kind]


class Catalog(Protocol):
    """Rows about blobs. Reads are cheap enough for every request; a write is durable when it returns."""

    async def file(self, path: ModulePath, version: Version, kind: Kind) -> FileRow | None:
        """Look up one stored file."""

    async def files(self, path: ModulePath) -> Sequence[FileRow]:
        """List all stored files of a module."""

    async def record(self, row: FileRow) -> bool:
        """Insert a file's row, and with it the version's row and feed entry where that completes the version: then True.

        A row that is there already stays as it is, and the first .info is as good as any. Raises Conflict where a zip or
        go.mod is kept, or was kept before its blob was lost, with another `h1`.
        """

    async def forget(self, row: FileRow) -> None:
        """Take out a file's row because its blob is lost. Its `h1` stays known, and the version's row and feed entry stay."""

    async def lost(self, path: ModulePath, version: Version, kind: Kind) -> FileRow | None:
        """Look up the row that a file had before its blob was lost and it was forgotten."""

    async def is_complete(self, path: ModulePath, version: Version) -> bool:
        """Tell whether a version is complete, or was before blobs of it were lost."""

    async def versions(self, path: ModulePath) -> Sequence[Version]:
        """List the complete versions of a module, ascending, pseudo-versions included."""

    async def modules(self, after: str, limit: int) -> Sequence[ModulePath]:
        """List the modules of which anything is stored, by byte order, those after `after`; `""` is the start."""

    async def answer(self, path: ModulePath, kind: AnswerKind, query: str = "") -> AnswerRow | None:
        """Look up what an origin last said."""

    async def put_answer(self, row: AnswerRow) -> None:
        """Keep what an origin said, in place of what it said before."""

    async def drop_answer(self, path: ModulePath, kind: AnswerKind, query: str = "") -> None:
        """Forget what an origin said: it has since said that there is no such thing."""

    async def feed(self, *, since_us: int = 0, after: int = 0, limit: int) -> Sequence[FeedEntry]:
        """Give the feed's entries with `at_us >= since_us` and `sequence > after`, oldest first."""

    async def page(self, after: tuple[str, str], limit: int) -> Sequence[tuple[ModulePath, Version]]:
        """Give complete versions in byte order of (path, version), those after `after`; `("", "")` is the start."""

    async def claim(self, row: ClaimRow) -> bool:
        """Insert a claim; False, and nothing is changed, where the version has one."""

    async def claims(self) -> Sequence[ClaimRow]:
        """List all claims, oldest first."""

    async def unclaim(self, row: ClaimRow, *, undo: bool) -> None:
        """Delete a claim, and with `undo` the rows of the files that it was for: they leave no trace."""

    async def close(self) -> None:
        """Finish what is being written and close."""

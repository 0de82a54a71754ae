"""The order of asking: what goes on after `,` and `|`, for every question, and whose answer counts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from phaleron.errors import (
    BadRequest,
    Busy,
    Forbidden,
    Gone,
    NotFound,
    OriginFailed,
    OriginTimeout,
    PhaleronError,
    Unauthorized,
    Untrusted,
)
from phaleron.gomod.info import Info
from phaleron.gomod.path import ModulePath
from phaleron.gomod.pattern import PatternList
from phaleron.gomod.version import Query, Version
from phaleron.sources.goproxy import Entry, parse_goproxy
from phaleron.sources.routed import Routed
from phaleron.sources.source import Answer, Content

M, V = ModulePath("example.com/m"), Version("v1.0.0")
A, B, C = "https://a.example", "https://b.example", "https://c.example"


@dataclass
class Said:
    """A source that says one thing to every question."""

    name: str
    error: PhaleronError | None
    asked: list[str] = field(default_factory=list)

    def _say(self) -> None:
        self.asked.append(self.name)
        if self.error is not None:
            raise self.error

    async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
        self._say()
        return Answer((V,), b"v1.0.0\n", self.name)

    async def latest(self, path: ModulePath) -> Answer[Info]:
        self._say()
        return Answer(Info(V), b"{}", self.name)

    async def info(self, path: ModulePath, query: Version | Query, hint: str = "") -> Answer[Info]:
        self._say()
        return Answer(Info(V), b"{}", self.name)

    async def mod(self, path: ModulePath, version: Version, hint: str = "") -> Answer[bytes]:
        self._say()
        return Answer(b"", b"", self.name)

    @asynccontextmanager
    async def zip(self, path: ModulePath, version: Version, hint: str = "") -> AsyncIterator[Content]:
        self._say()
        yield Zip(self.name)


@dataclass
class Zip:
    origin: str
    size_bytes: int | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"first"
        raise OriginFailed("breaks on the way")


async def zip_origin(source: Routed, hint: str = "") -> str:
    async with source.zip(M, V, hint) as content:
        return content.origin


QUESTIONS: dict[str, Callable[[Routed, str], Awaitable[str]]] = {
    "list": lambda source, hint: origin_of(source.versions(M)),
    "latest": lambda source, hint: origin_of(source.latest(M)),
    "info": lambda source, hint: origin_of(source.info(M, V, hint)),
    "query": lambda source, hint: origin_of(source.info(M, Query("main"), hint)),
    "mod": lambda source, hint: origin_of(source.mod(M, V, hint)),
    "zip": zip_origin,
}


async def origin_of(answer: Awaitable[Answer[object]]) -> str:
    return (await answer).origin


def routed(goproxy: str, *said: PhaleronError | None, private: str = "") -> tuple[Routed, list[str]]:
    """Make a route whose n-th URL says the n-th thing; give it and the list of who is asked."""
    asked: list[str] = []
    answers = iter(said)

    def make(entry: Entry) -> Said:
        return Said(entry.origin, next(answers), asked)

    return Routed(parse_goproxy(goproxy), PatternList.parse(private), make), asked


ABSENT: list[PhaleronError] = [NotFound("404"), Gone("410")]
FAILED: list[PhaleronError] = [
    BadRequest("400"),
    Unauthorized("401"),
    Forbidden("403"),
    Untrusted("checksum"),
    OriginFailed("502"),
    OriginTimeout("504"),
    Busy("503"),
]


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("separator", [",", "|"])
@pytest.mark.parametrize("first", [None, *ABSENT, *FAILED], ids=lambda e: type(e).__name__ if e else "200")
async def test_the_table(
    question: Callable[[Routed, str], Awaitable[str]], separator: str, first: PhaleronError | None
) -> None:
    source, asked = routed(f"{A}{separator}{B}", first, None)
    if first is None:
        assert await question(source, "") == A
        assert asked == [A]
    elif first in ABSENT or separator == "|":
        assert await question(source, "") == B
        assert asked == [A, B]
    else:
        with pytest.raises(type(first), match=str(first)):
            await question(source, "")
        assert asked == [A]


NONE, FAIL, LATE = NotFound("none here"), OriginFailed("broken"), OriginTimeout("late")

# The list, what each says, whose error is the answer, who was asked.
OUTCOMES: list[tuple[str, list[PhaleronError], type[PhaleronError], str, list[str]]] = [
    (f"{A},{B}", [NONE, NotFound("nor here")], NotFound, "^none here$", [A, B]),
    (f"{A}|{B}", [FAIL, NONE], OriginFailed, "broken", [A, B]),
    (f"{A},{B}", [NONE, FAIL], OriginFailed, "broken", [A, B]),
    (f"{A}|{B}|{C}", [FAIL, LATE, NONE], OriginFailed, "broken", [A, B, C]),
    (f"{A}|{B},{C}", [LATE, FAIL, NONE], OriginTimeout, "late", [A, B]),
    (f"{A},{B}|{C}", [NONE, FAIL, NONE], OriginFailed, "broken", [A, B, C]),
    (f"{A}|direct", [FAIL], OriginFailed, "broken", [A]),
    (f"{A}|off", [FAIL], OriginFailed, "broken", [A]),
    (f"{A},direct", [FAIL], OriginFailed, "broken", [A]),
    (f"{A},direct", [NONE], NotFound, r"^none here; .*\(direct\).* cannot read repositories yet$", [A]),
    (f"{A},off", [NONE], NotFound, "^none here; module lookup disabled by GOPROXY=off", [A]),
    ("direct", [], NotFound, r"^example.com/m@v1.0.0: .*\(direct\).* cannot read repositories yet$", []),
    ("off", [], NotFound, "^example.com/m@v1.0.0: module lookup disabled by GOPROXY=off", []),
]


@pytest.mark.parametrize(("goproxy", "said", "kind", "text", "who"), OUTCOMES)
async def test_where_nobody_answers(
    goproxy: str, said: list[PhaleronError], kind: type[PhaleronError], text: str, who: list[str]
) -> None:
    source, asked = routed(goproxy, *said)
    with pytest.raises(kind, match=text):
        await source.mod(M, V)
    assert asked == who


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
async def test_private_modules_are_asked_of_nobody(question: Callable[[Routed, str], Awaitable[str]]) -> None:
    source, asked = routed(f"{A}|{B}", None, None, private="other.example,example.com")
    with pytest.raises(
        NotFound, match=r"^example\.com/m.*: is private here \(GOPRIVATE.* cannot read repositories yet$"
    ):
        await question(source, B)
    assert asked == []


async def test_what_no_pattern_covers_is_not_private() -> None:
    source, _ = routed(A, None, private="example.com/other,*.example.com")
    assert (await source.versions(M)).origin == A


# The list, what each says, the hint, whose answer counts, who was asked.
HINTS: list[tuple[str, list[PhaleronError | None], str, str | type[PhaleronError], list[str]]] = [
    (f"{A},{B}", [None, None], B, B, [B]),
    (f"{A},{B}", [None, None], A, A, [A]),
    (f"{A},{B}", [None, None], "", A, [A]),
    (f"{A},{B}", [None, None], C, A, [A]),
    (f"{A},{B}", [None, NONE], B, A, [B, A]),
    (f"{A},{B}", [None, FAIL], B, A, [B, A]),
    (f"{A},{B}", [NONE, NONE], B, NotFound, [B, A]),
    (f"{A},{B}", [NONE, FAIL], B, OriginFailed, [B, A]),
    (
        f"{A},{B},{C}",
        [NONE, FAIL, None],
        B,
        OriginFailed,
        [B, A],
    ),  # a hint lets nobody be asked whom the list would not let
    (f"{A},{B}|{C}", [NONE, FAIL, None], B, C, [B, A, C]),
    (f"{A},{B},{C}", [LATE, NONE, None], B, OriginTimeout, [B, A]),
    (f"{A},{B},{C}", [NONE, NONE, None], B, C, [B, A, C]),
    ("https://u:p@a.example,https://u:p@b.example", [None, None], B, B, [B]),
    (f"{A},{B},direct", [NONE, NONE], B, NotFound, [B, A]),
    ("direct", [], "direct", NotFound, []),
]


@pytest.mark.parametrize("question", ["info", "mod", "zip"])
@pytest.mark.parametrize(("goproxy", "said", "hint", "outcome", "who"), HINTS)
async def test_the_origin_of_the_other_files_is_asked_first(
    question: str,
    goproxy: str,
    said: list[PhaleronError | None],
    hint: str,
    outcome: str | type[PhaleronError],
    who: list[str],
) -> None:
    source, asked = routed(goproxy, *said)
    if isinstance(outcome, str):
        assert await QUESTIONS[question](source, hint) == outcome
    else:
        with pytest.raises(outcome):
            await QUESTIONS[question](source, hint)
    assert asked == who


async def test_a_zip_that_breaks_on_the_way_is_not_asked_of_the_next() -> None:
    source, asked = routed(f"{A}|{B}", None, None)
    async with source.zip(M, V) as content:
        pieces = aiter(content)
        assert await anext(pieces) == b"first"
        with pytest.raises(OriginFailed, match="breaks on the way"):
            await anext(pieces)
    assert asked == [A]


async def test_a_mistake_of_ours_is_nobodys_absence() -> None:
    class Mistaken(Said):
        async def versions(self, path: ModulePath) -> Answer[tuple[Version, ...]]:
            raise ZeroDivisionError

    source = Routed(parse_goproxy(f"{A}|{B}"), PatternList.parse(""), lambda entry: Mistaken(entry.url, None))
    with pytest.raises(ZeroDivisionError):
        await source.versions(M)

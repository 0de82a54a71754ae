"""Lists of path patterns, as GOPRIVATE and its like hold them.

A list is separated by commas. A pattern of n elements is matched against the first n elements of a path, so it covers all
that lies below what it names. Within an element it is a glob of Go's path.Match: `*` and `?` do not cross a slash, a class in
brackets may, a backslash escapes. A malformed pattern matches nothing. Source: `go help private`, golang.org/x/mod/module,
path.Match. Go's `*` goes on byte by byte, ours by character: for module paths, which are ASCII, that is one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


class _MalformedError(ValueError):
    pass


def _class_end(glob: str, at: int) -> tuple[str, int]:
    """Read one end of a range in a class."""
    if at >= len(glob) or glob[at] in "-]":
        raise _MalformedError
    if glob[at] == "\\":
        at += 1
        if at >= len(glob):
            raise _MalformedError
    if at + 1 >= len(glob):
        raise _MalformedError
    return glob[at], at + 1


def _class(glob: str, at: int) -> tuple[str, int]:
    """Translate a class whose `[` stands before `at`."""
    negated = glob.startswith("^", at)
    at += negated
    ranges: list[str] = []
    taken = 0
    while not (glob.startswith("]", at) and taken):
        low, at = _class_end(glob, at)
        high = low
        if glob.startswith("-", at):
            high, at = _class_end(glob, at + 1)
        taken += 1
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    if not ranges:  # every range runs backwards: the class holds nothing, which no regular expression's class can say
        return "." if negated else "(?!)", at + 1
    return f"[{'^' if negated else ''}{''.join(ranges)}]", at + 1


def _pieces(glob: str) -> Iterator[str]:
    """Split a glob at its stars and translate what is between them; two stars in a row are one."""
    piece: list[str] = []
    at = 0
    while at < len(glob):
        c = glob[at]
        at += 1
        if c == "*":
            yield "".join(piece)
            piece = []
            while glob.startswith("*", at):
                at += 1
        elif c == "?":
            piece.append("[^/]")
        elif c == "[":
            text, at = _class(glob, at)
            piece.append(text)
        elif c == "\\":
            if at >= len(glob):
                raise _MalformedError
            piece.append(re.escape(glob[at]))
            at += 1
        else:
            piece.append(re.escape(c))
    yield "".join(piece)


def _translate(glob: str) -> str:
    first, *others = _pieces(glob)
    if not others:
        return first
    # What follows a star matches where it first can, and Go does not come back to look for a later place: an atomic group.
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{piece})" for piece in middle) + f"[^/]*{last}"


@dataclass(frozen=True, slots=True)
class PatternList:
    """Patterns, ready to match. Make one with `parse`."""

    text: str
    _globs: tuple[tuple[int, re.Pattern[str]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "PatternList":
        """Read a list separated by commas. Nothing is an error: malformed patterns match nothing."""
        globs: list[tuple[int, re.Pattern[str]]] = []
        for word in text.split(","):
            glob = word.removesuffix("/")
            if not glob:
                continue
            try:
                globs.append((glob.count("/") + 1, re.compile(_translate(glob), re.DOTALL)))
            except _MalformedError:
                continue
        return cls(text, tuple(globs))

    def matches(self, path: str) -> bool:
        """Tell whether any pattern covers the path."""
        elements = path.split("/")
        return any(
            count <= len(elements) and glob.fullmatch("/".join(elements[:count])) is not None
            for count, glob in self._globs
        )

    def __bool__(self) -> bool:
        return bool(self._globs)

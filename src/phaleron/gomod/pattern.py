"""Lists of path patterns, as GOPRIVATE and its like hold them.

A list is separated by commas. A pattern of n elements is matched against the first n elements of a path, so it covers all
that lies below what it names. Within an element it is a glob of Go's path.Match: `*` and `?` do not cross a slash, a class in
brackets may, a backslash escapes. A malformed pattern matches nothing. Source: `go help private`, golang.org/x/mod/module,
path.Match.
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
    while not (glob.startswith("]", at) and ranges):
        low, at = _class_end(glob, at)
        high = low
        if glob.startswith("-", at):
            high, at = _class_end(glob, at + 1)
        # A range that runs backwards holds nothing, and an empty class is no regular expression: U+0000 is in no path.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else r"\x00")
    return f"[{'^' if negated else ''}{''.join(ranges)}]", at + 1


def _translate(glob: str) -> Iterator[str]:
    at = 0
    while at < len(glob):
        c = glob[at]
        at += 1
        if c == "*":
            yield "[^/]*"
        elif c == "?":
            yield "[^/]"
        elif c == "[":
            text, at = _class(glob, at)
            yield text
        elif c == "\\":
            if at >= len(glob):
                raise _MalformedError
            yield re.escape(glob[at])
            at += 1
        else:
            yield re.escape(c)


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
                globs.append((glob.count("/") + 1, re.compile("".join(_translate(glob)), re.DOTALL)))
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

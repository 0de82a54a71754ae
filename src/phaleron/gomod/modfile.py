"""go.mod files: what they say.

Strict reading is for a main module's go.mod: every directive must be known. Lax reading is for a dependency's: unknown
directives are passed over, and so are those that count in a main module alone (replace, exclude, toolchain, godebug, tool); a
retraction that cannot be read is passed over too. Source: the Go Modules Reference, "go.mod files"; golang.org/x/mod/modfile.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from phaleron.gomod.errors import InvalidVersionError
from phaleron.gomod.gotext import fields, trim
from phaleron.gomod.modsyntax import Line, ModSyntaxError, parse_syntax
from phaleron.gomod.path import check_path_major, split_path_version
from phaleron.gomod.unquote import unquote
from phaleron.gomod.version import canonical_version

_GO_VERSION = re.compile(r"([1-9][0-9]*)\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?([a-z]+[0-9]+)?").fullmatch
_LAX_GO_VERSION = re.compile(r"v?(([1-9][0-9]*)\.(0|[1-9][0-9]*))([^0-9].*)").fullmatch
_TOOLCHAIN = re.compile(r"default\Z|go1(\Z|\.)").match
_DEPRECATED = re.compile(r"(?:\A|\n\n)Deprecated: *(.*?)(?:\Z|\n\n)", re.DOTALL).search
_BLOCKS = frozenset({"module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore"})
_LAX = frozenset({"go", "module", "retract", "require", "ignore"})


_INTERVAL = (
    ("version after '['", ""),
    ("',' after version", ","),
    ("version after ','", ""),
    ("']' after version", "]"),
)
"""What stands behind the `[` of a retraction."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A `require` or `exclude`: a module path and a canonical version, as written; the path is not checked."""

    path: str
    version: str
    indirect: bool = False


@dataclass(frozen=True, slots=True)
class Replacement:
    """A `replace`. Versions may be `""`: of `old`, for any; of `new`, where it is a directory."""

    old_path: str
    old_version: str
    new_path: str
    new_version: str


@dataclass(frozen=True, slots=True)
class Retraction:
    """A `retract`: versions from `low` to `high`, both included, as written: they need not be canonical, or versions."""

    low: str
    high: str
    rationale: str


@dataclass(frozen=True, slots=True)
class ModFile:
    """What a go.mod says; texts are `""` where it says nothing."""

    module: str = ""
    deprecated: str = ""
    go: str = ""
    toolchain: str = ""
    require: tuple[Requirement, ...] = ()
    exclude: tuple[Requirement, ...] = ()
    replace: tuple[Replacement, ...] = ()
    retract: tuple[Retraction, ...] = ()
    godebug: tuple[tuple[str, str], ...] = ()
    tool: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def parse(data: bytes, *, strict: bool, name: str = "go.mod") -> ModFile:
    """Read a go.mod. Raises ModSyntaxError (`name:line:column: text`) at the first fault."""
    reader = _Reader(name, strict)
    for statement in parse_syntax(data, name):
        if isinstance(statement, Line):
            reader.add(statement)
        elif len(statement.words) > 1 or statement.words[0] not in _BLOCKS:
            if strict:
                words = " ".join(statement.words)
                raise ModSyntaxError(name, statement.line, statement.column, f"unknown block type: {words}")
        else:
            for line in statement.lines:
                reader.add(line)
    return reader.file()


def is_directory_path(path: str) -> bool:
    """Tell whether the right side of a `replace` is a directory, in the syntax of any system."""
    drive = len(path) >= 2 and path[0].isascii() and path[0].isalpha() and path[1] == ":"
    return path in (".", "..") or path.startswith(("./", ".\\", "../", "..\\", "/", "\\")) or drive


class _Reader:
    """Gathers what the lines say."""

    def __init__(self, name: str, strict: bool) -> None:
        self._name = name
        self._strict = strict
        self._module: tuple[str, str] | None = None
        self._go: str | None = None
        self._toolchain: str | None = None
        self._require: list[Requirement] = []
        self._exclude: list[Requirement] = []
        self._replace: list[Replacement] = []
        self._retract: list[Retraction] = []
        self._godebug: list[tuple[str, str]] = []
        self._tool: list[str] = []
        self._ignore: list[str] = []

    def file(self) -> ModFile:
        module, deprecated = self._module or ("", "")
        return ModFile(
            module,
            deprecated,
            self._go or "",
            self._toolchain or "",
            tuple(self._require),
            tuple(self._exclude),
            tuple(self._replace),
            tuple(self._retract),
            tuple(self._godebug),
            tuple(self._tool),
            tuple(self._ignore),
        )

    def _fail(self, line: Line, text: str) -> NoReturn:
        raise ModSyntaxError(self._name, line.line, line.column, text)

    def add(self, line: Line) -> None:
        if not self._strict and line.verb not in _LAX:
            return
        match line.verb:
            case "go":
                self._add_go(line)
            case "toolchain":
                if self._toolchain is not None:
                    self._fail(line, "repeated toolchain statement")
                word = self._only(line, "toolchain directive expects exactly one argument")
                if not _TOOLCHAIN(word):
                    self._fail(line, f"invalid toolchain version '{word}': must match format go1.23.0 or default")
                self._toolchain = word
            case "module":
                if self._module is not None:
                    self._fail(line, "repeated module statement")
                path = self._string(line, self._only(line, "usage: module module/path"))
                found = _DEPRECATED(_comments(line))
                self._module = (path, found[1] if found else "")
            case "godebug":
                word = self._only(line, "usage: godebug key=value")
                key, equals, value = word.partition("=")
                if not equals or any(c in "\"`'," for c in word):
                    self._fail(line, "usage: godebug key=value")
                self._godebug.append((key, value))
            case "require":
                self._require.append(self._requirement(line))
            case "exclude":
                self._exclude.append(self._requirement(line))
            case "replace":
                self._replace.append(self._replacement(line))
            case "retract":
                self._add_retract(line)
            case "tool":
                self._tool.append(self._string(line, self._only(line, "tool directive expects exactly one argument")))
            case "ignore":
                self._ignore.append(
                    self._string(line, self._only(line, "ignore directive expects exactly one argument"))
                )
            case _:
                self._fail(line, f"unknown directive: {line.verb}")

    def _add_go(self, line: Line) -> None:
        if self._go is not None:
            self._fail(line, "repeated go statement")
        word = self._only(line, "go directive expects exactly one argument")
        if not _GO_VERSION(word):
            lax = None if self._strict else _LAX_GO_VERSION(word)
            if lax is None:
                self._fail(line, f"invalid go version '{word}': must match format 1.23.0")
            word = lax[1]
        self._go = word

    def _only(self, line: Line, usage: str) -> str:
        if len(line.words) != 1:
            self._fail(line, usage)
        return line.words[0]

    def _string(self, line: Line, word: str) -> str:
        if word.startswith('"'):
            text = unquote(word)
            if text is None:
                self._fail(line, "invalid quoted string: invalid syntax")
            return text
        if any(c in word for c in "\"'`"):
            self._fail(line, "invalid quoted string: unquoted string cannot contain quote")
        return word

    def _version(self, line: Line, path: str, word: str) -> str:
        text = self._string(line, word)
        version = canonical_version(text)
        if not version:
            self._fail(line, f"{line.verb} {path}: version {text!r} invalid: must be of the form v1.2.3")
        return version

    def _path_major(self, line: Line, path: str) -> str:
        split = split_path_version(path)
        if split is None:
            self._fail(line, f"{line.verb} {path}: invalid module path")
        return split[1]

    def _check_major(self, line: Line, path: str, version: str, major: str) -> None:
        try:
            check_path_major(version, major)
        except InvalidVersionError as e:
            self._fail(line, f"{line.verb} {path}: {e}")

    def _requirement(self, line: Line) -> Requirement:
        if len(line.words) != 2:
            self._fail(line, f"usage: {line.verb} module/path v1.2.3")
        path = self._string(line, line.words[0])
        version = self._version(line, path, line.words[1])
        self._check_major(line, path, version, self._path_major(line, path))
        return Requirement(path, version, line.verb == "require" and _is_indirect(line))

    def _replacement(self, line: Line) -> Replacement:
        words = line.words
        arrow = 1 if len(words) >= 2 and words[1] == "=>" else 2
        if not arrow + 2 <= len(words) <= arrow + 3 or words[arrow] != "=>":
            self._fail(line, "usage: replace module/path [v1.2.3] => other/module v1.4 or => ../local/directory")
        old = self._string(line, words[0])
        major = self._path_major(line, old)
        old_version = ""
        if arrow == 2:
            old_version = self._version(line, old, words[1])
            self._check_major(line, old, old_version, major)
        new = self._string(line, words[arrow + 1])
        if len(words) == arrow + 2:
            self._check_directory(line, new)
            return Replacement(old, old_version, new, "")
        new_version = self._version(line, new, words[arrow + 2])
        if is_directory_path(new):
            self._fail(line, f"replacement module directory path {new!r} cannot have version")
        return Replacement(old, old_version, new, new_version)

    def _check_directory(self, line: Line, path: str) -> None:
        if not is_directory_path(path):
            if "@" in path:
                self._fail(line, "replacement module must match format 'path version', not 'path@version'")
            self._fail(
                line, "replacement module without version must be directory path (rooted or starting with . or ..)"
            )
        if "\\" in path:
            self._fail(line, "replacement directory appears to be Windows path (on a non-windows system)")

    def _add_retract(self, line: Line) -> None:
        try:
            low, high, rest = self._interval(line)
        except ModSyntaxError:
            if self._strict:
                raise
            return  # later versions of Go may know other forms, and this is a dependency's
        if rest and self._strict:
            self._fail(line, f"unexpected token after version: {rest[0]!r}")
        self._retract.append(Retraction(low, high, _comments(line)))

    def _interval(self, line: Line) -> tuple[str, str, list[str]]:
        """Read the versions, which may be anything: what is no version retracts none. Give what is behind them, too."""
        words = line.words
        if not words or words[0] == "(":
            self._fail(line, "expected '[' or version")
        if words[0] != "[":
            version = self._string(line, words[0])
            return version, version, words[1:]
        for at, (expected, separator) in enumerate(_INTERVAL, 1):
            if len(words) <= at or (separator and words[at] != separator):
                self._fail(line, f"expected {expected}")
        return self._string(line, words[1]), self._string(line, words[3]), words[5:]


def _is_indirect(line: Line) -> bool:
    """Tell whether a requirement is marked `// indirect`, also with a remark behind it."""
    if not line.suffix:
        return False
    words = fields(line.suffix[0].removeprefix("//"))
    return words == ["indirect"] or (len(words) > 1 and words[0] == "indirect;")


def _comments(line: Line) -> str:
    """Give the text of a line's comments; of those before its block, where it has none of its own."""
    comments = [*line.before, *line.suffix]
    if line.block is not None and not comments:
        comments = line.block.before
    return "\n".join(trim(c.removeprefix("//")) for c in comments if c.startswith("//"))

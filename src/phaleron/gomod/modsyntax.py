"""The syntax of go.mod: lines of words, lines gathered in parenthesised blocks, and comments that belong to what is near.

What comes out is a list of lines, each with its verb, its words as they are written (quotes included), its place, and the comments
before and behind it. What the words mean is not decided here (`modfile`). Source: the Go Modules Reference, "go.mod files";
golang.org/x/mod/modfile.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from phaleron.gomod.errors import RuleError
from phaleron.gomod.gotext import decode, is_printable, is_space, trim


class ModSyntaxError(RuleError):
    """A go.mod that breaks the rules; `line` and `column` count from 1, `column` in characters."""

    def __init__(self, name: str, line: int, column: int, text: str) -> None:
        super().__init__(f"{name}:{line}:{column}: {text}")
        self.line = line
        self.column = column


@dataclass(slots=True)
class Line:
    """A directive: in a block, the block's verb is its own."""

    verb: str
    words: list[str]
    line: int
    column: int
    before: list[str] = field(default_factory=list)
    """Comments that stand alone on the lines before; a blank line is an empty one."""
    suffix: list[str] = field(default_factory=list)
    """Comments behind it on its own line."""
    block: "Block | None" = None
    end: int = 0
    """Where its last word ends, in characters from the start of the file."""
    one_line: bool = True
    """False where a backslash before a line's end carries a quoted word over it."""


@dataclass(slots=True)
class Block:
    """Lines in parentheses behind common words."""

    words: list[str]
    line: int
    column: int
    before: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    parentheses: tuple[int, int] = (0, 0)
    """Where they stand, in characters from the start of the file."""


_END, _EOL, _COMMENT, _SUFFIX, _WORD = "end", "\n", "comment", "suffix comment", "word"
_PUNCTUATION = "()[]{},"
_PLAIN_WORD = re.compile(r"[!-'*+\-.0-Z\\^-z|~]+")
"""ASCII but for punctuation, quotes at the start (the caller has looked) and slashes, which may begin a comment."""


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int
    start: int
    end: int
    last_line: int
    """The line on which it ends."""

    @property
    def ends_line(self) -> bool:
        return self.kind in (_END, _EOL, _SUFFIX)


class _Lexer:
    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._at = 0
        self._line = 1
        self._line_start = 0
        self.suffixes: list[_Token] = []
        self.next = self._read()

    def fail(self, text: str, at: int | None = None) -> ModSyntaxError:
        return ModSyntaxError(self._name, self._line, (self._at if at is None else at) - self._line_start + 1, text)

    def lex(self) -> _Token:
        token = self.next
        self.next = self._read()
        return token

    def _token(self, kind: str, start: int) -> _Token:
        text = self._text[start : self._at]
        return _Token(kind, text, self._line, start - self._line_start + 1, start, self._at, self._line)

    def _newline(self) -> None:
        self._line += 1
        self._line_start = self._at

    def _read(self) -> _Token:
        text = self._text
        while self._at < len(text) and text[self._at] in " \t\r":
            self._at += 1
        start = self._at
        if start == len(text):
            return self._token(_END, start)
        if text.startswith("//", start):
            return self._read_comment(start)
        if text.startswith("/*", start):
            raise self.fail("mod files must use // comments (not /* */ comments)")
        c = text[start]
        if c == "\n":
            self._at += 1
            token = self._token(_EOL, start)
            self._newline()
            return token
        if c in _PUNCTUATION:
            self._at += 1
            return self._token(c, start)
        return self._read_quoted(c, start) if c in '"`' else self._read_word(start)

    def _read_comment(self, start: int) -> _Token:
        end = self._text.find("\n", start)
        self._at = len(self._text) if end < 0 else end + 1
        alone = not trim(self._text[self._line_start : start])
        token = self._token(_COMMENT if alone else _SUFFIX, start)
        token.text = token.text.removesuffix("\n").removesuffix("\r") if end >= 0 else token.text
        if end >= 0:
            self._newline()
        if not alone:
            self.suffixes.append(token)
        return token

    def _read_quoted(self, quote: str, start: int) -> _Token:
        text = self._text
        token = self._token(_WORD, start)
        unfinished = self.fail("unexpected EOF in string", start)
        self._at += 1
        while True:
            if self._at >= len(text):
                raise unfinished
            c = text[self._at]
            if c == "\n":
                raise self.fail("unexpected newline in string")
            self._at += 1
            if c == quote:
                token.text, token.end, token.last_line = text[start : self._at], self._at, self._line
                return token
            if c == "\\" and quote == '"':
                if self._at >= len(text):
                    raise unfinished
                escaped_newline = text[self._at] == "\n"
                self._at += 1
                if escaped_newline:
                    self._newline()

    def _read_word(self, start: int) -> _Token:
        text = self._text
        while self._at < len(text):
            plain = _PLAIN_WORD.match(text, self._at)
            if plain:
                self._at = plain.end()
                continue
            c = text[self._at]
            if c in _PUNCTUATION or is_space(c) or not is_printable(c):
                break
            if text.startswith("//", self._at):
                break
            if text.startswith("/*", self._at):
                raise self.fail("mod files must use // comments (not /* */ comments)")
            self._at += 1
        if self._at == start:
            raise self.fail(f"unexpected input character {text[start]!r}")
        return self._token(_WORD, start)


def parse_syntax(data: bytes, name: str) -> list[Line | Block]:
    """Read the lines and blocks of a go.mod. Raises ModSyntaxError at the first fault."""
    lexer = _Lexer(name, decode(data))
    statements: list[Line | Block] = []
    comments: list[str] = []
    while True:
        kind = lexer.next.kind
        if kind == _END:
            break
        if kind == _EOL:
            lexer.lex()
            comments = []
        elif kind == _COMMENT:
            comments.append(lexer.lex().text)
        else:
            statement = _statement(lexer, name)
            statement.before = comments
            comments = []
            statements.append(statement)
    _attach_suffixes(statements, lexer.suffixes)
    return statements


def _statement(lexer: _Lexer, name: str) -> Line | Block:
    first = last = lexer.lex()
    words = [first.text]
    while True:
        token = lexer.lex()
        if token.ends_line:
            return _made_line(words[0], words[1:], first, last)
        if token.kind != "(":
            words.append(token.text)
            last = token
        elif lexer.next.ends_line:
            return _block(lexer, name, Block(words, first.line, first.column), token)
        elif lexer.next.kind == ")":
            closing = lexer.lex()
            if lexer.next.ends_line:
                lexer.lex()
                return Block(words, first.line, first.column, parentheses=(token.end, closing.end))
            words += [token.text, closing.text]
        else:
            words.append(token.text)


def _block(lexer: _Lexer, name: str, block: Block, opening: _Token) -> Block:
    comments: list[str] = []
    while True:
        kind = lexer.next.kind
        if kind == _SUFFIX:
            lexer.lex()
        elif kind == _EOL:
            lexer.lex()
            if comments[-1] if comments else block.lines:
                comments.append("")
        elif kind == _COMMENT:
            comments.append(lexer.lex().text)
        elif kind == _END:
            raise lexer.fail(f"syntax error (unterminated block started at {name}:{block.line}:{block.column})")
        elif kind == ")":
            block.parentheses = (opening.end, lexer.lex().end)
            if not lexer.next.ends_line:
                raise lexer.fail("syntax error (expected newline after closing paren)")
            lexer.lex()
            return block
        else:
            line = _line(lexer, block)
            line.before = comments
            comments = []
            block.lines.append(line)


def _line(lexer: _Lexer, block: Block) -> Line:
    first = last = lexer.lex()
    words = [first.text]
    while not (token := lexer.lex()).ends_line:
        words.append(token.text)
        last = token
    line = _made_line(block.words[0], words, first, last)
    line.block = block
    return line


def _made_line(verb: str, words: list[str], first: _Token, last: _Token) -> Line:
    return Line(verb, words, first.line, first.column, end=last.end, one_line=first.line == last.last_line)


def _attach_suffixes(statements: list[Line | Block], suffixes: list[_Token]) -> None:
    """Give each comment behind something to what ends last before it, if that is a line of words.

    One behind a block's opening or closing parenthesis belongs to that parenthesis, which no directive asks for. A line that
    goes over several lines of the file takes none: its comment goes to what stands before it.
    """
    takers: list[tuple[int, list[str]]] = []
    for statement in statements:
        if isinstance(statement, Line):
            lines, opening, closing = [statement], None, None
        else:
            lines = statement.lines
            opening, closing = statement.parentheses
        if opening is not None:
            takers.append((opening, []))
        takers += ((line.end, line.suffix) for line in lines if line.one_line)
        if closing is not None:
            takers.append((closing, []))
    ends = [end for end, _ in takers]
    for comment in suffixes:
        at = bisect_right(ends, comment.start) - 1
        if at >= 0:
            takers[at][1].append(comment.text)

"""String literals of Go, quoted or raw, read as strconv.Unquote reads them."""

import re

from phaleron.gomod.gotext import decode

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_PIECE = re.compile(
    r'(?P<plain>[^"\\\n]+)|\\(?P<simple>[abfnrtv\\"])|\\(?P<octal>[0-7]{3})|\\x(?P<hex>[0-9a-fA-F]{2})'
    r"|\\u(?P<short>[0-9a-fA-F]{4})|\\U(?P<long>[0-9a-fA-F]{8})"
)


def unquote(literal: str) -> str | None:
    """Give what a literal in double or back quotes stands for; None where it is malformed.

    Bytes that are no UTF-8 become U+FFFD each.
    """
    if len(literal) >= 2 and literal[0] == literal[-1] == "`":
        return None if "`" in literal[1:-1] else literal[1:-1].replace("\r", "")
    if len(literal) < 2 or literal[0] != '"' or literal[-1] != '"':
        return None
    out = bytearray()
    at, end = 1, len(literal) - 1
    while at < end:
        m = _PIECE.match(literal, at, end)
        if m is None:
            return None
        at = m.end()
        if m["plain"]:
            out += m["plain"].encode()
        elif m["simple"]:
            out += _SIMPLE[m["simple"]].encode()
        elif m["octal"] or m["hex"]:
            value = int(m["octal"], 8) if m["octal"] else int(m["hex"], 16)
            if value > 0xFF:
                return None
            out.append(value)
        else:
            code = int(m["short"] or m["long"], 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                return None
            out += chr(code).encode()
    return decode(bytes(out))

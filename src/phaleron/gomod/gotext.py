"""Text as Go sees it: how bytes become characters, which of them are space and which are printable.

Python's own ideas differ a little in each: how many U+FFFD broken UTF-8 becomes, and U+001C to U+001F, which str.split and
str.strip take for space. Source: the Go packages unicode, unicode/utf8 and strings.
"""

import re
import unicodedata

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""The characters with the property White_Space."""
_WORD = re.compile(f"[^{SPACES}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes) -> str:
    """Decode UTF-8; each byte that belongs to no character becomes U+FFFD."""
    return replace_surrogates(data.decode(errors="surrogateescape"))


def replace_surrogates(text: str) -> str:
    """Put U+FFFD for each lone surrogate, which no Go string of characters can hold."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def is_space(character: str) -> bool:
    """Tell whether a character has the property White_Space."""
    return character in SPACES


def trim(text: str) -> str:
    """Cut space off both ends."""
    return text.strip(SPACES)


def fields(text: str) -> list[str]:
    """Give the words between space."""
    return _WORD.findall(text)


def is_printable(character: str) -> bool:
    """Tell whether a character is a letter, mark, number, punctuation or symbol, or the ASCII space."""
    return character == " " or unicodedata.category(character)[0] in "LMNPS"

"""Which characters are printable and which are space to Go."""

import unicodedata

_SPACES = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def is_space(character: str) -> bool:
    """Tell whether a character has the property White_Space."""
    return character in _SPACES


def is_printable(character: str) -> bool:
    """Tell whether a character is a letter, mark, number, punctuation or symbol, or the ASCII space."""
    return character == " " or unicodedata.category(character)[0] in "LMNPS"

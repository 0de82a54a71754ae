"""Which characters are letters to Go (general category L*), as of Unicode 17, whatever this Python's own tables know."""

from bisect import bisect_right
from functools import cache

from phaleron.gomod.unicode17 import LETTERS


@cache
def _ranges() -> tuple[list[int], list[int]]:
    pairs = [word.partition("-") for word in LETTERS.split()]
    return [int(first, 16) for first, _, _ in pairs], [int(last or first, 16) for first, _, last in pairs]


def is_letter(character: str) -> bool:
    """Tell whether a character is a letter of any script."""
    if character < "\x80":
        return character.isalpha()
    firsts, lasts = _ranges()
    at = bisect_right(firsts, ord(character)) - 1
    return at >= 0 and ord(character) <= lasts[at]

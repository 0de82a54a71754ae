"""Unicode simple case folding: what two names have in common if a file system that folds case takes them for one.

Each character becomes the smallest of its folding orbit, and A to Z become a to z: K and the Kelvin sign fold alike, as do
the three sigmas, and the sharp s stays one character. Neither str.lower nor str.casefold does that. Source: golang.org/x/mod/zip.
"""

from functools import cache

from phaleron.gomod.unicode17 import FOLDS


@cache
def _table() -> dict[int, int]:
    pairs = (word.partition(":") for word in FOLDS.split())
    return {int(character, 16): int(folded, 16) for character, _, folded in pairs}


def fold(name: str) -> str:
    """Fold a name."""
    if name.isascii():
        folded = name.lower()
        return name if folded == name else folded  # most names are as they fold: one string serves for both
    return _ascii_lower(name.translate(_table()))


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _ascii_lower(name: str) -> str:
    return name.translate(_ASCII_LOWER)

"""Which characters are letters to Go (general category L*), as of the Unicode version that Go's tables have."""

import unicodedata


def is_letter(character: str) -> bool:
    """Tell whether a character is a letter of any script."""
    return unicodedata.category(character)[0] == "L"

"""Escaping: each upper-case letter is written as `!` and its lower case, so that paths survive file systems that fold case.

Source: the Go Modules Reference, "GOPROXY protocol", and golang.org/x/mod/module. What may be escaped is decided by the
types that call this; here are only the two mappings.
"""

import re

from phaleron.gomod.errors import InvalidEscapeError

_UPPER = re.compile(r"[A-Z]")
_ESCAPED = re.compile(r"!([a-z])")
_WELL_FORMED = re.compile(r"(?:[^A-Z!\x80-\U0010ffff]|![a-z])*").fullmatch


def escape(text: str) -> str:
    """Escape valid ASCII text that holds no `!`."""
    return _UPPER.sub(lambda m: "!" + m[0].lower(), text)


def unescape(escaped: str, what: str) -> str:
    """Undo `escape`. `what` (path, version) goes into the InvalidEscapeError for text that no escaping can have made."""
    if not _WELL_FORMED(escaped):
        raise InvalidEscapeError(what, escaped, "upper case, a stray '!' or a character outside ASCII")
    return _ESCAPED.sub(lambda m: m[1].upper(), escaped) if "!" in escaped else escaped

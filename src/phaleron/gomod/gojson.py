"""JSON objects as Go's encoding/json reads them into a struct.

What comes out is every member of an object in the order of the text, its key folded: Go takes `version` for `Version`, and of
two members with one name the later counts. What the members mean is decided by whoever asks (`info`). Nesting deeper than
Python's recursion limit is refused (Go's own limit is 10,000). Source: the Go packages encoding/json and unicode/utf8.
"""

import json
import re
from typing import NoReturn, TypeGuard

from phaleron.gomod.errors import RuleError
from phaleron.gomod.fold import fold
from phaleron.gomod.gotext import decode, replace_surrogates

_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {'"': r"\\u0022", "\\": r"\\u005c"}

Members = tuple[tuple[str, object], ...]
"""An object: its members, keys folded. Strings among the values are raw: their escapes stand as in the text."""


def is_object(value: object) -> TypeGuard[Members]:
    """Tell whether a value of `read_object` is an object itself."""
    return isinstance(value, tuple)


def read_object(data: bytes, what: str) -> Members:
    """Read the object that is all of `data`. Raises RuleError, which begins with `what`, for what is no JSON or no object."""
    text = decode(data)
    try:
        json.loads(text, parse_int=_number, parse_constant=_refuse)
        # Escaping the escapes once more keeps strings raw; only after the text is known to be good.
        raw = _ESCAPE.sub(lambda m: _ESCAPED.get(m[1]) or rf"\\{m[1]}", text)
        value = json.loads(raw, parse_int=_number, object_pairs_hook=_members)
    except (ValueError, RecursionError) as e:
        raise RuleError(f"{what} is not JSON: {e}") from e
    if not is_object(value):
        raise RuleError(f"{what} is no JSON object")
    return value


def unescape(raw: str) -> str:
    """Give what a raw string stands for."""
    text: str = json.loads(f'"{raw}"') if "\\" in raw else raw
    return replace_surrogates(text)


def _members(pairs: list[tuple[str, object]]) -> Members:
    return tuple((fold(unescape(key)), value) for key, value in pairs)


def _number(text: str) -> float:
    """Take a number of any length for what it is: none that is asked for."""
    return 0.0


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")

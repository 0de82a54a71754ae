"""Sizes and durations as people write them: `64MiB`, `1h30m`. Numbers stand for bytes and seconds."""

import math
import re

SIZE = 'a size such as 1048576 or "64MiB"'
DURATION = 'a duration such as 30, "30s" or "1h"'

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)").fullmatch
_SIZE_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+").fullmatch
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)").findall
_DURATION_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def read_size(value: object) -> int:
    """Read a size in bytes. Raises ValueError for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE(value.strip()) if isinstance(value, str) else None
    unit = _SIZE_UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(f"must be {SIZE}, not {value!r}")
    return round(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit


def read_duration(value: object) -> float:
    """Read a duration in seconds. Raises ValueError for what is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        text = value.strip() if isinstance(value, str) else ""
        if _DURATION(text):
            seconds = math.fsum(float(number) * _DURATION_UNITS[unit] for number, unit in _DURATION_PART(text))
        else:
            try:
                seconds = float(text)
            except ValueError:
                raise ValueError(f"must be {DURATION}, not {value!r}") from None
    if not math.isfinite(seconds):
        raise ValueError(f"must be {DURATION}, not {value!r}")
    return seconds


def show_size(size_bytes: int) -> str:
    """Write a size with the greatest unit that leaves a whole number."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % _SIZE_UNITS[unit.lower()] == 0:
            return f"{size_bytes // _SIZE_UNITS[unit.lower()]}{unit}"
    return str(size_bytes)


def show_duration(seconds: float) -> str:
    """Write a duration with the greatest unit that leaves a whole number."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _DURATION_UNITS[unit] == 0:
            return f"{seconds / _DURATION_UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"

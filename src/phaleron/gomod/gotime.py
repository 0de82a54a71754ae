"""Dates as Go's time package takes them: the proleptic Gregorian calendar with a year 0, no leap seconds.

Python's datetime begins with year 1 and ends with 9999: what lies beyond becomes the nearest that it can hold.
"""

from datetime import UTC, datetime

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


def make_time(
    year: int, month: int, day: int, hour: int, minute: int, second: int, microsecond: int = 0
) -> datetime | None:
    """Make a time in UTC; None where there is no such date or hour."""
    if year == 0:
        return None if make_time(4, month, day, hour, minute, second) is None else EARLIEST  # a leap year, as 0 is
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
    except ValueError:
        return None

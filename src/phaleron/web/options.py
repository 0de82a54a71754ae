"""What can be set about HTTP, with its defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How modules are served. Times are in seconds, sizes in bytes."""

    path_prefix: str = ""
    """What stands before every path: `""`, or `/base` without a trailing slash."""
    fast_lane: bool = True
    """Whether what was answered before is answered in the parser's callback."""
    lane_bytes: int = 64 << 20
    """Memory for small bodies in the lane."""
    lane_files: int = 4096
    """How many zips the lane keeps open."""
    catalog_page: int = 1000
    """How many versions `/catalog` gives at a time, and the most it can be asked for is ten times that."""

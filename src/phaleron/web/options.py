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
    lists_in_lane_s: float = 10.0
    """How long the lane repeats a list or another answer that changes, at most; it does not do so once they are not fresh."""
    fresh_s: float = 60.0
    """How long such answers are fresh; see the mirror."""
    head_s: float = 30.0
    """How long a client may take for the head of a request, from its first byte or from connecting."""
    head_bytes: int = 64 << 10
    """The most that a head may have, about: what is read at once may go over it."""
    idle_s: float = 60.0
    """A client that takes nothing of its answer for so long is given up."""
    catalog_page: int = 1000
    """How many versions `/catalog` gives at a time, and the most it can be asked for is ten times that."""

"""What can be set about the mirror, with its defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """Times are in seconds."""

    fresh_s: float = 60
    """A list, `@latest` or query answer younger than this is served without asking anybody."""
    stale_s: float = 3600
    """One that is staler by up to this is served at once too, and refreshed behind the answer."""
    refresh_wait_s: float = 5
    """How long a request waits for the refresh of one that is older still, before it gets the old one."""
    breaker_s: float = 5
    """After a failed refresh its origin is left alone for so long, and what is kept is served."""
    absent_s: float = 30
    """How long it is remembered that something is not there."""
    failed_s: float = 2
    """How long a failed fetch is remembered."""
    absent_entries: int = 100_000
    """How many absences, and how many failures, are remembered."""
    first_byte_s: float = 20
    """A zip that takes longer than this begins to be sent while it still arrives."""
    complete: bool = False
    """Whether the other files of a version are fetched behind the one that was asked for."""

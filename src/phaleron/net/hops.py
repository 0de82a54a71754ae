"""Proxies in a row, and how a ring of them is noticed.

Each instance has an id. A request to an upstream names, in one header, the ids of all instances that it has come through; an
instance that finds itself among them is part of a ring and says so at once, with a header that tells others not to ask
again. Plain text in and out: who sends the header is `net.client`, who reads it is `web`.

A fetch that several requests share is sent with the hops of the request that began it: the context variable is copied when
its task is made. A request from a ring is noticed at the door, before it can join a fetch. What is left is two instances that
name each other and are asked for the same thing by two clients at the same instant: each then waits for the other's fetch, and
the time-out for an answer's head ends it.
"""

import re
from contextvars import ContextVar
from uuid import uuid4

HOPS_HEADER = "Phaleron-Hops"
"""Names the instances that a request has come through, oldest first, separated by commas."""

LOOP_HEADER = "Phaleron-Loop"
"""On a 502 that says "loop", with the value `1`: asking again would only go round again."""

MOST_HOPS = 16
"""No sensible row of proxies is longer; a longer one is a ring of instances that change their ids."""

incoming_hops: ContextVar[str | None] = ContextVar("incoming_hops", default=None)
"""The header's value of the request that is being answered; None where it has none. `web` sets it."""

_is_id = re.compile(r"[0-9A-Za-z_-]{1,64}").fullmatch


class Hops:
    """One instance's place in a row of proxies.

    `identity` is this instance's id, 1 to 64 letters, digits, `-` or `_`, the same in all its workers and in no other instance; by
    default a random one. `most` is how many instances a request may have come through before it gets here. Raises
    ValueError for what is no such id.
    """

    def __init__(self, identity: str = "", *, most: int = MOST_HOPS) -> None:
        if identity and not _is_id(identity):
            raise ValueError(f"no id of an instance: {identity!r}")
        self.identity = identity or uuid4().hex[:16]
        self._most = most

    def outgoing(self, incoming: str | None) -> str:
        """Give the header's value for a request to an upstream, made on behalf of one that came with `incoming`."""
        return ",".join([*_ids(incoming), self.identity])

    def is_loop(self, incoming: str | None) -> bool:
        """Tell whether a request with `incoming` has been here before, or has come through too many instances."""
        ids = _ids(incoming)
        return self.identity in ids or len(ids) > self._most


def _ids(header: str | None) -> list[str]:
    """Read the ids in a header; anything may stand there, and what is no id is not handed on."""
    return [word for word in re.split(r"[,\s]+", header or "") if _is_id(word)]

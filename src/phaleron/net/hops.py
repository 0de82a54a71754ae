"""Proxies in a row, and how a ring of them is noticed.

Each running instance has an id of its own. A request to an upstream carries the ids of all instances that it has come through;
an instance that finds itself among them is part of a loop. The ids of the request that is being answered are in a context
variable, which `web` sets; a fetch runs in the context of the first request that wanted it.
"""

import re
from contextvars import ContextVar
from uuid import uuid4

HOPS_HEADER = "Phaleron-Hops"
LOOP_HEADER = "Phaleron-Loop"
"""On an answer that says "loop": asking again would go round again."""
MOST_HOPS = 16

incoming_hops: ContextVar[str] = ContextVar("incoming_hops", default="")

_WELL_FORMED = re.compile(r"[0-9a-f]{1,32}(,[0-9a-f]{1,32})*").fullmatch


class Hops:
    """One instance's place in the row."""

    def __init__(self, identity: str | None = None) -> None:
        self.identity = identity or uuid4().hex[:16]

    def is_loop(self, incoming: str) -> bool:
        """Tell whether a request that carries `incoming` has been here before, or has come through too many."""
        ids = incoming.replace(" ", "").split(",")
        return self.identity in ids or len(ids) > MOST_HOPS

    def outgoing(self) -> str:
        """Give the header's value for a request to an upstream."""
        incoming = incoming_hops.get().replace(" ", "")
        return f"{incoming},{self.identity}" if _WELL_FORMED(incoming) else self.identity

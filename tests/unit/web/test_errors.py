"""Every error of the closed set has a row."""

import pytest

from phaleron.errors import Busy, PhaleronError
from phaleron.web.errors import TABLE, error_reply
from phaleron.web.target import MalformedError, UndecodableError


@pytest.mark.parametrize("kind", [*PhaleronError.__subclasses__(), MalformedError, UndecodableError])
def test_every_error_is_answered(kind: type[Exception]) -> None:
    reply = error_reply(kind("what happened"), "abc")
    headers = dict(reply.headers())
    assert reply.status == TABLE[kind].status
    assert isinstance(reply.body, bytes)
    assert b"what happened" in reply.body
    assert (reply.status >= 500) == (b"abc" in reply.body)
    assert headers[b"cache-control"] == (b"no-store" if reply.status not in (404, 410) else TABLE[kind].cache_control)
    assert (b"retry-after" in headers) == (kind is Busy)
    assert reply.lane_s == 0


def test_only_absence_lets_a_go_command_move_on() -> None:
    moves_on = {kind.__name__ for kind, row in TABLE.items() if row.status in (404, 410)}
    assert moves_on == {"NotFound", "Gone", "MalformedError"}

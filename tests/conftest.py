"""What all tests share: which event loop they run on, and that the keyboard can end what they start."""

import asyncio
import signal
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests of the web server run on the loop that serves, others on the one that Python brings."""
    if item.path.name.startswith(("test_web_", "test_lane_parity")):
        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


# A shell's background job ignores the keyboard's signal, and so would every server that the tests start from one.
signal.signal(signal.SIGINT, signal.default_int_handler)

"""Rows of proxies and rings of them."""

import pytest

from phaleron.net.hops import MOST_HOPS, Hops


@pytest.mark.parametrize(
    ("incoming", "outgoing"),
    [
        (None, "me"),
        ("", "me"),
        ("a", "a,me"),
        ("a, b", "a,b,me"),
        ("a,,b ,", "a,b,me"),
        ("a\r\nX-Evil: 1", "a,1,me"),  # a header is never continued: what is no id stays behind
        ("ü,a/b," + "x" * 65, "me"),
    ],
)
def test_an_instance_adds_itself_to_the_row(incoming: str | None, outgoing: str) -> None:
    assert Hops("me").outgoing(incoming) == outgoing


@pytest.mark.parametrize(
    ("incoming", "loop"),
    [
        (None, False),
        ("", False),
        ("a,b", False),
        ("meme,am-me", False),
        ("me", True),
        ("a,me,b", True),
        ("a, me", True),
        (",".join(f"i{n}" for n in range(MOST_HOPS)), False),
        (",".join(f"i{n}" for n in range(MOST_HOPS + 1)), True),
    ],
)
def test_an_instance_knows_itself_and_a_row_without_end(incoming: str | None, loop: bool) -> None:
    assert Hops("me").is_loop(incoming) is loop


def test_what_one_sends_the_same_one_knows() -> None:
    here, there = Hops(), Hops()
    assert here.is_loop(there.outgoing(here.outgoing(None)))
    assert not Hops().is_loop(there.outgoing(here.outgoing(None)))


@pytest.mark.parametrize("identity", ["a,b", "a b", "x" * 65, "ü"])
def test_an_id_is_a_word(identity: str) -> None:
    with pytest.raises(ValueError, match="no id of an instance"):
        Hops(identity)

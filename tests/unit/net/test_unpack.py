"""Unpacking as it comes, in whatever pieces it comes."""

import gzip
import random

import pytest

from phaleron.net.unpack import Unpacker

BODY = random.Random(1).randbytes(5000) + bytes(100_000)


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("most", [10, 4096, 1 << 20])
def test_pieces_are_bounded_and_nothing_is_lost(step: int, most: int) -> None:
    packed = gzip.compress(BODY) + gzip.compress(b"and more")
    unpacker = Unpacker("gzip", most)
    pieces = [piece for at in range(0, len(packed), step) for piece in unpacker.feed(packed[at : at + step])]
    unpacker.finish()
    assert b"".join(pieces) == BODY + b"and more"
    assert max(map(len, pieces)) <= most


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_what_is_not_packed_passes(encoding: str) -> None:
    unpacker = Unpacker(encoding, 10)
    assert list(unpacker.feed(BODY)) == [BODY]
    unpacker.finish()


def test_nothing_packed_is_nothing() -> None:
    Unpacker("gzip", 10).finish()


@pytest.mark.parametrize("cut", [1, 5, 9, 50])
def test_a_cut_stream_is_noticed_at_its_end(cut: int) -> None:
    unpacker = Unpacker("x-gzip", 4096)
    list(unpacker.feed(gzip.compress(BODY)[:-cut]))
    with pytest.raises(ValueError, match="cut"):
        unpacker.finish()


@pytest.mark.parametrize(
    "damaged", [b"no gzip at all", gzip.compress(BODY) + b"trailing text", gzip.compress(b"x")[:-8] + bytes(8)]
)
def test_damage_is_noticed(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="unpacked"):
        list(Unpacker("gzip", 1 << 20).feed(damaged))


def test_what_was_not_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="'deflate'"):
        Unpacker("deflate", 10)

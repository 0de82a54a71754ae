"""Bodies that travel compressed: gzip, unpacked as it comes, never more of it at a time than one piece.

Bytes in, bytes out; who counts them against a limit is the caller. The checksum and length at the end of the stream are
checked, so that a cut body is noticed even where its length was not announced.
"""

import zlib
from collections.abc import Iterator

ACCEPTED = "gzip"
"""What may be asked for in Accept-Encoding."""

_NAMES = ("gzip", "x-gzip")
_GZIP_WBITS = 31


class Unpacker:
    """Unpacks one body. `encoding` is its Content-Encoding, in lower case; ValueError for one that was not asked for."""

    def __init__(self, encoding: str, piece_bytes: int) -> None:
        if encoding not in ("", "identity", *_NAMES):
            raise ValueError(f"it is compressed as {encoding!r}, which was not asked for")
        self._piece_bytes = piece_bytes
        self._stream = zlib.decompressobj(_GZIP_WBITS) if encoding in _NAMES else None
        self._begun = False

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Give what a piece of the body unpacks to. ValueError for what is no gzip."""
        if self._stream is None:
            yield packed
            return
        self._begun = self._begun or bool(packed)
        out = b""
        try:
            while packed or len(out) == self._piece_bytes:
                if self._stream.eof:  # a stream may be followed by another: they are read as one
                    self._stream = zlib.decompressobj(_GZIP_WBITS)
                out = self._stream.decompress(packed, self._piece_bytes)
                packed = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
                if out:
                    yield out
        except zlib.error as e:
            raise ValueError(f"it cannot be unpacked: {e}") from e

    def finish(self) -> None:
        """Say that the body is at its end. ValueError where it ends within the compressed stream."""
        if self._stream is not None and self._begun and not self._stream.eof:
            raise ValueError("its compressed stream is cut")

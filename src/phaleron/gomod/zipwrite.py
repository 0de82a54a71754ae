"""Writing zip archives, front to back: members of any size in constant memory, and the directory behind them.

Takes names and pieces of content, gives bytes to a file that need not seek: sizes and checksums stand behind each member's
content, as Go's own writer puts them. Nothing in the archive depends on time, machine or order of calls but the members'
own. Source: APPNOTE.TXT 6.3.10. Which files belong into a module's zip is decided in `zipmake`.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from phaleron.gomod.errors import RuleError

_LOCAL = struct.Struct("<4s5H3L2H")
_DESCRIPTOR = struct.Struct("<4s3L")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_NEEDS_DEFLATE, _NEEDS_ZIP64 = 20, 45
_SIZES_FOLLOW, _UTF8 = 1 << 3, 1 << 11
_DEFLATED = 8
_FIRST_DATE = 1 << 5 | 1
"""1 January 1980: the first that the format can tell."""
_MOST_NAME_BYTES = 0xFFFF
_MANY = 0xFFFF
"""From this number of entries on the wide end record is needed."""


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Deflater(Protocol):
    """What deflates: the modules `zlib` and `isal.isal_zlib` both do."""

    def compressobj(self, level: int = ..., method: int = ..., wbits: int = ...) -> _Compressor:
        """Make a compressor."""

    def crc32(self, data: bytes, value: int = ..., /) -> int:
        """Sum bytes up."""


class MemberWriter:
    """Takes the content of one member."""

    def __init__(self, writer: "ZipWriter", compressor: _Compressor) -> None:
        self._writer = writer
        self._compressor = compressor
        self.crc = 0
        self.packed_bytes = 0
        self.unpacked_bytes = 0

    def write(self, data: bytes) -> None:
        """Append content. Raises RuleError where the archive grows too large."""
        self.crc = self._writer.codec.crc32(data, self.crc)
        self.unpacked_bytes += len(data)
        self._put(self._compressor.compress(data))

    def finish(self) -> None:
        """Put down what the compressor still holds."""
        self._put(self._compressor.flush())

    def _put(self, packed: bytes) -> None:
        self.packed_bytes += len(packed)
        self._writer.put(packed)


class ZipWriter:
    """Writes an archive of at most `most_bytes` (below 4 GiB) to `out`, from where it stands."""

    def __init__(self, out: BinaryIO, *, codec: Deflater = zlib, level: int, most_bytes: int) -> None:
        self._out = out
        self.codec = codec
        self._level = level
        self._most_bytes = min(most_bytes, 0xFFFFFFFE)
        self._offset = 0
        self._central: list[bytes] = []

    def put(self, data: bytes) -> None:
        """Append bytes as they are. Raises RuleError where the archive grows too large."""
        if not data:
            return
        self._offset += len(data)
        if self._offset > self._most_bytes:
            raise RuleError(f"zip grows beyond its limit of {self._most_bytes} bytes")
        self._out.write(data)

    @contextmanager
    def member(self, name: str) -> Iterator[MemberWriter]:
        """Begin a member; it is complete when the block ends. Raises RuleError for a name that the format cannot hold."""
        raw = name.encode()
        if len(raw) > _MOST_NAME_BYTES:
            raise RuleError(f"file name of {len(raw)} bytes, which is more than a zip can hold ({_MOST_NAME_BYTES})")
        flags = _SIZES_FOLLOW | (0 if name.isascii() else _UTF8)
        common = (_NEEDS_DEFLATE, flags, _DEFLATED, 0, _FIRST_DATE)
        start = self._offset
        self.put(_LOCAL.pack(b"PK\3\4", *common, 0, 0, 0, len(raw), 0) + raw)
        member = MemberWriter(self, self.codec.compressobj(self._level, _DEFLATED, -zlib.MAX_WBITS))
        yield member
        member.finish()
        sums = (member.crc, member.packed_bytes, member.unpacked_bytes)
        self.put(_DESCRIPTOR.pack(b"PK\7\x08", *sums))
        self._central.append(
            _CENTRAL.pack(b"PK\1\2", _NEEDS_DEFLATE, *common, *sums, len(raw), 0, 0, 0, 0, 0, start) + raw
        )

    def finish(self) -> None:
        """Write the directory; nothing can follow. Raises RuleError where the archive grows too large."""
        start, entries = self._offset, len(self._central)
        for record in self._central:
            self.put(record)
        end = self._offset
        few = entries
        if entries >= _MANY:
            few = _MANY
            rest_bytes = _END64.size - 12  # the field counts neither itself nor the mark before it
            versions = (_NEEDS_ZIP64, _NEEDS_ZIP64)
            self.put(_END64.pack(b"PK\6\6", rest_bytes, *versions, 0, 0, entries, entries, end - start, start))
            self.put(_END64_LOCATOR.pack(b"PK\6\7", 0, end, 1))
        self.put(_END.pack(b"PK\5\6", 0, 0, few, few, end - start, start, 0))

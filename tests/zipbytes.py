"""Zip archives byte by byte, for tests: also those that no writer would make, since each header says what it is told to."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True)
class Entry:
    """A member. What is None is what is true of the content; `local` is what the local header says instead."""

    name: bytes
    content: bytes = b""
    method: int = 0
    flags: int = 0
    crc: int | None = None
    packed: int | None = None
    unpacked: int | None = None
    local: dict[str, int | bytes] = field(default_factory=dict)
    data: bytes | None = None
    hole: int = 0
    """Bytes that are skipped in the file behind the data, and count as packed."""
    descriptor: bytes | None = None
    """What follows the content of an entry with flag 8."""
    after: bytes = b""


def write_zip(out: BinaryIO, entries: Iterable[Entry], *, before: bytes = b"", comment: bytes = b"") -> None:
    """Write an archive; `before` stands before the first entry, and offsets are right."""
    out.write(before)
    central = b""
    count = 0
    for e in entries:
        data = e.data if e.data is not None else deflate(e.content) if e.method == 8 else e.content
        true = {
            "name": e.name,
            "method": e.method,
            "flags": e.flags,
            "crc": zlib.crc32(e.content) if e.crc is None else e.crc,
            "packed": len(data) + e.hole if e.packed is None else e.packed,
            "unpacked": len(e.content) if e.unpacked is None else e.unpacked,
        }
        start = out.tell()
        told = {**true, **({"crc": 0, "packed": 0, "unpacked": 0} if e.flags & 8 else {}), **e.local}
        sums = (told["crc"], told["packed"], told["unpacked"])
        head = struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, told["flags"], told["method"], 0, 33, *sums, len(bytes(told["name"])), 0
        )
        out.write(head + bytes(told["name"]) + data)
        if e.hole:
            out.seek(e.hole, 1)
        sums = (true["crc"], true["packed"], true["unpacked"])
        descriptor = struct.pack("<4s3L", b"PK\7\x08", *sums) if e.descriptor is None else e.descriptor
        out.write((descriptor if e.flags & 8 else b"") + e.after)
        central += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, e.flags, e.method, 0, 33, *sums, len(e.name), 0, 0, 0, 0, 0, start
        )
        central += e.name
        count += 1
    start = out.tell()
    out.write(
        central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(central), start, len(comment)) + comment
    )


def deflate(content: bytes) -> bytes:
    """Deflate without a header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()

"""Reading zip archives, strictly: the directory, and each member's content, by positional reads of an open file.

What a lenient reader forgives is refused here, since two readers that forgive differently see two contents: data before or between
what the directory names, members that overlap, headers that disagree, encryption, methods other than stored and deflated, sizes
and checksums that lie. Nothing is inflated beyond its declared size. Source: APPNOTE.TXT 6.3.10. What a module zip may
contain is not decided here (`modzip`).
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple, Protocol

from phaleron.gomod.errors import RuleError

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_DESCRIPTORS = (struct.Struct("<3L"), struct.Struct("<L2Q"))
_DESCRIPTOR_MARKS = (b"PK\7\x08", b"")
_TAIL_BYTES = 25
"""One more than the longest descriptor."""
_MOST_COMMENT_BYTES = 0xFFFF
_ZIP64_MARK = 0xFFFFFFFF
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_SIZES_FOLLOW = 1 << 3
_STORED, _DEFLATED = 0, 8

_WHOLE_BYTES = 8 << 20
"""A member up to this size, packed and unpacked, is read and inflated whole."""
_IN_BYTES = 64 << 10
_OUT_BYTES = 1 << 20
"""Bigger ones go in slices: what an inflater does not take at once it copies, so slices are small on the way in."""


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int = ..., /) -> bytes: ...


class Codec(Protocol):
    """What inflates: the modules `zlib` and `isal.isal_zlib` both do, the second in half the time."""

    def decompressobj(self, wbits: int = ...) -> _Inflater:
        """Make an inflater."""

    def crc32(self, data: bytes | memoryview, value: int = ..., /) -> int:
        """Sum bytes up."""


class Member(NamedTuple):
    """An entry of the directory."""

    name: str
    method: int
    flags: int
    crc: int
    packed_bytes: int
    unpacked_bytes: int
    offset: int
    """Of its local header."""
    span_bytes: int
    """From there to whatever comes next."""


def _fault(text: str) -> RuleError:
    return RuleError(f"not a zip file that can be trusted: {text}")


def _read(fd: int, length: int, offset: int) -> bytes:
    data = os.pread(fd, length, offset)
    while len(data) < length:
        more = os.pread(fd, length - len(data), offset + len(data))
        if not more:
            raise _fault("it is cut short")
        data += more
    return data


class _Directory(NamedTuple):
    entries: int
    size: int
    offset: int


def _find_directory(fd: int, size: int) -> _Directory:
    tail_bytes = min(size, _END.size + _MOST_COMMENT_BYTES)
    tail = _read(fd, tail_bytes, size - tail_bytes)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise _fault("it has no end of central directory")
    _, disk, first_disk, here, entries, length, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise _fault("something follows its end")
    end = size - tail_bytes + at
    if 0xFFFF in (here, entries) or _ZIP64_MARK in (length, offset):
        return _find_directory64(fd, end)
    if disk or first_disk or here != entries:
        raise _fault("it is one of several volumes")
    if offset + length != end:
        raise _fault("its central directory is not where it says")
    return _Directory(entries, length, offset)


def _find_directory64(fd: int, end: int) -> _Directory:
    """Archives of 65,535 entries and more need the wide form of the end record."""
    at = end - _END64_LOCATOR.size
    if at < _END64.size:
        raise _fault("it has no end of central directory in the wide form")
    mark, disk, offset, disks = _END64_LOCATOR.unpack(_read(fd, _END64_LOCATOR.size, at))
    if mark != b"PK\6\7" or disk or disks != 1 or offset + _END64.size != at:
        raise _fault("its wide end record is not where it says")
    mark, _, _, _, disk, first_disk, here, entries, length, start = _END64.unpack(_read(fd, _END64.size, offset))
    if mark != b"PK\6\6" or disk or first_disk or here != entries or start + length != offset:
        raise _fault("its wide end record is malformed")
    return _Directory(entries, length, start)


def read_directory(fd: int, *, most_entries: int) -> list[Member]:
    """Read the directory of the zip file open as `fd`, in its own order. Raises RuleError."""
    directory = _find_directory(fd, os.fstat(fd).st_size)
    if directory.entries > most_entries:
        raise RuleError(f"zip has {directory.entries} entries, which is more than {most_entries}")
    if directory.size < directory.entries * _CENTRAL.size:
        raise _fault("its central directory is too short for its entries")
    data = _read(fd, directory.size, directory.offset)
    members = list(_parse_directory(data, directory.entries))
    order = sorted(range(len(members)), key=lambda n: members[n].offset)
    if (members[order[0]].offset if order else directory.offset) != 0:
        raise _fault("something stands before its first entry")
    for n, following in zip_longest(order, order[1:]):
        member = members[n]
        end = directory.offset if following is None else members[following].offset
        if end <= member.offset:
            raise _fault("two entries share their place")
        members[n] = member._replace(span_bytes=end - member.offset)
    return members


def _parse_directory(data: bytes, entries: int) -> Iterator[Member]:
    at = 0
    for _ in range(entries):
        if len(data) - at < _CENTRAL.size:
            raise _fault("its central directory is cut short")
        fields = _CENTRAL.unpack_from(data, at)
        mark, _, _, flags, method, _, _, crc, packed, unpacked, name_bytes, extra, comment, disk, _, _, offset = fields
        if mark != b"PK\1\2" or disk not in (0, 0xFFFF):
            raise _fault("its central directory is malformed")
        at += _CENTRAL.size
        raw = data[at : at + name_bytes]
        at += name_bytes + extra + comment
        if at > len(data):
            raise _fault("its central directory is cut short")
        try:
            name = raw.decode()
        except UnicodeDecodeError as e:
            raise RuleError(f"zip entry {raw!r}: its name is not UTF-8") from e
        if flags & _ENCRYPTED:
            raise RuleError(f"zip entry {name!r} is encrypted")
        if method not in (_STORED, _DEFLATED):
            raise RuleError(f"zip entry {name!r} is neither stored nor deflated (method {method})")
        if _ZIP64_MARK in (packed, unpacked, offset):
            raise RuleError(f"zip entry {name!r} says that it is bigger than 4 GiB")
        yield Member(name, method, flags, crc, packed, unpacked, offset, 0)
    if at != len(data):
        raise _fault("its central directory holds more than its entries")


def _content_start(member: Member, head: memoryview) -> int:
    """Hold the local header against the directory; give the offset of the content behind it."""
    if len(head) < _LOCAL.size:
        raise RuleError(f"zip entry {member.name!r} is cut short")
    mark, _, flags, method, _, _, crc, packed, unpacked, name_bytes, extra = _LOCAL.unpack_from(head)
    name_end = _LOCAL.size + int(name_bytes)
    start = name_end + int(extra)
    if mark != b"PK\3\4" or head[_LOCAL.size : name_end] != member.name.encode():
        raise RuleError(f"zip entry {member.name!r}: the header before its content names something else")
    sizes = (crc, packed, unpacked)
    agree = sizes == (member.crc, member.packed_bytes, member.unpacked_bytes)
    if method != member.method or flags != member.flags or not (agree or (flags & _SIZES_FOLLOW and not any(sizes))):
        raise RuleError(f"zip entry {member.name!r}: the header before its content disagrees with the directory")
    if start + member.packed_bytes > member.span_bytes:
        raise RuleError(f"zip entry {member.name!r} runs into what follows it")
    return start


def _check_tail(member: Member, tail: memoryview) -> None:
    """Between a member's content and what comes next its sizes may stand, once more, and nothing else."""
    if not member.flags & _SIZES_FOLLOW:
        sound = not tail
    else:
        sums = (member.crc, member.packed_bytes, member.unpacked_bytes)
        sound = any(tail == mark + form.pack(*sums) for form in _DESCRIPTORS for mark in _DESCRIPTOR_MARKS)
    if not sound:
        raise RuleError(f"zip entry {member.name!r}: something that disagrees with the directory follows its content")


_LONGEST_HEAD_BYTES = _LOCAL.size + 0xFFFF + 0xFFFF


def read_member(fd: int, member: Member, codec: Codec) -> Iterator[bytes]:
    """Give a member's content in pieces of at most 8 MiB. Raises RuleError, at the latest behind the last piece."""
    if member.packed_bytes <= _WHOLE_BYTES and member.unpacked_bytes <= _WHOLE_BYTES:
        most = _LONGEST_HEAD_BYTES + member.packed_bytes + _TAIL_BYTES
        data = memoryview(_read(fd, min(member.span_bytes, most), member.offset))
        start = _content_start(member, data)
        end = start + member.packed_bytes
        tail = data[end : end + _TAIL_BYTES]
        pieces = _inflate_whole(member, data[start:end], codec)
    else:
        head = memoryview(_read(fd, min(member.span_bytes, _LONGEST_HEAD_BYTES), member.offset))
        start = _content_start(member, head)
        end = start + member.packed_bytes
        tail_bytes = min(member.span_bytes - end, _TAIL_BYTES)
        tail = memoryview(_read(fd, tail_bytes, member.offset + end))
        pieces = _inflate_slices(fd, member, member.offset + start, codec)
    _check_tail(member, tail)
    crc = length = 0
    for piece in pieces:
        length += len(piece)
        crc = codec.crc32(piece, crc)
        if length > member.unpacked_bytes:
            break
        yield piece
    if length != member.unpacked_bytes:
        raise RuleError(f"zip entry {member.name!r} is not of its declared size, {member.unpacked_bytes} bytes")
    if crc != member.crc:
        raise RuleError(f"zip entry {member.name!r} does not have its declared CRC")


def _inflate_whole(member: Member, packed: memoryview, codec: Codec) -> Iterator[bytes]:
    if member.method == _STORED:
        yield bytes(packed)
        return
    inflater = codec.decompressobj(-15)
    yield _inflated(member, inflater, packed, member.unpacked_bytes + 1)
    _finished(member, inflater)


def _inflate_slices(fd: int, member: Member, offset: int, codec: Codec) -> Iterator[bytes]:
    slices = range(offset, offset + member.packed_bytes, _IN_BYTES)
    end = offset + member.packed_bytes
    if member.method == _STORED:
        for at in slices:
            yield _read(fd, min(_IN_BYTES, end - at), at)
        return
    inflater = codec.decompressobj(-15)
    for at in slices:
        if inflater.eof:
            raise _packed_size_fault(
                member
            )  # read on, it would gather in unused_data, at a price that grows with its square
        piece = _inflated(member, inflater, _read(fd, min(_IN_BYTES, end - at), at), _OUT_BYTES)
        while piece:
            yield piece
            rest = inflater.unconsumed_tail
            piece = _inflated(member, inflater, rest, _OUT_BYTES) if rest or not inflater.eof else b""
    _finished(member, inflater)


def _inflated(member: Member, inflater: _Inflater, packed: bytes | memoryview, most: int) -> bytes:
    try:
        return inflater.decompress(packed, most)
    except Exception as e:  # zlib.error and isal's own are unrelated classes
        raise RuleError(f"zip entry {member.name!r} cannot be inflated: {e}") from e


def _finished(member: Member, inflater: _Inflater) -> None:
    if not inflater.eof or inflater.unused_data:
        raise _packed_size_fault(member)


def _packed_size_fault(member: Member) -> RuleError:
    return RuleError(f"zip entry {member.name!r} is not of its declared packed size, or lies about its size")


def sha256_of(pieces: Iterator[bytes]) -> str:
    """Hash a member's content; hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()

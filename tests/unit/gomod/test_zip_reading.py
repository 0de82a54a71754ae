"""What is refused as an archive: a row for each way in which one can lie. x/mod forgives most of these, and readers differ."""

import struct
import tempfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from isal import isal_zlib

from phaleron.gomod.dirhash import hash_zip
from phaleron.gomod.errors import RuleError
from phaleron.gomod.modzip import ZipFacts, verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from tests.zipbytes import Entry, deflate, write_zip

PATH, VERSION = ModulePath("example.com/m"), Version("v1.0.0")
NAME = b"example.com/m@v1.0.0/"
TEXT = b"package m\n" * 10
CODECS = pytest.mark.parametrize("codec", [zlib, isal_zlib], ids=["zlib", "isal"])


def verify(
    *entries: Entry, codec: Any = zlib, patch: Callable[[bytes], bytes] = bytes, most: int = 100, **build: bytes
) -> ZipFacts:
    with tempfile.TemporaryFile() as file:
        write_zip(file, entries, **build)
        file.seek(0)
        data = patch(file.read())
        file.seek(0)
        file.truncate()
        file.write(data)
        file.flush()
        return verify_zip(file.fileno(), PATH, VERSION, codec=codec, most_entries=most)


def a(**told: Any) -> Entry:
    return Entry(NAME + b"a.go", **{"content": TEXT, **told})


B = Entry(NAME + b"b.go", b"b")


@CODECS
@pytest.mark.parametrize("size", [0, 1, 1000, 65536, 65537, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 12 << 20])
@pytest.mark.parametrize("flags", [0, 8])
@pytest.mark.parametrize("method", [0, 8])
def test_content_of_any_size_is_read(codec: Any, size: int, flags: int, method: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    facts = verify(a(content=content[:size], flags=flags, method=method), B, codec=codec)
    assert facts == ZipFacts(facts.h1, None, 2, size + 1)
    assert facts.h1 == verify(a(content=content[:size]), B).h1


@CODECS
@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (a(crc=1), "declared CRC"),
        (a(method=8, crc=1), "declared CRC"),
        (a(unpacked=len(TEXT) - 1), "declared size"),
        (a(method=8, unpacked=len(TEXT) - 1), "size"),
        (a(method=8, unpacked=len(TEXT) + 1), "declared size"),
        (a(method=8, unpacked=0), "size"),
        (a(method=8, content=bytes(20 << 20), unpacked=1 << 20), "size"),
        (a(method=8, content=bytes(20 << 20), unpacked=19 << 20), "declared size"),
        (a(method=8, data=deflate(TEXT)[:-3]), "size"),
        (a(method=8, data=deflate(TEXT) + b"more"), "packed size"),
        (a(method=8, data=deflate(TEXT) + bytes(9 << 20)), "packed size"),
        (a(method=8, data=b"\xff\xff\xff"), "cannot be inflated"),
        (a(method=12), "neither stored nor deflated"),
        (a(flags=1), "encrypted"),
        (a(flags=1 << 6), "encrypted"),
        (a(flags=1 << 13), "encrypted"),
        (a(unpacked=0xFFFFFFFF), "bigger than 4 GiB"),
        (a(local={"name": NAME + b"b.go"}), "names something else"),
        (a(local={"name": NAME + b"a.goo"}), "names something else"),
        (a(local={"method": 8}), "disagrees with the directory"),
        (a(local={"flags": 8}), "disagrees with the directory"),
        (a(local={"crc": 7}), "disagrees with the directory"),
        (a(local={"unpacked": 7}), "disagrees with the directory"),
        (a(flags=8, local={"unpacked": 7}), "disagrees with the directory"),
        (a(packed=len(TEXT) + 1), "disagrees with the directory|runs into"),
        (a(packed=9999, local={"packed": 9999}), "runs into"),
        (a(after=b"hidden"), "follows its content"),
        (a(flags=8, after=b"hidden"), "follows its content"),
        (a(method=8, content=bytes(9 << 20), flags=8, after=b"hidden"), "follows its content"),
        (Entry(NAME + b"\xff.go", b""), "not UTF-8"),
    ],
)
def test_an_entry_that_lies_is_refused(codec: Any, entry: Entry, text: str) -> None:
    with pytest.raises(RuleError, match=text):
        verify(entry, B, codec=codec)


@pytest.mark.parametrize("form", ["<4s3L", "<3L", "<4sL2Q", "<L2Q"])
def test_sizes_may_follow_the_content_in_four_forms(form: str) -> None:
    mark = (b"PK\7\x08",) if "4s" in form else ()
    sums = (zlib.crc32(TEXT), len(TEXT), len(TEXT))
    assert verify(a(flags=8, descriptor=struct.pack(form, *mark, *sums)), B) == verify(a(), B)
    for lie in ((sums[0] + 1, *sums[1:]), (*sums[:2], sums[2] + 1)):
        with pytest.raises(RuleError, match="follows its content"):
            verify(a(flags=8, descriptor=struct.pack(form, *mark, *lie)), B)
    with pytest.raises(RuleError, match="follows its content"):
        verify(a(flags=8, descriptor=b""), B)


def end_record(position: int, value: int) -> Callable[[bytes], bytes]:
    """Overwrite 16 bits of the end record."""
    return lambda data: data[: position - 22 or None] + struct.pack("<H", value) + data[len(data) - 22 + position + 2 :]


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        (lambda data: b"", "no end of central directory"),
        (lambda data: data[:-1], "no end of central directory|cut short"),
        (lambda data: data + b"x", "something follows its end"),
        (lambda data: b"x" + data, "not where it says"),
        (lambda data: data[:10] + data[11:], "not where it says"),
        (end_record(4, 1), "several volumes"),
        (end_record(8, 1), "several volumes"),
        (end_record(10, 3), "several volumes"),
        (end_record(12, 0), "not where it says"),
        (end_record(10, 0xFFFF), "wide form|wide end record"),
        (lambda data: data.replace(b"PK\1\2", b"PK\1\3", 1), "central directory is malformed"),
        (lambda data: data.replace(b"PK\3\4", b"PK\3\5", 1), "names something else"),
    ],
)
def test_an_archive_that_lies_is_refused(patch: Callable[[bytes], bytes], text: str) -> None:
    with pytest.raises(RuleError, match=text):
        verify(a(), B, patch=patch)


def test_nothing_may_stand_before_the_first_entry() -> None:
    for entries in ([a(), B], []):
        with pytest.raises(RuleError, match="before its first entry"):
            verify(*entries, before=b"#!/bin/sh\n")


def test_two_entries_cannot_share_their_content() -> None:
    def share(data: bytes) -> bytes:
        second = data.rindex(b"PK\1\2")
        return data[: second + 42] + bytes(4) + data[second + 46 :]

    with pytest.raises(RuleError, match="share their place"):
        verify(a(), B, patch=share)


def test_a_comment_is_no_fault() -> None:
    assert verify(a(), comment=b"made by hand") == verify(a())


def test_an_empty_archive_is_no_fault() -> None:
    assert verify() == ZipFacts("h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", None, 0, 0)


def test_entries_are_counted_before_they_are_read() -> None:
    assert verify(a(), B, most=2).entries == 2
    with pytest.raises(RuleError, match="2 entries, which is more than 1"):
        verify(a(), B, most=1)


def test_hash_zip_takes_any_name_but_none_twice() -> None:
    with tempfile.TemporaryFile() as file:
        write_zip(file, [Entry(b"a", b"1"), Entry(b"a", b"2")])
        file.flush()
        with pytest.raises(RuleError, match="twice"):
            hash_zip(file.fileno())

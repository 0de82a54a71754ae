"""Which files go into a module zip, and that equal files give equal bytes. Most cases are in tests/contract, against x/mod."""

import io
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from isal import isal_zlib

from phaleron.gomod.errors import InvalidVersionError, RuleError
from phaleron.gomod.modzip import ZipFacts, verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from phaleron.gomod.zipdir import check_dir, create_zip_from_dir
from phaleron.gomod.zipmake import (
    FileFault,
    FileType,
    SourceFile,
    check_files,
    create_zip,
    has_strict_vendoring,
    is_vendored,
)
from phaleron.gomod.zipwrite import ZipWriter

PATH, VERSION = ModulePath("example.com/m"), Version("v1.0.0")
CODECS = pytest.mark.parametrize(("codec", "level"), [(zlib, 6), (isal_zlib, 2)], ids=["zlib", "isal"])


def source(
    name: str, content: bytes = b"x", kind: FileType = FileType.REGULAR, *, size: int | None = None
) -> SourceFile:
    return SourceFile(name, len(content) if size is None else size, lambda: io.BytesIO(content), kind)


def mod(go: str) -> SourceFile:
    return source("go.mod", f"module example.com/m\n\n{go}\n".encode())


def make(files: list[SourceFile], **how: Any) -> bytes:
    out = io.BytesIO()
    create_zip(out, PATH, VERSION, files, **how)
    return out.getvalue()


def facts(data: bytes) -> ZipFacts:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return verify_zip(file.fileno(), PATH, VERSION)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("vendor/p/a.go", True, True),
        ("vendor/a.go", False, False),
        ("vendor/modules.txt", False, True),
        ("pkg/vendor/p/a.go", True, True),
        ("pkg/vendor/vendor.go", True, False),
        ("a/b/c/vendor/x", True, False),
        ("vendors/p/a.go", False, False),
        ("a/vendor", False, False),
    ],
)
def test_vendored_by_the_rule_before_go_1_24_and_since(name: str, old: bool, new: bool) -> None:
    assert (is_vendored(name, strict=False), is_vendored(name, strict=True)) == (old, new)


@pytest.mark.parametrize(
    ("go", "strict"),
    [
        ("", False),
        ("go 1.23.9", False),
        ("go 1.24", True),
        ("go 1.24rc1", True),
        ("go 1.24.1rc1", False),
        ("go 1.100", True),
        ("go 2.0", True),
    ],
)
def test_the_go_line_chooses_the_vendor_rule(go: str, strict: bool) -> None:
    assert has_strict_vendoring(mod(go).open().read()) is strict
    omitted = [name for name, _ in check_files([source("vendor/modules.txt"), mod(go)]).omitted]
    assert omitted == (["vendor/modules.txt"] if strict else [])


def test_each_file_goes_where_it_belongs() -> None:
    checked = check_files(
        [
            mod("go 1.24"),
            source("a.go"),
            source("vendor/p/a.go"),
            source("sub/Go.Mod"),
            source("sub/x/y.go"),
            source("linked/go.mod", kind=FileType.SYMLINK),
            source("linked/z.go"),
            source(".hg_archival.txt"),
            source("pipe", kind=FileType.OTHER),
            source("A.go"),
            source("./b.go"),
            source("/c.go"),
            source("d:e"),
            source("bad\udcff"),
            source("GO.MOD"),
        ]
    )
    assert [f.name for f in checked.valid] == ["go.mod", "a.go", "linked/z.go"]
    assert checked.omitted == [
        FileFault("vendor/p/a.go", "file is in vendor directory"),
        FileFault("sub/Go.Mod", "file is in another module"),
        FileFault("sub/x/y.go", "file is in another module"),
        FileFault("linked/go.mod", "file is a symbolic link"),
        FileFault(".hg_archival.txt", "file is inserted by hg archive"),
        FileFault("pipe", "not a regular file"),
    ]
    assert [name for name, _ in checked.invalid] == ["A.go", "./b.go", "/c.go", "d:e", "bad\udcff", "GO.MOD"]
    assert checked.fault() == "file 'A.go': case-insensitive file name collision: 'a.go' and 'A.go'"


@CODECS
def test_equal_files_give_equal_bytes_that_others_can_read(codec: Any, level: int) -> None:
    content = {
        "go.mod": b"module example.com/m\n",
        "é/ﬀ.go": bytes(range(256)) * 9000,
        "empty": b"",
        "vendor/p/a": b"left out",
    }
    files = [source(name, data) for name, data in content.items()]
    data = make(files, codec=codec, level=level)
    assert data == make(files, codec=codec, level=level)
    assert facts(data).h1 == facts(make(files)).h1
    del content["vendor/p/a"]
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        assert {i.filename: z.read(i) for i in z.infolist()} == {f"{PATH}@{VERSION}/{n}": c for n, c in content.items()}


class Unseekable(io.RawIOBase):
    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: Any, /) -> int:
        self.data += data
        return len(data)


def test_a_zip_is_written_front_to_back() -> None:
    out: Any = Unseekable()
    create_zip(out, PATH, VERSION, [source("a"), source("b")])
    assert bytes(out.data) == make([source("a"), source("b")])


def test_an_archive_of_many_entries_has_the_wide_end_record() -> None:
    many = 0xFFFF
    files = [source(f"f{n}", b"") for n in range(many)]
    data = make(files, codec=isal_zlib, level=0)
    assert facts(data).entries == many
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        assert len(z.infolist()) == many
    with pytest.raises(RuleError, match="malformed"):
        facts(data.replace(b"PK\6\6\x2c", b"PK\6\7\x2c"))


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([source("a", b"xy", size=1)], "'a' is not of its declared size, 1 bytes"),
        ([source("a", b"xy", size=3)], "'a' is not of its declared size, 3 bytes"),
        ([source("a"), source("a")], "file 'a': multiple entries"),
        ([source("go.mod", size=(16 << 20) + 1)], "go.mod file too large"),
        ([source("LICENSE", size=(16 << 20) + 1)], "LICENSE file too large"),
        ([source("a", size=500 << 20), source("b")], "module is too large"),
        ([source("/".join(["d" * 255] * 300))], "more than a zip can hold"),
    ],
)
def test_what_spoils_a_zip(files: list[SourceFile], text: str) -> None:
    with pytest.raises(RuleError, match=text):
        make(files)


def test_the_version_must_fit_the_path() -> None:
    with pytest.raises(InvalidVersionError, match="should be v0 or v1"):
        create_zip(io.BytesIO(), PATH, Version("v2.0.0"), [])


def test_an_archive_grows_no_further_than_it_may() -> None:
    writer = ZipWriter(io.BytesIO(), level=0, most_bytes=1000)
    with pytest.raises(RuleError, match="beyond its limit of 1000 bytes"), writer.member("a") as member:
        member.write(bytes(range(256)) * 4)


def test_a_directory_is_taken_as_it_lies(tmp_path: Path) -> None:
    for name in (
        "go.mod",
        "a.go",
        "sub/go.mod",
        "sub/b.go",
        ".git/HEAD",
        "x/.git/HEAD",
        "vendor/p/go.mod",
        "doc/c.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("module example.com/m\n")
    (tmp_path / "link").symlink_to("a.go")
    checked = check_dir(tmp_path)
    assert [f.name for f in checked.valid] == ["a.go", "doc/c.md", "go.mod"]
    assert {f.name for f in checked.omitted} == {".git", "link", "sub", "vendor/p", "x/.git"}
    assert checked.fault() is None
    out = io.BytesIO()
    create_zip_from_dir(out, PATH, VERSION, tmp_path)
    assert facts(out.getvalue()).entries == 3

"""What a module zip may contain: a row a rule. The bulk of cases is in tests/contract, against x/mod."""

import tempfile
from pathlib import Path

import pytest

from phaleron.gomod.dirhash import hash_dir, hash_mod
from phaleron.gomod.errors import InvalidVersionError, RuleError
from phaleron.gomod.modzip import ZipFacts, verify_zip
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Version
from tests.zipbytes import Entry, write_zip

MIB = 1 << 20
PATH, VERSION = ModulePath("example.com/m"), Version("v1.0.0")
MOD = b"module example.com/m\n"


def verify(entries: list[Entry], *, path: str = PATH, version: str = VERSION, unassigned_ok: bool = True) -> ZipFacts:
    with tempfile.TemporaryFile() as file:
        write_zip(file, entries)
        file.flush()
        return verify_zip(file.fileno(), ModulePath(path), Version(version), unassigned_ok=unassigned_ok)


def entry(name: str, content: bytes = b"x", *, unpacked: int | None = None) -> Entry:
    return Entry(f"{PATH}@{VERSION}/{name}".encode(), content, unpacked=unpacked)


def test_facts_of_a_zip() -> None:
    facts = verify([entry("go.mod", MOD), entry("a.go", b"package m\n"), entry("sub/", b"")])
    assert facts == ZipFacts("h1:g38ZS7jlt4Mmofh2IOUw1Rw5JLDZHl6MJAnc9BOnzKs=", MOD, 3, 31)


def test_order_of_entries_does_not_matter() -> None:
    entries = [entry("b"), entry("a/b"), entry("a-b"), entry("é"), entry("𐐀"), entry("ﬀ"), entry("go.mod", MOD)]
    assert verify(entries).h1 == verify(entries[::-1]).h1


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["../a"], "double|only dots|invalid path element"),
        (["/a"], "empty path element"),
        (["a//b"], "double slash"),
        (["a|b"], "invalid character"),
        (["a:b"], "invalid character"),
        (["con.txt"], "disallowed as path element component on Windows"),
        (["a."], "trailing dot"),
        (["a", "a"], "multiple entries"),
        (["d/", "d/"], "twice"),
        (["a", "A"], "collision"),
        (["k/x", "\u212a/y"], "collision"),
        (["ς", "Σ"], "collision"),
        (["A/x", "a/b/x"], "collision"),
        (["a", "a/b"], "both a file and a directory"),
        (["a/b/c", "a/b"], "both a file and a directory"),
        (["sub/go.mod"], "not in module root"),
        (["sub/GO.mod"], "not in module root"),
        (["Go.mod"], "not in lower case"),
    ],
)
def test_names_that_no_module_may_have(names: list[str], text: str) -> None:
    with pytest.raises(RuleError, match=text) as caught:
        verify([entry(name, b"" if name.endswith("/") else b"x") for name in names])
    assert f"{PATH}@{VERSION}/{names[-1]}" in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        ["vendor/p/a.go", "vendor/modules.txt"],
        ["ß", "ss"],
        ["d/", "d/a"],
        [".a", "-b", "x~1"],
        ["_go.mod", "x/_go.mod"],
    ],
)
def test_names_that_a_module_may_have(names: list[str]) -> None:
    assert verify([entry(name, b"" if name.endswith("/") else b"x") for name in names]).entries == len(names)


def test_every_entry_has_the_prefix() -> None:
    with pytest.raises(RuleError, match=r"'a\.go' does not have the prefix 'example\.com/m@v1\.0\.0/'"):
        verify([entry("b.go"), Entry(b"a.go", b"")])


@pytest.mark.parametrize(("name", "limit"), [("go.mod", 16 * MIB), ("LICENSE", 16 * MIB), ("a.go", 500 * MIB)])
def test_sizes_are_refused_before_anything_is_inflated(name: str, limit: int) -> None:
    with pytest.raises(RuleError, match=r"declared size|more than|disagrees"):
        verify([entry(name, unpacked=limit)])
    with pytest.raises(RuleError, match=r"too large|unpacks to more"):
        verify([entry(name, unpacked=limit + 1)])


def test_sizes_add_up() -> None:
    with pytest.raises(RuleError, match="unpacks to more than 524288000 bytes"):
        verify([entry("a", unpacked=300 * MIB), entry("b", unpacked=201 * MIB)])


def test_the_version_must_fit_the_path() -> None:
    with pytest.raises(InvalidVersionError, match="should be v2"):
        verify([], path="example.com/m/v2")


def test_a_directory_holds_nothing_itself() -> None:
    with pytest.raises(RuleError, match="a directory with content"):
        verify([entry("d/", b"x")])


def test_letters_that_python_does_not_know_are_refused_only_on_wish() -> None:
    unassigned = "\U00040000"
    assert verify([entry(unassigned)]).entries == 1
    for name, lenient in ((unassigned, False), ("☃", True)):
        with pytest.raises(RuleError, match="invalid character"):
            verify([entry(name)], unassigned_ok=lenient)


def test_hashes_of_go_mod_and_of_directories(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_bytes(MOD)
    assert hash_mod(MOD) == "h1:flS2VctbRrTv+sBE+VKgxx6hlkMGPVz9MGOmzMYFg3k="
    (tmp_path / "a.go").write_bytes(b"package m\n")
    assert hash_dir(tmp_path, f"{PATH}@{VERSION}") == verify([entry("go.mod", MOD), entry("a.go", b"package m\n")]).h1
    (tmp_path / "a\nb").touch()
    with pytest.raises(RuleError, match="newline"):
        hash_dir(tmp_path, "x")


def test_a_directory_that_cannot_be_read_whole_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(IsADirectoryError):
        hash_dir(tmp_path, "x")
    with pytest.raises(FileNotFoundError):
        hash_dir(tmp_path / "missing", "x")

"""Which paths are valid, and what their major version suffix says."""

import pytest

from phaleron.gomod.errors import InvalidEscapeError, InvalidPathError, InvalidVersionError
from phaleron.gomod.path import ModulePath, check_file_path, check_import_path, check_path_major, split_path_version
from phaleron.gomod.version import unescape_path

PATHS = [
    # path                       module import file
    ("example.com/a",            True,  True,  True),
    ("example.com/a/v2",         True,  True,  True),
    ("example.com/a/v1",         False, True,  True),
    ("example.com/a/v02",        False, True,  True),
    ("example.com/a/v2.3",       False, True,  True),
    ("example.com/v",            True,  True,  True),
    ("gopkg.in/yaml.v2",         True,  True,  True),
    ("gopkg.in/yaml.v0",         True,  True,  True),
    ("gopkg.in/yaml",            False, True,  True),
    ("gopkg.in/yaml.v3-unstable", True, True,  True),
    ("gopkg.in/yaml.v0-unstable", False, True, True),
    ("example",                  False, True,  True),
    ("Example.com/a",            False, True,  True),
    ("example.com/A~b_c.d-e",    True,  True,  True),
    ("example.com/a+b",          False, True,  True),
    ("example.com/.a",           False, True,  True),
    ("example.com/a.",           False, False, False),
    ("example.com/..",           False, False, False),
    ("example.com//a",           False, False, False),
    ("example.com/a/",           False, False, False),
    ("/example.com/a",           False, False, False),
    ("-example.com/a",           False, False, True),
    ("",                         False, False, False),
    ("example.com/con",          False, False, False),
    ("example.com/Aux.go",       False, False, False),
    ("example.com/com10",        True,  True,  True),
    ("example.com/a~1",          False, False, True),
    ("example.com/a~1.b",        False, False, True),
    ("example.com/a b",          False, False, True),
    ("example.com/é",            False, False, True),
    ("example.com/e\u0301",      False, False, False),
    ("example.com/a:b",          False, False, False),
    ("example.com/a@b",          False, False, True),
    ("example.com/\udcff",       False, False, False),
    ("example.com/a\n",          False, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("path", "module", "imported", "file"), PATHS)
def test_path(path: str, module: bool, imported: bool, file: bool) -> None:
    for check, fine in ((ModulePath, module), (check_import_path, imported), (check_file_path, file)):
        if fine:
            check(path)
        else:
            with pytest.raises(InvalidPathError):
                check(path)


def test_error_is_one_line_that_names_path_and_rule() -> None:
    with pytest.raises(
        InvalidPathError, match=r"^malformed module path 'a\.b/x\\n': invalid character in path element"
    ):
        ModulePath("a.b/x\n")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("example.com/a", ("example.com/a", "")),
        ("example.com/a/v2", ("example.com/a", "/v2")),
        ("example.com/a/v1", None),
        ("example.com/av2", ("example.com/av2", "")),
        ("/v2", ("", "/v2")),
        ("v2", ("v2", "")),
        ("a/v", ("a/v", "")),
        ("gopkg.in/a.v1", ("gopkg.in/a", ".v1")),
        ("gopkg.in/a.v1-unstable", ("gopkg.in/a", ".v1-unstable")),
        ("gopkg.in/a.v-unstable", ("gopkg.in/a", ".v-unstable")),
        ("gopkg.in/a/v2", None),
    ],
)
def test_split(path: str, expected: tuple[str, str] | None) -> None:
    assert split_path_version(path) == expected


@pytest.mark.parametrize(
    ("version", "path_major", "fine"),
    [
        ("v0.1.0", "", True),
        ("v1.0.0", "", True),
        ("v2.0.0", "", False),
        ("v2.0.0+incompatible", "", True),
        ("v2.0.0-pre+incompatible", "", True),
        ("v2+incompatible", "", False),
        ("v2.0.0", "/v2", True),
        ("v20.0.0", "/v2", False),
        ("v2.0.0+incompatible", "/v3", False),
        ("v1.0.0", ".v1", True),
        ("v0.0.0-20161208181325-20d25e280405", ".v1", True),
        ("v0.0.0-20161208181325-20d25e280405", ".v2", False),
        ("v3.0.0", ".v3-unstable", True),
        ("v.0.0", ".v-unstable", False),
    ],
)
def test_version_fits_path_major(version: str, path_major: str, fine: bool) -> None:
    if fine:
        check_path_major(version, path_major)
    else:
        with pytest.raises(InvalidVersionError):
            check_path_major(version, path_major)


@pytest.mark.parametrize(
    ("path", "escaped"),
    [("example.com/a", "example.com/a"), ("github.com/BurntSushi/toml", "github.com/!burnt!sushi/toml")],
)
def test_escaping(path: str, escaped: str) -> None:
    assert ModulePath(path).escaped == escaped
    assert unescape_path(escaped) == path


@pytest.mark.parametrize("escaped", ["a.b/Upper", "a.b/!", "a.b/!!a", "a.b/!1", "a.b/!A", "a.b/é"])
def test_what_no_escaping_can_have_made(escaped: str) -> None:
    with pytest.raises(InvalidEscapeError):
        unescape_path(escaped)

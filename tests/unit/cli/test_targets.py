"""What `phaleron download` is told to fetch."""

import io
from pathlib import Path

import pytest

from phaleron.cli.failure import CommandFailed
from phaleron.cli.targets import Target, read_module_version, read_targets
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version

A = ModulePath("a.example/m")
B = ModulePath("b.example/m/v2")


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_version_is_one_and_all_else_is_a_query() -> None:
    for text, kind in [
        ("v1.2.3", Version),
        ("latest", Query),
        ("v1", Query),
        ("master", Query),
        ("v1.2.3+build", Query),
    ]:
        path, version = read_module_version(f"a.example/m@{text}")
        assert (path, version, type(version)) == (A, text, kind)


@pytest.mark.parametrize(
    ("argument", "fault"),
    [
        ("a.example/m", "a.example/m: 'a.example/m' is no module@version, go.mod, go.sum or -"),
        ("a.example/m@", "a.example/m@: 'a.example/m@' is no module@version, go.mod, go.sum or -"),
        ("a.example/m@v2.0.0", "a.example/m@v2.0.0: version 'v2.0.0' invalid: should be v0 or v1, not v2"),
        ("a.example/m@a/b", "a.example/m@a/b: version 'a/b' invalid: disallowed version string"),
        ("nodot@v1.0.0", "nodot@v1.0.0: malformed module path 'nodot': missing dot in first path element"),
    ],
)
def test_what_is_no_target(argument: str, fault: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        read_targets([argument])
    assert caught.value.lines == (fault,)
    assert caught.value.exit_code == 2


def test_a_go_sum_is_read_with_its_hashes(tmp_path: Path) -> None:
    name = tmp_path / "go.sum"
    name.write_text(
        "a.example/m v1.0.0 h1:AA=\n"
        "a.example/m v1.0.0/go.mod h1:BB=\n"
        "\n"
        "a.example/m v1.1.0/go.mod h1:CC=\n"
        "b.example/m/v2 v2.0.0 h2:DD=\n"
    )
    assert read_targets([str(name)]) == [
        Target(A, Version("v1.0.0"), f"{name}:1", whole=True, zip_h1="h1:AA=", mod_h1="h1:BB="),
        Target(A, Version("v1.1.0"), f"{name}:4", whole=False, mod_h1="h1:CC="),
        Target(B, Version("v2.0.0"), f"{name}:5", whole=True),
    ]


def test_lines_of_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, "# wanted\n\na.example/m@v1.0.0\n  b.example/m/v2@latest\na.example/m v1.0.0 h1:AA=\n")
    assert read_targets(["-"]) == [
        Target(A, Version("v1.0.0"), "stdin:3", zip_h1="h1:AA="),
        Target(B, Query("latest"), "stdin:4"),
    ]


def test_every_fault_is_told_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, "a.example/m@v1.0.0\nnonsense\na b\n")
    with pytest.raises(CommandFailed) as caught:
        read_targets(["-", "also"])
    assert caught.value.lines == (
        "stdin:2: 'nonsense' is no module@version, go.mod, go.sum or -",
        "stdin:3: neither module@version nor a line of a go.sum",
        "also: 'also' is no module@version, go.mod, go.sum or -",
    )


def test_two_hashes_for_one_module_are_a_fault(tmp_path: Path) -> None:
    for folder, h1 in (("one", "AA="), ("two", "BB=")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "go.sum").write_text(f"a.example/m v1.0.0 h1:{h1}\n")
    one, two = tmp_path / "one/go.sum", tmp_path / "two/go.sum"
    with pytest.raises(CommandFailed) as caught:
        read_targets([str(one), str(two)])
    assert caught.value.lines == (f"{two}:1: a.example/m@v1.0.0 has another hash than at {one}:1",)


def test_a_module_that_is_wanted_twice_is_wanted_whole_once(tmp_path: Path) -> None:
    name = tmp_path / "go.sum"
    name.write_text("a.example/m v1.0.0/go.mod h1:BB=\n")
    (target,) = read_targets([str(name), "a.example/m@v1.0.0"])
    assert (target.whole, target.mod_h1) == (True, "h1:BB=")


def test_a_go_mod_is_what_it_requires_with_what_stands_in_its_place(tmp_path: Path) -> None:
    name = tmp_path / "go.mod"
    name.write_text(
        """module main.example/m

go 1.21

require (
	a.example/m v1.0.0
	b.example/m/v2 v2.0.0 // indirect
	c.example/m v1.0.0
	d.example/m v1.0.0
)

replace b.example/m/v2 => a.example/m v1.1.0
replace c.example/m v1.0.0 => ../c
replace d.example/m v1.5.0 => a.example/m v1.2.0
"""
    )
    wanted = [(target.path, target.version) for target in read_targets([str(name)])]
    assert wanted == [(A, "v1.0.0"), (A, "v1.1.0"), ("d.example/m", "v1.0.0")]


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandFailed, match="cannot be read: No such file or directory"):
        read_targets([str(tmp_path / name)])

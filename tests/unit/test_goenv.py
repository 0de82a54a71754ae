"""The Go environment from files: which file, which line, which one wins."""

import sys
from pathlib import Path

import pytest

from phaleron.goenv import GoValue, find_goroot, read_env_file, read_go_environment, user_file

LINES = """# comment=1
GOPROXY=https://first.example
 GOPROXY=indented
goproxy=lower
GOPROXY = spaced name
GOSUMDB= kept blank\t
no equals sign
=no name

GOPRIVATE="quoted" # not a comment
GOPROXY=https://last.example,direct
GONOPROXY=a=b
GOVCS=
"""


def test_lines_are_read_as_cmd_go_reads_them(tmp_path: Path) -> None:
    name = tmp_path / "env"
    name.write_text(LINES)
    assert read_env_file(name) == {
        "GOPROXY": GoValue("https://last.example,direct", f"{name}:11"),
        "GOPROXY ": GoValue(" spaced name", f"{name}:5"),
        "GOSUMDB": GoValue(" kept blank\t", f"{name}:6"),
        "GOPRIVATE": GoValue('"quoted" # not a comment', f"{name}:10"),
        "GONOPROXY": GoValue("a=b", f"{name}:12"),
        "GOVCS": GoValue("", f"{name}:13"),
    }


def test_in_the_file_of_a_distribution_the_first_line_of_a_key_counts(tmp_path: Path) -> None:
    name = tmp_path / "go.env"
    name.write_text(LINES)
    assert read_env_file(name, first_wins=True)["GOPROXY"] == GoValue("https://first.example", f"{name}:2")


def test_a_file_without_a_last_newline_and_with_odd_bytes(tmp_path: Path) -> None:
    name = tmp_path / "env"
    name.write_bytes(b"GOPROXY=https://x.example\r\nGOSUMDB=\xff")
    assert [value.text for value in read_env_file(name).values()] == ["https://x.example\r", "\ufffd"]


@pytest.mark.skipif(sys.platform == "darwin", reason="Unix without macOS")
@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"HOME": "/h"}, "/h/.config/go/env"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "/c/go/env"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "c"}, None),
        ({"HOME": "/h", "GOENV": "/e"}, "/e"),
        ({"HOME": "/h", "GOENV": "off"}, None),
        ({"HOME": "/h", "GOENV": ""}, "/h/.config/go/env"),
        ({"XDG_CONFIG_HOME": "/c"}, "/c/go/env"),
        ({}, None),
    ],
)
def test_where_the_users_file_is(environ: dict[str, str], name: str | None) -> None:
    found = user_file(environ)
    assert (None if found is None else str(found)) == name


def goroot(at: Path, proxy: str = "https://goroot.example") -> Path:
    (at / "bin").mkdir(parents=True)
    (at / "pkg/tool").mkdir(parents=True)
    (at / "bin/go").write_text("")
    (at / "bin/go").chmod(0o755)
    (at / "go.env").write_text(f"GOPROXY={proxy}\n")
    return at


def test_goroot_is_around_the_go_on_path(tmp_path: Path) -> None:
    root = goroot(tmp_path / "opt/go")
    assert find_goroot({"PATH": str(root / "bin")}, {}, root=tmp_path) == root


def test_goroot_is_found_through_symlinks(tmp_path: Path) -> None:
    """As with /usr/bin/go -> ../lib/go-1.22/bin/go, twice."""
    root = goroot(tmp_path / "usr/lib/go-1.22")
    (tmp_path / "usr/lib/go").symlink_to("go-1.22")
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/go").symlink_to("../lib/go/bin/go")
    assert find_goroot({"PATH": str(tmp_path / "usr/bin")}, {}, root=tmp_path) == root


def test_goroot_of_a_go_that_was_cross_compiled(tmp_path: Path) -> None:
    root = goroot(tmp_path / "go")
    (root / "bin/linux_arm64").mkdir()
    (root / "bin/go").rename(root / "bin/linux_arm64/go")
    assert find_goroot({"PATH": str(root / "bin/linux_arm64")}, {}, root=tmp_path) == root


def test_goroot_as_configured_comes_first(tmp_path: Path) -> None:
    root = goroot(tmp_path / "go")
    environ = {"PATH": str(root / "bin"), "GOROOT": "/from/environment/"}
    assert find_goroot(environ, {}, root=tmp_path) == Path("/from/environment")
    # As in cmd/go, whose user file comes before the environment here alone.
    assert find_goroot(environ, {"GOROOT": GoValue("/from/file", "")}, root=tmp_path) == Path("/from/file")


def test_without_go_on_path_common_places_are_looked_at_newest_first(tmp_path: Path) -> None:
    for version in ("1.9", "1.22", "1.21.3"):
        goroot(tmp_path / f"usr/lib/go-{version}")
    assert find_goroot({"PATH": "/nowhere"}, {}, root=tmp_path) == tmp_path / "usr/lib/go-1.22"
    goroot(tmp_path / "usr/local/go")
    assert find_goroot({"PATH": "/nowhere"}, {}, root=tmp_path) == tmp_path / "usr/local/go"


def test_a_program_named_go_that_has_no_goroot_around_it_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").write_text("")
    (tmp_path / "bin/go").chmod(0o755)
    assert find_goroot({"PATH": str(tmp_path / "bin")}, {}, root=tmp_path) is None


def test_debian_keeps_go_env_with_the_shared_files(tmp_path: Path) -> None:
    root = goroot(tmp_path / "usr/lib/go-1.22")
    (tmp_path / "usr/share/go-1.22").mkdir(parents=True)
    (root / "go.env").rename(tmp_path / "usr/share/go-1.22/go.env")
    found = read_go_environment({"PATH": str(root / "bin"), "GOENV": "off"}, root=tmp_path).get("GOPROXY")
    assert found == GoValue("https://goroot.example", f"{tmp_path}/usr/share/go-1.22/go.env:1")


def test_the_image_has_nothing_of_go_but_its_go_env(tmp_path: Path) -> None:
    (tmp_path / "usr/local/go").mkdir(parents=True)
    (tmp_path / "usr/local/go/go.env").write_text("GOPROXY=https://image.example\n")
    found = read_go_environment({}, root=tmp_path).get("GOPROXY")
    assert found == GoValue("https://image.example", f"{tmp_path}/usr/local/go/go.env:1")


def test_the_environment_hides_the_users_file_and_that_the_distributions(tmp_path: Path) -> None:
    root = goroot(tmp_path / "go")
    (tmp_path / "env").write_text("GOPROXY=https://user.example\nGOSUMDB=\n")
    with (root / "go.env").open("a") as file:
        file.write("GOSUMDB=sum.example\n")
    environ = {
        "GOENV": str(tmp_path / "env"),
        "GOROOT": str(root),
        "GOPROXY": "https://environment.example",
        "GOPRIVATE": "",
    }
    go = read_go_environment(environ, root=tmp_path)
    assert [value.text for value in go.found("GOPROXY")] == [
        "https://environment.example",
        "https://user.example",
        "https://goroot.example",
    ]
    assert go.get("GOPRIVATE") is None
    # Empty in the user's file is not the same as not there: it hides the distribution's.
    assert go.get("GOSUMDB") is None


def test_where_there_is_nothing_nothing_is_found(tmp_path: Path) -> None:
    go = read_go_environment({"GOENV": str(tmp_path / "missing"), "PATH": ""}, root=tmp_path)
    assert (go.get("GOPROXY"), go.goroot) == (None, None)

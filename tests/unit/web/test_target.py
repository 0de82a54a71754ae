"""Request targets: what each names, and what is refused without asking anybody."""

import pytest

from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.web.target import (
    MalformedError,
    ModuleTarget,
    OtherTarget,
    SumdbTarget,
    UndecodableError,
    parse_target,
)

BURNT = "github.com/BurntSushi/toml"
PSEUDO = "v1.2.1-0.20240102030405-abcdef123456"


@pytest.mark.parametrize(
    ("target", "kind", "path", "query"),
    [
        ("/example.com/m/@v/list", "list", "example.com/m", None),
        ("/example.com/m/@latest", "latest", "example.com/m", None),
        ("/example.com/m/@v/v1.0.0.info", "info", "example.com/m", Version("v1.0.0")),
        ("/example.com/m/@v/v1.0.0.mod", "mod", "example.com/m", Version("v1.0.0")),
        ("/example.com/m/@v/v1.0.0.zip", "zip", "example.com/m", Version("v1.0.0")),
        (f"/example.com/m/@v/{PSEUDO}.zip", "zip", "example.com/m", Version(PSEUDO)),
        ("/github.com/!burnt!sushi/toml/@v/list", "list", BURNT, None),
        ("/github.com/%21burnt%21sushi/toml/@v/list", "list", BURNT, None),
        ("/github.com/%21burnt!sushi/toml/%40v/list", "list", BURNT, None),
        ("/github.com/!burnt!sushi/toml/%40latest", "latest", BURNT, None),
        ("/example.com/m/@v/v2.0.0+incompatible.mod", "mod", "example.com/m", Version("v2.0.0+incompatible")),
        ("/example.com/m/@v/v2.0.0%2Bincompatible.mod", "mod", "example.com/m", Version("v2.0.0+incompatible")),
        ("/example.com/m/@v/v2.0.0%2bincompatible.zip", "zip", "example.com/m", Version("v2.0.0+incompatible")),
        ("/example.com/m/@v/v1.0.0-!r!c1.mod", "mod", "example.com/m", Version("v1.0.0-RC1")),
        ("/example.com/m/v2/@v/v2.1.0.mod", "mod", "example.com/m/v2", Version("v2.1.0")),
        ("/gopkg.in/yaml.v2/@v/v2.4.0.zip", "zip", "gopkg.in/yaml.v2", Version("v2.4.0")),
        ("/gopkg.in/x.v1/@v/v0.0.0-20240102030405-abcdef123456.mod", "mod", "gopkg.in/x.v1", None),
        ("/example.com/m/@v/main.info", "info", "example.com/m", Query("main")),
        ("/example.com/m/@v/v1.info", "info", "example.com/m", Query("v1")),
        ("/example.com/m/@v/v1.2.info", "info", "example.com/m", Query("v1.2")),
        ("/example.com/m/@v/!main.info", "info", "example.com/m", Query("Main")),
        ("/example.com/m/@v/abcdef123456.info", "info", "example.com/m", Query("abcdef123456")),
        # Its origin may answer that it means v2.0.0+incompatible.
        ("/example.com/m/@v/v2.0.0.info", "info", "example.com/m", Query("v2.0.0")),
        ("/github.com/a/b/@v/list", "list", "github.com/a/b", None),
        ("/golang.org/toolchain/@v/v0.0.1-go1.27.3.linux-amd64.zip", "zip", "golang.org/toolchain", None),
    ],
)
def test_what_a_target_names(target: str, kind: str, path: str, query: Version | Query | None) -> None:
    for prefix in ("", "/base", "/a/b"):
        for below, cached_only in (("", False), ("/cached-only", True)):
            parsed = parse_target(f"{prefix}{below}{target}".encode(), prefix)
            assert isinstance(parsed, ModuleTarget)
            assert (parsed.kind, parsed.path, parsed.cached_only) == (kind, path, cached_only)
            assert isinstance(parsed.path, ModulePath)
            if query is not None:
                assert (parsed.query, type(parsed.query)) == (query, type(query))


@pytest.mark.parametrize(
    "target",
    [
        # The path of a module.
        "/example.com/Upper/@v/list",
        "/example.com/!Upper/@v/list",
        "/example.com/m!/@v/list",
        "/example.com/!!m/@v/list",
        "/example.com/!1/@v/list",
        "/example.com/m%C3%A9/@v/list",
        "/nodot/m/@v/list",
        "/std/@v/list",
        "/cmd/go/@v/list",
        "/example.com/v1/@v/list",
        "/example.com/m/v1/@v/list",
        "/example.com/m/v0/@v/list",
        "/example.com/m/v02/@v/list",
        "/gopkg.in/yaml/@v/list",
        "/example.com/.hidden/@v/list",
        "/example.com/m./@v/list",
        "/example.com/con/@v/list",
        "/example.com/AUX.txt/@v/list",
        "/example.com/m~1/@v/list",
        "/-example.com/m/@v/list",
        "/example.com/a b/@v/list",
        "/example.com/a%20b/@v/list",
        "/example.com/a+b/@v/list",
        "/example.com/a%2Bb/@v/list",
        "/example.com/a@v/@v/list",
        "/@v/list",
        "/@latest",
        "/example.com/m/@v/list/@latest",
        # What is in no path of ours.
        "//example.com/m/@v/list",
        "/example.com//m/@v/list",
        "/example.com%2F%2Fm/@v/list",
        "/example.com/../m/@v/list",
        "/example.com/%2e%2e/m/@v/list",
        "/example.com/./m/@v/list",
        "/example.com/m/@v/..",
        "/example.com/m/@v/%2e%2e%2fx.info",
        "/example.com/m%00/@v/list",
        "/example.com/m%5C/@v/list",
        # Names of files and versions.
        "/example.com/m/@v/",
        "/example.com/m/@v/List",
        "/example.com/m/@v/list.txt",
        "/example.com/m/@v/v1.0.0",
        "/example.com/m/@v/v1.0.0.ziphash",
        "/example.com/m/@v/.info",
        "/example.com/m/@v/feature/x.info",
        "/example.com/m/@v/feature%2Fx.info",
        "/example.com/m/@v/latest.info",
        "/example.com/m/@v/upgrade.info",
        "/example.com/m/@v/patch.info",
        "/example.com/m/@v/v1.0.0-RC1.info",
        "/example.com/m/@v/main.mod",
        "/example.com/m/@v/main.zip",
        "/example.com/m/@v/v1.mod",
        "/example.com/m/@v/v1.0.zip",
        "/example.com/m/@v/v1.0.0+meta.mod",
        "/example.com/m/@v/v01.0.0.mod",
        "/example.com/m/@v/v2.0.0.mod",
        "/example.com/m/@v/v2.0.0.zip",
        "/example.com/m/v2/@v/v1.0.0.zip",
        "/gopkg.in/yaml.v2/@v/v3.0.0.mod",
        # What no file system holds.
        f"/example.com/{'a' * 252}/@v/list",
        f"/example.com/m/@v/{'a' * 252}.info",
        f"/example.com/m/@v/v1.0.0-{'a' * 252}.zip",
        f"/example.com/{'/'.join('a' * 100 for _ in range(40))}/@v/list",
        # What can never be a module.
        "/github.com/@v/list",
        "/github.com/user/@v/list",
        "/github.com/user/@latest",
        "/github.com/a/b.git/@v/list",
        "/github.com/a/b.git/c/@v/list",
        "/bitbucket.org/user/@v/list",
        # Only modules are below it.
        "/cached-only/index",
    ],
)
def test_what_is_refused_without_asking_anybody(target: str) -> None:
    with pytest.raises(MalformedError):
        parse_target(target.encode(), "")


@pytest.mark.parametrize("target", ["/%", "/%2", "/%zz", "/a%2/b", "/example.com/m/@v/v1.0.0%.info", "/%u0041"])
def test_what_is_not_percent_encoded(target: str) -> None:
    with pytest.raises(UndecodableError):
        parse_target(target.encode(), "")


@pytest.mark.parametrize("target", ["/%ff", "/\xe4".encode().decode("latin-1")])
def test_what_is_outside_ascii(target: str) -> None:
    with pytest.raises(MalformedError):
        parse_target(target.encode("latin-1"), "")


def test_percent_is_undone_once() -> None:
    with pytest.raises(MalformedError):
        parse_target(b"/example.com/%2521m/@v/list", "")


@pytest.mark.parametrize(
    ("target", "prefix", "expected"),
    [
        ("/", "", OtherTarget("/")),
        ("/livez", "", OtherTarget("/livez")),
        ("/livez", "/base", OtherTarget("/livez")),
        ("/base/livez", "/base", OtherTarget("/livez")),
        ("/base", "/base", OtherTarget("/")),
        ("/base/", "/base", OtherTarget("/")),
        ("/basement/livez", "/base", OtherTarget("/basement/livez")),
        ("/example.com/m/@v/list", "/base", OtherTarget("/example.com/m/@v/list")),
        ("/cached-only", "", OtherTarget("/cached-only")),
        ("/sumdb/sum.example/supported", "", SumdbTarget("sum.example/supported", False)),
        ("/cached-only/sumdb/sum.example/latest", "", SumdbTarget("sum.example/latest", True)),
        ("/base/sumdb/sum.example/tile/8/0/x001/234", "/base", SumdbTarget("sum.example/tile/8/0/x001/234", False)),
        (
            "/sumdb/sum.example/lookup/example.com/%21m@v1.0.0",
            "",
            SumdbTarget("sum.example/lookup/example.com/!m@v1.0.0", False),
        ),
    ],
)
def test_what_is_no_module(target: str, prefix: str, expected: object) -> None:
    assert parse_target(target.encode(), prefix) == expected

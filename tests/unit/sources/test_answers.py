"""Reading lists, `.info` and go.mod, and what breaks a rule in them."""

import pytest

from phaleron.errors import OriginFailed
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.sources.answers import pseudo_versions, read_info, read_list, read_mod
from phaleron.sources.reason import reason

M, M2, YAML = ModulePath("example.com/m"), ModulePath("example.com/m/v2"), ModulePath("gopkg.in/yaml.v2")
ORIGIN = "https://origin.example"
P1, P2 = "v0.0.0-20240102030405-abcdef123456", "v0.0.0-20250102030405-abcdef123456"


@pytest.mark.parametrize(
    ("path", "body", "versions"),
    [
        (M, b"", []),
        (M, b"\n\n", []),
        (M, b"v1.10.0\nv1.9.0\nv1.9.0\nv1.10.0-rc.1", ["v1.9.0", "v1.10.0-rc.1", "v1.10.0"]),
        (M, b"v1.0.0 2024-01-02T03:04:05Z\r\n\tv1.1.0\tanything else\r\n", ["v1.0.0", "v1.1.0"]),
        (M, b"v1.0.0-RC1\nv1.0.0-rc1", ["v1.0.0-RC1", "v1.0.0-rc1"]),
        (M, b"v2.0.0\nv2.0.0+incompatible\nv0.1.0", ["v0.1.0", "v2.0.0+incompatible"]),
        (M2, b"v1.0.0\nv2.0.0\nv2.0.0+incompatible\nv3.0.0", ["v2.0.0", "v2.0.0+incompatible"]),
        (YAML, b"v1.0.0\nv2.4.0\n", ["v2.4.0"]),
        (M, f"{P1}\nv1.0.0\nv1.0.1-0.20240102030405-abcdef123456".encode(), ["v1.0.0"]),
        (M, b"v1\nv1.2\n1.2.3\nv1.2.3+meta\nv01.2.3\nlist\nv1.2.3/x\n../v1.0.0\nv1.0.0!\n", []),
        (M, b"\xff\xfe\nv1.0.0\n\x00\n", ["v1.0.0"]),
        (M, b"v1.0.0-" + b"x" * 300 + b"\nv1.0.0", ["v1.0.0"]),
        (M, b"v1." + b"9" * 5000 + b".0\nv1.0.0", ["v1.0.0"]),
    ],
)
async def test_lists(path: ModulePath, body: bytes, versions: list[str]) -> None:
    answer = await read_list(path, body, ORIGIN)
    assert list(answer.value) == versions
    assert answer.body == "".join(f"{v}\n" for v in versions).encode()
    assert answer.origin == ORIGIN


async def test_a_long_list_is_read_as_a_short_one() -> None:
    body = b"".join(b"v1.%d.0\n" % n for n in range(20_000, 0, -1))
    answer = await read_list(M, body, ORIGIN)
    assert len(answer.value) == 20_000
    assert answer.value[0] == "v1.1.0"


async def test_a_page_is_no_list() -> None:
    with pytest.raises(OriginFailed, match=r"example\.com/m: https://origin\.example: the list is a page of HTML"):
        await read_list(M, b"\n <!DOCTYPE html><title>Sign in</title>", ORIGIN)


@pytest.mark.parametrize(
    ("body", "newest_first"),
    [
        (b"", []),
        (f"{P1}\n{P2}\n".encode(), [P2, P1]),
        (f"{P1} 2026-01-01T00:00:00Z\n{P2}\n".encode(), [P1, P2]),
        (f"{P1} 2026-01-01T00:00:00+02:00\n{P2} 2025-12-31T23:00:00Z\n".encode(), [P2, P1]),
        (f"{P1}\nv1.0.0\n".encode(), []),
        (f"{P1} yesterday\n{P2}".encode(), [P2]),
        (b"v0.0.0-20241399030405-abcdef123456\n", []),
    ],
)
def test_pseudo_versions_stand_in_for_latest_where_there_is_nothing_else(body: bytes, newest_first: list[str]) -> None:
    assert list(pseudo_versions(M, body)) == newest_first


V1, V3 = Version("v1.0.0"), Version("v3.0.0")


@pytest.mark.parametrize(
    ("query", "body", "version"),
    [
        (V1, b'{"Version":"v1.0.0"}', "v1.0.0"),
        (V1, b'{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z","Name":"x","Short":"y"}', "v1.0.0"),
        (Query("main"), b'{"Version":"v1.2.3"}', "v1.2.3"),
        (Query("v1"), b'{"Version":"v1.2.3"}', "v1.2.3"),
        (None, b'{"Version":"v0.9.0"}', "v0.9.0"),
        (V3, b'{"Version":"v3.0.0+incompatible"}', "v3.0.0+incompatible"),
    ],
)
def test_info(query: Version | Query | None, body: bytes, version: str) -> None:
    answer = read_info(M, query, body, ORIGIN)
    assert (answer.value.version, answer.body, answer.origin) == (version, body, ORIGIN)


@pytest.mark.parametrize(
    ("query", "body", "rule"),
    [
        (V1, b"", r"v1\.0\.0: https://origin\.example: \.info is not JSON"),
        (V1, b"<html>", "is not JSON"),
        (V1, b"[]", "no JSON object"),
        (V1, b"{}", "has no Version"),
        (V1, b'{"Version":"v1"}', "not canonical"),
        (V1, b'{"Version":"v1.0.0","Time":"today"}', "Time that is not RFC 3339"),
        (V1, b'{"Version":"v1.0.0","Origin":[]}', "Origin that is no object"),
        (V1, b'{"Version":"v1.0.1"}', r"of another version, v1\.0\.1"),
        (V3, b'{"Version":"v3.0.0"}', r"names v3\.0\.0, which cannot be a version of example\.com/m"),
        (Query("main"), b'{"Version":"v2.0.0"}', "cannot be a version of"),
        (None, b'{"Version":"v2.0.0"}', "cannot be a version of"),
    ],
)
def test_an_info_that_breaks_a_rule_is_refused_by_its_name(
    query: Version | Query | None, body: bytes, rule: str
) -> None:
    with pytest.raises(OriginFailed, match=rule):
        read_info(M, query, body, ORIGIN)


def test_an_infos_origin_is_kept_and_its_credentials_are_not() -> None:
    body = b'{"Version":"v1.0.0","Origin":{"VCS":"git","URL":"https://u:p@git.example/m","Hash":"abc"}}'
    answer = read_info(M, V1, body, ORIGIN)
    assert answer.body == b'{"Version":"v1.0.0","Origin":{"VCS":"git","URL":"https://git.example/m","Hash":"abc"}}'


@pytest.mark.parametrize(
    "body",
    [
        b"module example.com/m\n",
        b"",
        b"module example.com/m\r\n\r\nfuture directive\nrequire (\n\texample.com/x v1.0.0 // indirect\n)\n",
        b"module example.com/other\n",
        b"module example.com/m\n" + b"// a long comment\n" * 10_000,
    ],
)
async def test_a_go_mod_stays_as_it_is(body: bytes) -> None:
    answer = await read_mod(M, V1, body, ORIGIN)
    assert answer.value == answer.body == body


@pytest.mark.parametrize(
    "body",
    [b"module example.com/m\nrequire (\n", b'module "example.com/m\n', b"// x\n" * 20_000 + b"require (\n"],
)
async def test_a_go_mod_that_cannot_be_read_is_refused_with_the_place(body: bytes) -> None:
    with pytest.raises(OriginFailed, match=r"^example\.com/m@v1\.0\.0: https://origin\.example: go\.mod:\d+:\d+: "):
        await read_mod(M, V1, body, ORIGIN)


async def test_a_page_is_no_go_mod() -> None:
    with pytest.raises(
        OriginFailed, match=r"example\.com/m@v1\.0\.0: https://origin\.example: go\.mod is a page of HTML"
    ):
        await read_mod(M, V1, b"<html>\n<body>", ORIGIN)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (
            b"not found: example.com/m@v9.0.0: invalid version: unknown revision v9.0.0\n",
            "invalid version: unknown revision v9.0.0",
        ),
        (b"not found: module example.com/m: no matching versions", "module example.com/m: no matching versions"),
        (b"not found: not found: x", "x"),
        (b"404 page not found\n", ""),
        (b"Not Found", ""),
        (b"not found: ", ""),
        (b"\n\n  blocked by   policy 7\r\nask security\n", "blocked by policy 7"),
        (b"<html><body>404</body></html>", ""),
        (b"red \x1b[31malert\x00 \xff", "red [31malert \ufffd"),
        (b"fatal: https://user:token@git.example/m", "fatal: https://git.example/m"),
        (b"x" * 5000, "x" * 400),
    ],
)
def test_a_reason_is_one_bounded_printable_line(body: bytes, said: str) -> None:
    assert reason(body, "example.com/m@v9.0.0", 404) == said


def test_a_reason_does_not_repeat_its_status() -> None:
    assert reason(b"forbidden: policy 7", "example.com/m", 403) == "policy 7"
    assert reason(b"not found: policy 7", "example.com/m", 403) == "not found: policy 7"
    assert reason(b"quite unheard of", "example.com/m", 599) == "quite unheard of"

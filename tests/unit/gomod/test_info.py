"""`.info` files, read as Go reads JSON and times."""

import json
from datetime import UTC, datetime

import pytest

from phaleron.gomod.errors import RuleError
from phaleron.gomod.gotime import EARLIEST, LATEST
from phaleron.gomod.info import Info, Origin, encode_info, parse_info, served_info
from phaleron.gomod.version import Version

V = Version("v1.0.0")
AT = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)

READ = [
    ('{"Version":"v1.0.0"}', Info(V)),
    ('{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z"}', Info(V, AT)),
    ('{"VERSION":"v1.0.0","time":"2020-01-02T03:04:05Z"}', Info(V, AT)),
    ('{"Verſion":"v1.0.0"}', Info(V)),
    ('{"Version":"v9.0.0","version":"v1.0.0"}', Info(V)),
    ('{"Version":"v1.0.0","Version":null,"Time":null,"Origin":null}', Info(V)),
    ('{"Version":"v1.0.0","Name":[null],"x":{}}', Info(V)),
    ('{"Version":"v1.0.0","x":' + "9" * 9000 + "}", Info(V)),
    ('{"Version":"v1.0.0","Origin":{}}', Info(V, None, Origin())),
    (
        '{"Version":"v1.0.0","Origin":{"VCS":"git"},"Origin":{"hash":"a\\u0062"}}',
        Info(V, None, Origin("git", hash="ab")),
    ),
    ('{"Version":"v1.0.0","Origin":{"VCS":"git"},"Origin":null}', Info(V)),
    ('{"Version":"v1.0.0","Origin":{"Ref":"\\ud800"}}', Info(V, None, Origin(ref="\ufffd"))),
]
REFUSED = [
    "", "null", "[]", "{}", '{"Version":""}', '{"Version":null}', '{"Version":1}', '{"Version":"v1"}', '{"Version":"main"}',
    '{"Version":"v1.0.0",}', '\ufeff{"Version":"v1.0.0"}', '{"Version":"v1.0.0"} x', '{"Version":"v1.0.0","x":NaN}',
    '{"Version":"v1.0.0","Time":1}', '{"Version":"v1.0.0","Time":""}', '{"Version":"v1.0.0","Origin":"x"}',
    '{"Version":"v1.0.0","Origin":{"URL":1}}', '{"Version":"v1.0.0","Time":"2020-01-02T03:04:05\\u005a"}', "[" * 100_000,
]  # fmt: skip
TIMES = [
    ("2020-01-02T03:04:05.1Z", AT.replace(microsecond=100_000)),
    ("2020-01-02T03:04:05.123456789123456789Z", AT.replace(microsecond=123_456)),
    ("2020-01-02T03:04:05,5Z", AT.replace(microsecond=500_000)),
    ("2020-01-02T3:04:05Z", AT),
    ("2020-01-02T04:34:05+01:30", AT),
    ("2020-01-01T03:04:05-24:00", AT),
    ("0000-01-01T00:00:00Z", EARLIEST),
    ("0001-01-01T00:00:00+00:01", EARLIEST),
    ("9999-12-31T23:59:59-00:01", LATEST),
    ("2020-01-02t03:04:05Z", None),
    ("2020-01-02T03:04:05z", None),
    ("2020-01-02 03:04:05Z", None),
    ("2020-01-02T03:04:05", None),
    ("2020-01-02T24:00:00Z", None),
    ("2020-01-02T03:04:60Z", None),
    ("2019-02-29T00:00:00Z", None),
    ("0000-02-30T00:00:00Z", None),
    ("2020-01-02T03:04:05+24:61", None),
    ("2020-01-02T03:04:05.Z", None),
    ("٢020-01-02T03:04:05Z", None),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_read(text: str, expected: Info) -> None:
    assert parse_info(text.encode()) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(RuleError, match=r"^\.info "):
        parse_info(text.encode())


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_time(text: str, expected: datetime | None) -> None:
    data = json.dumps({"Version": V, "Time": text}, ensure_ascii=False).encode()
    if expected is None:
        with pytest.raises(RuleError, match="has a Time"):
            parse_info(data)
    else:
        assert parse_info(data).time == expected


def test_written_as_the_go_command_writes_it() -> None:
    info = Info(V, AT.replace(microsecond=500_000), Origin("git", "https://user:pass@example.com/r", hash="abc"))
    assert encode_info(info) == (
        b'{"Version":"v1.0.0","Time":"2020-01-02T03:04:05.5Z",'
        b'"Origin":{"VCS":"git","URL":"https://example.com/r","Hash":"abc"}}'
    )


@pytest.mark.parametrize(
    "origin",
    [
        '"Origin":{"URL":"https://u:secret@h/r"}',
        '"origin":{"url":"https://u:secret@h/r"}',
        '"Origin":{"URL":"https://u:secret@h/r","url":"https://h/r"}',
        '"Origin":{"URL":"https://u:secret\\u0040h/r"},"Origin":{}',
        '"Origin":{"URL":"https://u:secret@h/r"},"Origin":{"URL":"https://h/r"},"x":"\\ud800"',
        '"x":{"URL":"https://u:secret@h/r"}',
    ],
)
def test_credentials_are_not_served(origin: str) -> None:
    data = ('{"Version":"v1.0.0",' + origin + "}").encode()
    served = served_info(data, parse_info(data))
    assert b"secret" not in served
    assert parse_info(served).version == V


def test_anything_else_is_served_as_it_came() -> None:
    data = b' {"Version": "v1.0.0", "Origin": {"URL": "https://h/r"}, "x": "a@b"}\n'
    assert served_info(data, parse_info(data)) == data

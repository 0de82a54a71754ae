"""Sizes, durations and listen addresses as people write them."""

import pytest

from phaleron.settings.listen import Listen, parse_listen
from phaleron.settings.units import read_duration, read_size, show_duration, show_size


@pytest.mark.parametrize(
    ("written", "size_bytes"),
    [
        (0, 0),
        (1048576, 1048576),
        ("1048576", 1048576),
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        ("1.5GiB", 3 << 29),
        ("2TiB", 2 << 40),
        ("7KiB", 7 << 10),
        ("64MB", 64_000_000),
        ("1kB", 1000),
        ("3GB", 3 * 10**9),
        ("3TB", 3 * 10**12),
        ("12B", 12),
    ],
)
def test_sizes(written: object, size_bytes: int) -> None:
    assert read_size(written) == size_bytes


@pytest.mark.parametrize(
    "written", ["", "MiB", "64M", "64Mi", "-1", "1e3", "64 furlongs", "1.5.5MiB", 1.5, True, None, [1]]
)
def test_what_is_no_size(written: object) -> None:
    with pytest.raises(ValueError, match="must be a size such as"):
        read_size(written)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (30, 30),
        (0.5, 0.5),
        ("30", 30),
        ("2.5", 2.5),
        ("30s", 30),
        ("500ms", 0.5),
        ("5m", 300),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1.5h", 5400),
        (" 10s ", 10),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert read_duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "s", "1 h", "30 seconds", "1h-30m", "inf", "nan", float("inf"), True, None, ["1s"]]
)
def test_what_is_no_duration(written: object) -> None:
    with pytest.raises(ValueError, match="must be a duration such as"):
        read_duration(written)


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0"), (1, "1"), (1024, "1KiB"), (64 << 20, "64MiB"), ((64 << 20) + 1, "67108865"), (3 << 40, "3TiB")],
)
def test_sizes_are_shown_as_they_can_be_read(size_bytes: int, shown: str) -> None:
    assert show_size(size_bytes) == shown
    assert read_size(shown) == size_bytes


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (0.5, "0.5s"), (30, "30s"), (90, "90s"), (300, "5m"), (86400, "1d")]
)
def test_durations_are_shown_as_they_can_be_read(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown
    assert read_duration(shown) == seconds


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:3000", Listen("127.0.0.1", 3000)),
        ("localhost:0", Listen("localhost", 0)),
        (":3000", Listen("", 3000)),
        ("[::1]:3000", Listen("::1", 3000)),
        ("[fe80::1%eth0]:80", Listen("fe80::1%eth0", 80)),
        ("unix:/run/phaleron.sock", Listen(unix="/run/phaleron.sock")),
        ("unix:here", Listen(unix="here")),
    ],
)
def test_listen_addresses(written: str, address: Listen) -> None:
    assert parse_listen(written) == address
    assert str(address) == written


@pytest.mark.parametrize(
    "written",
    [
        "",
        "3000",
        "localhost",
        "localhost:",
        "localhost:http",
        "::1:3000",
        "[::1]",
        "h:65536",
        "http://h:1",
        "a b:1",
        "unix:",
    ],
)
def test_what_is_no_listen_address(written: str) -> None:
    with pytest.raises(ValueError, match=r"must be HOST:PORT|names no path"):
        parse_listen(written)

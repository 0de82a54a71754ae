"""HTTP as clients and caches see it: methods, conditions, ranges, errors, pipelining, and clients that misbehave."""

import asyncio
import json
import socket
import ssl
import struct
from pathlib import Path

import pytest
import trustme

from phaleron.errors import (
    BadRequest,
    Busy,
    Forbidden,
    Gone,
    NotFound,
    OriginFailed,
    OriginTimeout,
    Unauthorized,
    Untrusted,
)
from phaleron.web.options import WebOptions
from tests.world.webserver import BASE, DATE, Pieces, Served, web_server

INFO, MOD, ZIP, LIST = (f"{BASE}/@v/{name}" for name in ("v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip", "list"))
FOR_EVER = b"public, max-age=31536000, immutable"
SOON = b"public, max-age=60"
MODIFIED = "Tue, 02 Jan 2024 03:04:05 GMT"


@pytest.mark.parametrize(
    ("target", "content_type", "cache_control"),
    [
        (INFO, b"application/json", FOR_EVER),
        (MOD, b"text/plain; charset=utf-8", FOR_EVER),
        (ZIP, b"application/zip", FOR_EVER),
        (LIST, b"text/plain; charset=utf-8", b"public, max-age=60, stale-while-revalidate=3600, stale-if-error=86400"),
        (
            f"{BASE}/@latest",
            b"application/json",
            b"public, max-age=60, stale-while-revalidate=3600, stale-if-error=86400",
        ),
        (
            f"{BASE}/@v/main.info",
            b"application/json",
            b"public, max-age=60, stale-while-revalidate=3600, stale-if-error=86400",
        ),
        ("/sumdb/sum.example/supported", b"text/plain; charset=utf-8", SOON),
        ("/sumdb/sum.example/tile/8/0/000", b"application/octet-stream", FOR_EVER),
        ("/livez", b"text/plain; charset=utf-8", b"no-store"),
        ("/", b"text/plain; charset=utf-8", SOON),
        ("/version", b"application/json", SOON),
        ("/index", b"application/x-ndjson", b"public, max-age=10"),
        ("/catalog", b"application/json", b"no-store"),
    ],
)
async def test_get_and_head_say_the_same(
    target: str, content_type: bytes, cache_control: bytes, tmp_path: Path
) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        for _ in range(2):
            got = await connection.ask(target)
            head = await connection.ask(target, method="HEAD")
            assert (got.status, got["content-type"], got["cache-control"]) == (200, content_type, cache_control)
            assert got["x-content-type-options"] == b"nosniff"
            assert got["content-length"] == str(len(got.body)).encode()
            assert (head.status, head.headers, head.body) == (200, got.headers, b"")


@pytest.mark.parametrize(
    ("error", "status", "cache_control", "header"),
    [
        (NotFound("no"), 404, SOON, None),
        (Gone("no"), 410, b"public, max-age=600", None),
        (Unauthorized("no"), 401, b"no-store", ("www-authenticate", b'Basic realm="phaleron"')),
        (Forbidden("no"), 403, b"no-store", None),
        (Untrusted("no"), 403, b"no-store", None),
        (OriginFailed("no"), 502, b"no-store", None),
        (OriginTimeout("no"), 504, b"no-store", None),
        (Busy("no", retry_after_s=7), 503, b"no-store", ("retry-after", b"7")),
        (BadRequest("no"), 400, b"no-store", None),
        (ZeroDivisionError("a secret"), 500, b"no-store", None),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Exception) else "",
)
async def test_what_goes_wrong_has_its_status(
    error: Exception, status: int, cache_control: bytes, header: tuple[str, bytes] | None, tmp_path: Path
) -> None:
    async with web_server(tmp_path) as server:
        server.source.error = error
        for target in (INFO, MOD, ZIP, LIST, f"{BASE}/@latest"):
            got = await server.ask(target)
            assert (got.status, got["cache-control"]) == (status, cache_control)
            assert got["content-type"] == b"text/plain; charset=utf-8"
            assert got.body.count(b"\n") == 1
            assert b"secret" not in got.body
            if header is not None:
                assert got[header[0]] == header[1]
            if status >= 500:
                assert got["x-request-id"] in got.body


async def test_an_error_text_is_one_bounded_line_of_printable_characters(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        server.source.error = NotFound("a\r\nset-cookie: b\x1b[31m\u202e" + "x" * 5000)
        got = await server.ask(MOD)
        assert got.body.startswith(b"not found: a  set-cookie: b [31m ")
        assert got.body.count(b"\n") == 1
        assert len(got.body) < 700


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(method: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        for target in (MOD, "/livez", "/no/such"):
            got = await server.ask(target, method=method)
            assert (got.status, got["allow"], got["cache-control"]) == (405, b"GET, HEAD", b"public, max-age=86400")
    assert not server.source.asked


@pytest.mark.parametrize("target", [INFO, MOD, ZIP])
async def test_conditions(target: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        whole = await connection.ask(target)
        tag = whole["etag"].decode()
        assert tag.startswith('"') and len(tag) == 66
        for given in (tag, f"W/{tag}", "*", f'"x", {tag}'):
            for method in ("GET", "HEAD"):
                got = await connection.ask(target, method=method, if_none_match=given)
                assert (got.status, got["etag"].decode(), got["cache-control"]) == (304, tag, FOR_EVER)
                assert DATE in got.headers
        assert await connection.ask(target, if_none_match='"x"') == whole
        assert await connection.ask(target, if_match=tag) == whole
        assert (await connection.ask(target, if_match=f"W/{tag}")).status == 412
        assert (await connection.ask(target, if_match='"x"')).status == 412
        # A tag is asked before a date.
        assert (await connection.ask(target, if_none_match='"x"', if_modified_since=MODIFIED)).status == 200


async def test_a_date_is_a_condition_where_a_time_is_known(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        assert (await connection.ask(INFO))["last-modified"].decode() == MODIFIED
        assert (await connection.ask(INFO, if_modified_since=MODIFIED)).status == 304
        assert (await connection.ask(INFO, if_modified_since="Mon, 01 Jan 2024 03:04:05 GMT")).status == 200
        assert (await connection.ask(INFO, if_modified_since="not a date")).status == 200
        assert (await connection.ask(MOD, if_modified_since=MODIFIED)).status == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=299990-", 299_990, 299_999),
        ("bytes=-7", 299_993, 299_999),
        ("bytes=-999999", 0, 299_999),
        ("bytes=10-999999999", 10, 299_999),
        ("BYTES=5-9", 5, 9),
    ],
)
async def test_a_range(asked: str, first: int, last: int, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        for _ in range(2):
            got = await connection.ask(ZIP, range=asked)
            assert (got.status, got.body) == (206, server.source.zip_body[first : last + 1])
            assert got["content-range"] == f"bytes {first}-{last}/300000".encode()
            assert got["cache-control"] == FOR_EVER
            tag = got["etag"].decode()
            assert (await connection.ask(ZIP, range=asked, if_range=tag)).status == 206
            assert (await connection.ask(ZIP, range=asked, if_range='"x"')).status == 200
            assert (await connection.ask(ZIP, range=asked, method="HEAD")).status == 200


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=9-5", "lines=0-1", "bytes=", "bytes=x-y", "bytes=--1"])
async def test_what_is_no_single_range_gets_the_whole(asked: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(ZIP, range=asked)
        assert (got.status, got.body) == (200, server.source.zip_body)


@pytest.mark.parametrize("asked", ["bytes=300000-", "bytes=300000-300001", "bytes=-0"])
async def test_a_range_beyond_the_end(asked: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(ZIP, range=asked)
        assert (got.status, got["content-range"], got.body) == (416, b"bytes */300000", b"")
        assert got["cache-control"] == b"no-store"


@pytest.mark.parametrize("value", ["1", "t", "T", "TRUE", "true", "True"])
async def test_disable_module_fetch_asks_the_store_alone(value: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(ZIP, disable_module_fetch=value)
        assert (got.status, got.body, got["vary"]) == (200, b"kept", b"Disable-Module-Fetch")
        assert (await server.ask(f"/cached-only{ZIP}")).body == b"kept"
        assert not server.source.asked


@pytest.mark.parametrize("value", ["0", "false", "yes", ""])
async def test_disable_module_fetch_of_another_value_does_not(value: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        assert (await server.ask(ZIP, disable_module_fetch=value)).body == server.source.zip_body


async def test_a_request_that_was_here_before_is_a_loop(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(MOD, phaleron_hops=f"abc, {server.hops.identity}")
        assert (got.status, got["phaleron-loop"]) == (502, b"1")
        assert b"loop" in got.body
        assert (await server.ask(MOD, phaleron_hops="abc")).status == 200


async def test_a_request_id_is_echoed_if_it_is_one(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        assert (await server.ask(MOD, x_request_id="a-1.b_2~"))["x-request-id"] == b"a-1.b_2~"
        assert (await server.ask(MOD, athens_request_id="abc"))["x-request-id"] == b"abc"
        for bad in ("a b", "x" * 129, "<script>", "\xe4"):
            assert (await server.ask("/no/such", x_request_id=bad))["x-request-id"] != bad.encode("latin-1")


async def test_all_is_served_below_a_prefix(tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(path_prefix="/go")) as server, server.connection() as connection:
        for target in (MOD, ZIP, LIST, "/livez", f"/cached-only{MOD}", "/sumdb/sum.example/supported", "/"):
            assert (await connection.ask(f"/go{target}")).status == 200
        assert (await connection.ask("/go")).status == 200
        assert (await connection.ask(MOD)).status == 404
        assert (await connection.ask(f"/gopher{MOD}")).status == 404
        assert (await connection.ask("/livez")).status == 200
        assert b"http://x/go\n" in (await connection.ask("/go/")).body


@pytest.mark.parametrize(
    "target",
    [
        "/index?limit=0",
        "/index?limit=-1",
        "/index?limit=x",
        "/index?limit=1.5",
        "/index?since=yesterday",
        "/index?since=2024-13-01T00:00:00Z",
        "/index?since=0000-01-01T00:00:00Z",
        "/index?since=2024-01-01T00:00:00%2B99:00",
        "/index?token=x",
        "/catalog?pagesize=x",
        "/catalog?pagesize=0",
        "/catalog?token=x",
        "/%zz",
        f"{BASE}/@v/v1.0.0%.info",
    ],
)
async def test_bad_parameters_and_escapes(target: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(target)
        assert (got.status, got["cache-control"]) == (400, b"no-store")


@pytest.mark.parametrize(
    "target",
    [
        "/index?since=2024-01-02T03:04:05Z",
        "/index?since=2024-01-02T03:04:05.123456789Z",
        "/index?since=0001-01-01T00:00:00%2B23:00",
        "/index?since=9999-12-31T23:59:59Z&include=all",
        "/index?limit=999999999",
        "/catalog?pagesize=999999999",
        "/catalog?token=example.com/a|v1.0.0",
    ],
)
async def test_good_parameters(target: str, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(target)
        assert got.status == 200
        assert got.body in (b"", b'{"modules":[]}')


async def test_version_and_robots(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        assert json.loads((await server.ask("/version")).body)["name"] == "phaleron"
        assert (await server.ask("/robots.txt")).body == b"User-agent: *\nDisallow: /\n"


async def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    async with web_server(tmp_path, zip_bytes=3_000_000) as server, server.connection() as connection:
        order = [MOD, ZIP, INFO, MOD, ZIP, ZIP, LIST, "/no/such", INFO, ZIP, MOD]
        alone = [await server.ask(target) for target in order]
        alone = [await server.ask(target) for target in order]
        for target in order * 3:
            connection.send(target)
        for expected in alone * 3:
            got = await connection.receive()
            assert (got.status, got.body) == (expected.status, expected.body)
        assert server.cache.hits > 0


async def test_two_requests_of_which_the_first_waits(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        assert (await connection.ask(MOD)).status == 200
        server.source.hold = asyncio.Event()
        connection.send(LIST)
        connection.send(MOD)
        async with asyncio.timeout(5):
            while not server.source.asked["list"]:
                await asyncio.sleep(0.01)
        server.source.hold.set()
        assert (await connection.receive()).body == b"v1.0.0\n"
        assert (await connection.receive()).body == server.source.mod_body


async def test_who_hangs_up_is_not_waited_for(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        server.source.hold = asyncio.Event()
        async with server.connection() as connection:
            connection.send(ZIP)
            async with asyncio.timeout(5):
                while not server.source.asked:
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            while not server.source.cancelled:
                await asyncio.sleep(0.01)


async def test_a_zip_that_arrives_is_sent_as_it_comes_and_cut_if_it_breaks(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        server.source.content = Pieces([b"ab", b"cd"], 4)
        got = await server.ask(ZIP)
        assert (got.status, got.body, got["content-length"], got["etag"]) == (200, b"abcd", b"4", b"")
        assert (await server.ask(ZIP, method="HEAD"))["content-length"] == b"4"
        assert (await server.ask(ZIP, range="bytes=0-1")).status == 200
        server.source.content = Pieces([b"ab", b"cd"], 9, OriginFailed("broke off"))
        async with server.connection() as connection:
            connection.send(ZIP)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await connection.receive()
        assert server.cache.hits == 0


async def _stop_reading(server: Served, target: str) -> None:
    """Ask for something big on a connection with small buffers, read nothing, and wait until it is cut."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", server.port))
    try:
        await loop.sock_sendall(sock, f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        async with asyncio.timeout(10):
            while not server.state.connections:
                await asyncio.sleep(0.01)
            while server.state.connections:
                await asyncio.sleep(0.01)
    finally:
        sock.close()


@pytest.mark.parametrize("repeated", [False, True])
async def test_a_client_that_takes_nothing_of_a_zip_is_given_up(repeated: bool, tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(idle_s=0.3), zip_bytes=20_000_000) as server:
        if repeated:
            await server.ask(ZIP)
        await _stop_reading(server, ZIP)
        assert server.cache.hits == repeated
        assert (await server.ask(ZIP)).body == server.source.zip_body


async def test_a_client_that_takes_nothing_of_a_zip_that_arrives_is_given_up(tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(idle_s=0.3)) as server:
        server.source.content = Pieces([bytes(1_000_000)] * 20, 20_000_000)
        await _stop_reading(server, ZIP)


async def test_a_client_that_takes_nothing_of_a_small_answer_is_given_up(tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(idle_s=0.2)) as server:
        server.source.mod_body = bytes(12_000_000)
        async with asyncio.timeout(20):
            stopping = asyncio.create_task(_stop_reading(server, MOD))
            while not server.lanes() or not server.lanes()[0].timeout_keep_alive_task:
                await asyncio.sleep(0.01)
            # Its keep-alive time is over; the fixture's is too long to be waited for.
            server.lanes()[0].timeout_keep_alive_handler()
            await stopping


async def test_a_slow_reader_gets_the_whole(tmp_path: Path) -> None:
    async with web_server(tmp_path, zip_bytes=5_000_000) as server:
        await server.ask(ZIP)
        async with server.connection(limit=2048) as connection:
            connection.send(ZIP)
            await connection.reader.readuntil(b"\r\n\r\n")
            body = bytearray()
            while len(body) < 5_000_000:
                body += await connection.reader.readexactly(min(50_000, 5_000_000 - len(body)))
                await asyncio.sleep(0)
            assert bytes(body) == server.source.zip_body
            assert (await connection.ask(MOD)).status == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b"\r\n"])
async def test_a_head_that_does_not_come_is_not_waited_for(sent: bytes, tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(head_s=0.2)) as server, server.connection() as connection:
        connection.writer.write(sent)
        assert await connection.ended() == b""


async def test_a_second_head_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(head_s=0.2)) as server, server.connection() as connection:
        assert (await connection.ask(MOD)).status == 200
        connection.writer.write(b"GET / HTT")
        assert await connection.ended() == b""


async def test_a_connection_in_use_outlives_the_time_for_a_head(tmp_path: Path) -> None:
    async with web_server(tmp_path, WebOptions(head_s=0.1)) as server, server.connection() as connection:
        server.source.hold = asyncio.Event()
        connection.send(MOD)
        await asyncio.sleep(0.35)
        server.source.hold.set()
        assert (await connection.receive()).status == 200
        await asyncio.sleep(0.35)  # and one that is kept alive, too
        assert (await connection.ask(MOD)).status == 200


async def test_a_head_without_end_is_refused(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        connection.writer.write(b"GET / HTTP/1.1\r\n")
        sent = 0
        with pytest.raises(ConnectionError):
            while sent < 50_000_000:
                connection.writer.write(b"x: " + b"y" * 10_000 + b"\r\n")
                await connection.writer.drain()
                sent += 10_000
        assert sent < 20_000_000


async def test_a_head_of_ordinary_size_passes(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        assert (await server.ask(MOD, cookie="x" * 30_000)).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n bad\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_answered_400(sent: bytes, tmp_path: Path) -> None:
    async with web_server(tmp_path) as server, server.connection() as connection:
        connection.writer.write(sent)
        answer = await connection.ended()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"\r\ncache-control: no-store\r\n" in answer
        assert (await server.ask(MOD)).status == 200


async def test_an_upgrade_is_not_taken_up(tmp_path: Path) -> None:
    async with web_server(tmp_path) as server:
        got = await server.ask(MOD, connection="Upgrade, HTTP2-Settings", upgrade="h2c", http2_settings="AAMAAABk")
        assert (got.status, got.body) == (200, server.source.mod_body)


async def test_a_client_that_resets_does_no_harm(tmp_path: Path) -> None:
    async with web_server(tmp_path, zip_bytes=20_000_000) as server:
        for _ in range(2):
            for _ in range(20):
                sock = socket.create_connection(("127.0.0.1", server.port))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.sendall(f"GET {ZIP} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                await asyncio.sleep(0.005)
                sock.close()
            assert (await server.ask(ZIP)).body == server.source.zip_body
        async with asyncio.timeout(10):
            while server.state.connections or server.state.tasks:
                await asyncio.sleep(0.01)


async def test_500_clients_at_once_share_one_zip(tmp_path: Path) -> None:
    async with web_server(tmp_path, zip_bytes=400_000) as server:

        async def one() -> bool:
            return (await server.ask(ZIP)).body == server.source.zip_body

        assert all(await asyncio.gather(*(one() for _ in range(500))))
        assert len({id(e.stored) for e in server.cache.entries.values()}) == 1


async def test_over_tls_the_answers_are_the_same(tmp_path: Path) -> None:
    authority = trustme.CA()
    there, here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(there)
    authority.configure_trust(here)
    async with (
        web_server(tmp_path, zip_bytes=3_000_000, server_tls=there, client_tls=here) as server,
        server.connection() as connection,
    ):
        for _ in range(2):
            got = await connection.ask(ZIP)
            assert (got.status, got.body) == (200, server.source.zip_body)
            got = await connection.ask(ZIP, range="bytes=1000000-1999999")
            assert (got.status, got.body) == (206, server.source.zip_body[1_000_000:2_000_000])
            assert (await connection.ask(MOD)).body == server.source.mod_body
        assert server.cache.hits == 1  # files do not pass through the lane here

"""The client before servers that are slow, broken, lying or gone."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from phaleron.errors import OriginFailed, OriginTimeout
from phaleron.net.client import Client, ClientOptions
from phaleron.net.hops import HOPS_HEADER, LOOP_HEADER, Hops, incoming_hops
from tests.support.origin import Answering, Asked, Wire, always, cut, hang, in_turn, origin, reset

IMPATIENT = ClientOptions(connect_s=2, headers_s=0.3, idle_s=0.3, retry_s=0)
ENOUGH = 1 << 20


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(IMPATIENT, environment={}) as client:
        yield client


async def read(client: Client, url: str, limit: int = ENOUGH) -> bytes:
    async with client.get(url) as response:
        return await response.read(limit)


def bodiless(head: str) -> Answering:
    async def answer(asked: Asked, wire: Wire) -> None:
        await wire.raw(f"HTTP/1.1 {head}\r\n\r\n".encode())

    return answer


async def test_a_connection_serves_again_after_answers_of_every_kind(client: Client) -> None:
    async def answer(asked: Asked, wire: Wire) -> None:
        match asked.target:
            case "/moved":
                await wire.send(302, b"over there", Location="/found")
            case "/found":
                await wire.send(200, b"found")
            case _:
                await wire.send(404, b"not here")

    async with origin(answer) as it:
        assert await read(client, f"{it.url}/moved") == b"found"
        assert await read(client, f"{it.url}/nowhere") == b"not here"
        assert await read(client, f"{it.url}/found") == b"found"
        assert it.connections == 1


async def late(asked: Asked, wire: Wire) -> None:
    """Send a redirect whose body follows some time after its head, then what it leads to."""
    if asked.target != "/moved":
        await wire.send(200, b"found")
        return
    await wire.raw(b"HTTP/1.1 302 Found\r\nLocation: /found\r\nContent-Length: 4\r\n\r\n")
    await asyncio.sleep(0.05)
    await wire.raw(b"late")


async def late_503(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\n")
    await asyncio.sleep(0.05)
    await wire.raw(b"late")


async def test_a_short_body_that_nobody_wants_is_waited_for_to_keep_its_connection(client: Client) -> None:
    async with origin(late) as it:
        assert await read(client, f"{it.url}/moved") == b"found"
        assert it.connections == 1
        it.answer = in_turn(late_503, always(200, b"now"))
        async with client.get(it.url, retry_s=5) as response:
            assert await response.read(ENOUGH) == b"now"
        assert it.connections == 1


async def test_a_body_that_nobody_wants_is_not_waited_for_where_it_is_long(client: Client) -> None:
    async def long(asked: Asked, wire: Wire) -> None:
        if asked.target == "/found":
            await wire.send(200, b"found")
            return
        await wire.raw(b"HTTP/1.1 302 Found\r\nLocation: /found\r\nContent-Length: 1000000\r\n\r\n")
        await wire.hang()

    async with origin(long) as it:
        assert await read(client, f"{it.url}/moved") == b"found"
        assert it.connections == 2


async def test_a_kept_connection_that_the_server_has_closed_is_no_failure(client: Client) -> None:
    async def answer(asked: Asked, wire: Wire) -> None:
        await wire.send(200, b"once")
        wire.cut()

    async with origin(answer) as it:
        assert await read(client, it.url) == b"once"
        assert await read(client, it.url) == b"once"


async def slow_head(asked: Asked, wire: Wire) -> None:
    """Send a byte of the head from time to time: each is in time, all together are not."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Filling: " + b"x" * 100:
        await wire.raw(bytes([byte]))
        await asyncio.sleep(0.02)


async def half_a_body(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    await wire.hang()


async def cut_body(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    wire.cut()


async def cut_chunks(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    wire.cut()


async def no_http(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    wire.cut()


PACKED = gzip.compress(b"x" * 1000)

BROKEN: list[tuple[str, Answering, type[Exception], str]] = [
    ("no head", hang, OriginTimeout, "did not answer within 0.3 s"),
    ("a head in drops", slow_head, OriginTimeout, "did not answer within 0.3 s"),
    ("silence within a body", half_a_body, OriginTimeout, "sent nothing for 0.3 s"),
    ("a body shorter than announced", cut_body, OriginFailed, "broke off before its answer was whole"),
    ("chunks without an end", cut_chunks, OriginFailed, "broke off before its answer was whole"),
    ("a reset", reset, OriginFailed, "closed the connection without an answer"),
    ("a hang-up", cut, OriginFailed, "closed the connection without an answer"),
    ("another protocol", no_http, OriginFailed, "does not answer in HTTP"),
    ("a length that is no number", bodiless("200 OK\r\nContent-Length: many"), OriginFailed, "does not answer in HTTP"),
    ("too long, as announced", always(200, b"x" * (ENOUGH + 1)), OriginFailed, f"limit of {ENOUGH} bytes"),
    (
        "too long, unannounced",
        always(200, b"x" * (ENOUGH + 1), Content_Length="", Connection="close"),
        OriginFailed,
        f"limit of {ENOUGH} bytes",
    ),
    (
        "a gzip bomb",
        always(200, gzip.compress(bytes(20 * ENOUGH)), Content_Encoding="gzip"),
        OriginFailed,
        f"limit of {ENOUGH} bytes",
    ),
    ("a cut gzip", always(200, PACKED[:-9], Content_Encoding="gzip"), OriginFailed, "compressed stream is cut"),
    ("no gzip", always(200, b"plain text", Content_Encoding="gzip"), OriginFailed, "cannot be unpacked"),
    ("a damaged gzip", always(200, PACKED[:-8] + bytes(8), Content_Encoding="gzip"), OriginFailed, "unpacked"),
    ("another packing", always(200, b"?", Content_Encoding="br"), OriginFailed, "compressed as 'br'"),
    ("a ring of redirects", always(302, Location="/again"), OriginFailed, "redirects more than 10 times"),
    ("a redirect to a file", always(302, Location="file:///etc/passwd"), OriginFailed, "no http or https address"),
    ("a redirect to nowhere", always(302, Location="http://[::1"), OriginFailed, "no address"),
]


@pytest.mark.parametrize(("answer", "kind", "text"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_what_a_server_does_wrong_is_told_in_one_line(
    client: Client, answer: Answering, kind: type[Exception], text: str
) -> None:
    async with origin(answer) as it:
        with pytest.raises(kind) as caught:
            await read(client, it.url.replace("http://", "http://user:geheim@"))
    message = str(caught.value)
    assert it.host in message
    assert text in message
    assert "geheim" not in message
    assert "\n" not in message


async def test_a_packed_body_is_unpacked_and_may_be_in_parts(client: Client) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"x" * 300_000)
    async with origin(always(200, body, Content_Encoding="gzip")) as it:
        assert await read(client, it.url) == b"one " + b"x" * 300_000


async def test_a_gzip_that_unpacks_to_nothing_for_ever_has_an_end(client: Client) -> None:
    async def answer(asked: Asked, wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        nothing = gzip.compress(b"") * 5000
        while not wire.writer.is_closing():
            await wire.raw(nothing)

    async with origin(answer) as it:
        with pytest.raises(OriginFailed, match="limit of"):
            await read(client, it.url)


async def test_nobody_listens(client: Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OriginFailed, match=f"{host} cannot be reached: Connection refused"):
        await read(client, f"http://user:geheim@{host}")


async def test_a_connection_that_does_not_come_about_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        host = f"127.0.0.1:{full.getsockname()[1]}"
        waiting = []
        for _ in range(3):  # a queue that is full takes no more, and says nothing
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(full.getsockname())
            waiting.append(s)
        try:
            options = ClientOptions(connect_s=0.2, retry_s=0)
            async with Client(options, environment={}) as client:
                with pytest.raises(OriginTimeout, match=f"{host} took no connection within 0.2 s"):
                    await read(client, f"http://{host}")
        finally:
            for s in waiting:
                s.close()


async def test_a_name_without_an_address(client: Client) -> None:
    with pytest.raises(OriginFailed, match=r"^nowhere\.invalid: its name has no address$"):
        await read(client, "http://nowhere.invalid/x")


# Second tries.

PATIENT = ClientOptions(headers_s=5, idle_s=5, retry_s=5)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_status_that_says_later_is_asked_again(status: int) -> None:
    async with Client(PATIENT, environment={}) as client, origin(in_turn(always(status), always(200, b"now"))) as it:
        assert await read(client, it.url) == b"now"
        assert len(it.asked) == 2
        assert it.connections == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501, 504])
async def test_any_other_status_is_the_answer(status: int) -> None:
    async with Client(PATIENT, environment={}) as client, origin(always(status, b"no")) as it:
        async with client.get(it.url) as response:
            assert response.status == status
        assert len(it.asked) == 1


async def no_first_byte(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    wire.reset()


@pytest.mark.parametrize("failing", [reset, cut, no_first_byte])
async def test_a_connection_that_breaks_before_a_byte_of_the_body_is_tried_again(failing: Answering) -> None:
    answers = in_turn(failing, failing, failing, always(200, b"at last"))
    async with Client(PATIENT, environment={}) as client, origin(answers) as it:
        assert await read(client, it.url) == b"at last"


async def test_a_body_that_breaks_later_is_not_asked_for_again() -> None:
    async with Client(PATIENT, environment={}) as client, origin(cut_body) as it:
        with pytest.raises(OriginFailed):
            await read(client, it.url)
        assert len(it.asked) == 1


async def test_a_server_that_is_down_is_tried_a_few_times_and_not_for_the_whole_budget() -> None:
    async with Client(ClientOptions(retry_s=60), environment={}) as client, origin(reset) as it:
        with pytest.raises(OriginFailed, match="closed the connection without an answer"):
            await read(client, it.url)
        assert 4 <= len(it.asked) <= 8  # the library asks once more by itself, for the sake of kept connections


async def test_all_tries_end_within_the_budget() -> None:
    options = ClientOptions(retry_s=1)
    async with Client(options, environment={}) as client, origin(always(503, b"full")) as it:
        began = time.monotonic()
        async with client.get(it.url) as response:
            assert (response.status, await response.read(100)) == (503, b"full")
        assert 2 <= len(it.asked) <= 5
        assert time.monotonic() - began < 3


async def test_a_second_try_that_hangs_ends_with_the_budget() -> None:
    options = ClientOptions(retry_s=0.6)
    async with Client(options, environment={}) as client, origin(in_turn(always(503), hang)) as it:
        began = time.monotonic()
        with pytest.raises(OriginTimeout, match=r"answered 503 Service Unavailable; asked again, .* within 0\.6 s"):
            await read(client, it.url)
        assert len(it.asked) == 2
        assert 0.5 < time.monotonic() - began < 3


async def test_one_question_may_have_a_budget_of_its_own() -> None:
    async with Client(PATIENT, environment={}) as client, origin(always(503)) as it:
        async with client.get(it.url, retry_s=0) as response:
            assert response.status == 503
        assert len(it.asked) == 1


async def test_retry_after_is_waited_for() -> None:
    answers = in_turn(always(429, Retry_After="1"), always(200, b"now"))
    began = time.monotonic()
    async with Client(PATIENT, environment={}) as client, origin(answers) as it:
        assert await read(client, it.url) == b"now"
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("is_date", [False, True])
async def test_a_retry_after_beyond_the_budget_is_not_waited_for(is_date: bool) -> None:
    after = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True) if is_date else "60"
    async with Client(PATIENT, environment={}) as client, origin(always(503, Retry_After=after)) as it:
        async with client.get(it.url) as response:
            assert response.status == 503
            assert response.retry_after_s == pytest.approx(60, abs=5)
        assert len(it.asked) == 1


async def test_a_loop_is_not_asked_again() -> None:
    async with Client(PATIENT, environment={}) as client, origin(always(502, **{LOOP_HEADER: "1"})) as it:
        async with client.get(it.url) as response:
            assert response.status == 502
        assert len(it.asked) == 1


async def test_a_pause_between_tries_does_not_hold_up_who_calls_it_off() -> None:
    options = ClientOptions(retry_s=60)
    async with Client(options, environment={}) as client, origin(always(503, Retry_After="30")) as it:
        asking = asyncio.create_task(read(client, it.url))
        while not it.asked:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert time.monotonic() - began < 1


# Redirects and credentials.


async def test_credentials_go_to_their_origin_and_to_no_other(client: Client) -> None:
    async with origin(always(200, b"stored")) as other, origin(always(302, Location=f"{other.url}/zip")) as it:
        assert await read(client, it.url.replace("//", "//us%40er:p%3Aw@")) == b"stored"
        assert it.asked[0].headers["authorization"] == "Basic dXNAZXI6cDp3"
        assert "authorization" not in other.asked[0].headers

        it.answer = in_turn(always(307, Location="/here?a=%2F&b=a+b"), always(200, b"moved"))
        assert await read(client, it.url.replace("//", "//u:p@")) == b"moved"
        assert it.asked[-1].target == "/here?a=%2F&b=a+b"
        assert it.asked[-1].headers["authorization"] == "Basic dTpw"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/a b|c", "/a%20b|c"),
        ("next?X-Signature=a%2Fb%2B~!'()*&b=%C3%BC", "/here/next?X-Signature=a%2Fb%2B~!'()*&b=%C3%BC"),
        ("../up", "/up"),
        ("?only=this", "/here/?only=this"),
    ],
)
async def test_a_redirect_is_followed_as_it_is_written_so_that_signatures_hold(
    client: Client, location: str, target: str
) -> None:
    async with origin(in_turn(always(302, Location=location), always(200, b"there"))) as it:
        assert await read(client, f"{it.url}/here/") == b"there"
        assert it.asked[-1].target == target


async def test_headers_that_are_secret_stay_behind_too(client: Client) -> None:
    async with origin(always(200)) as other, origin(always(302, Location=other.url)) as it:
        async with client.get(it.url, headers={"Authorization": "Bearer x", "Accept": "a/b"}) as response:
            assert response.url == other.url
        assert it.asked[0].headers["authorization"] == "Bearer x"
        assert other.asked[0].headers["accept"] == "a/b"
        assert "authorization" not in other.asked[0].headers


async def test_credentials_within_a_redirect_are_not_used(client: Client) -> None:
    async with origin(always(200, b"")) as other:
        async with origin(always(302, Location=other.url.replace("//", "//u:p@"))) as it:
            await read(client, it.url)
        assert "authorization" not in other.asked[0].headers


async def test_netrc_gives_credentials_for_the_host_that_was_named_alone(tmp_path: Path) -> None:
    async with origin(always(200, b"")) as other, origin(always(302, Location=other.url)) as it:
        lines = [f"machine {server.host} login a password b\n" for server in (it, other)]
        (tmp_path / ".netrc").write_text("".join(lines))
        async with Client(IMPATIENT, environment={"HOME": str(tmp_path)}) as client:
            await read(client, it.url)
        assert it.asked[0].headers["authorization"] == "Basic YTpi"
        assert "authorization" not in other.asked[0].headers


# https.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("how", ["file", "directory"])
async def test_https_trusts_whom_the_environment_names(authority: trustme.CA, tmp_path: Path, how: str) -> None:
    (tmp_path / "certs").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "certs" / "ours.crt")
    environment = {
        "file": {"SSL_CERT_FILE": str(tmp_path / "certs" / "ours.crt")},
        "directory": {"SSL_CERT_DIR": f"{tmp_path / 'none'}:{tmp_path / 'certs'}"},
    }[how]
    async with (
        Client(IMPATIENT, environment=environment) as client,
        origin(always(200, b"safe"), server_context(authority)) as it,
    ):
        assert await read(client, it.url) == b"safe"


async def test_https_trusts_nobody_else(client: Client, authority: trustme.CA) -> None:
    async with origin(always(200), server_context(authority)) as it:
        with pytest.raises(OriginFailed, match=f"{it.host}: its certificate is not trusted: .*issuer"):
            await read(client, it.url)


async def test_a_certificate_for_another_host_is_not_trusted(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ours.crt")
    async with (
        Client(PATIENT, environment={"SSL_CERT_FILE": str(tmp_path / "ours.crt")}) as client,
        origin(always(200), server_context(authority, "other.example")) as it,
    ):
        with pytest.raises(OriginFailed, match="its certificate is not trusted: IP address mismatch"):
            await read(client, it.url)


async def test_no_way_leads_from_https_to_http(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ours.crt")
    async with Client(IMPATIENT, environment={"SSL_CERT_FILE": str(tmp_path / "ours.crt")}) as client:
        async with (
            origin(always(200)) as plain,
            origin(always(302, Location=plain.url), server_context(authority)) as it,
        ):
            with pytest.raises(OriginFailed, match="redirects from https to http, which is not followed"):
                await read(client, it.url)
        assert not plain.asked


async def test_http_where_https_is_spoken_and_the_reverse(client: Client, authority: trustme.CA) -> None:
    async with origin(always(200), server_context(authority)) as it:
        with pytest.raises(OriginFailed, match=f"{it.host} closed the connection without an answer"):
            await read(client, it.url.replace("https:", "http:"))

    def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        with pytest.raises(OriginFailed, match=r"no secure connection: .*wrong version number"):
            await read(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()


# Hops.


async def test_requests_carry_the_hops_of_the_one_that_is_answered(client: Client) -> None:
    async with Client(IMPATIENT, hops=Hops("me"), environment={}) as client, origin(always(200)) as it:
        await read(client, it.url)
        token = incoming_hops.set("first,second")
        try:
            await asyncio.create_task(read(client, it.url))
        finally:
            incoming_hops.reset(token)
        assert [asked.headers[HOPS_HEADER.lower()] for asked in it.asked] == ["me", "first,second,me"]

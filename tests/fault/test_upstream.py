"""An upstream that refuses, fails, loops or lies, as its users get to read it."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from phaleron.errors import NotFound, OriginFailed, OriginTimeout, PhaleronError
from phaleron.gomod.path import ModulePath
from phaleron.gomod.version import Query, Version
from phaleron.net.client import Client, ClientOptions
from phaleron.net.hops import LOOP_HEADER
from phaleron.sources.answers import Limits
from phaleron.sources.upstream import Upstream
from tests.support.modules import info_of
from tests.support.origin import Answering, Asked, Origin, Wire, always, in_turn, origin, reset

M, V = ModulePath("example.com/Some/m"), Version("v1.0.0-RC1")
WHAT = "example.com/Some/m@v1.0.0-RC1"
OPTIONS = ClientOptions(connect_s=2, headers_s=0.5, idle_s=0.5, retry_s=0)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(OPTIONS, environment={}) as client:
        yield client


async def failure(client: Client, answer: Answering, **fields: object) -> tuple[PhaleronError, Origin]:
    async with origin(answer) as it:
        with pytest.raises(PhaleronError) as caught:
            await Upstream(it.url.replace("//", "//u:geheim@"), client).mod(M, V)
        assert "geheim" not in str(caught.value)
        return caught.value, it


# Status, body, the error it becomes, its text.
STATUSES: list[tuple[int, bytes, type[PhaleronError], str]] = [
    (404, b"not found: example.com/Some/m@v1.0.0-RC1: unknown revision\n", NotFound, f"{WHAT}: unknown revision"),
    (404, b"", NotFound, f"{WHAT}: HOST does not have it (404)"),
    (410, b"gone: taken back by its author", NotFound, f"{WHAT}: taken back by its author"),
    (400, b"bad path", OriginFailed, f"{WHAT}: HOST answered 400 Bad Request: bad path"),
    (401, b"", OriginFailed, f"{WHAT}: HOST answered 401 Unauthorized"),
    (403, b"forbidden: policy 7\nask x", OriginFailed, f"{WHAT}: HOST answered 403 Forbidden: policy 7"),
    (451, b"by law", OriginFailed, f"{WHAT}: HOST answered 451 Unavailable For Legal Reasons: by law"),
    (500, b"<html>oops</html>", OriginFailed, f"{WHAT}: HOST answered 500 Internal Server Error"),
    (503, b"full", OriginFailed, f"{WHAT}: HOST answered 503 Service Unavailable: full"),
    (201, b"module x", OriginFailed, f"{WHAT}: HOST answered 201 Created: module x"),
    (204, b"", OriginFailed, f"{WHAT}: HOST answered 204 No Content"),
    (304, b"", OriginFailed, f"{WHAT}: HOST answered 304 Not Modified"),
    (302, b"", OriginFailed, f"{WHAT}: HOST answered 302 Found"),
    (799, b"", OriginFailed, f"{WHAT}: HOST answered 799"),
]


@pytest.mark.parametrize(("status", "body", "kind", "text"), STATUSES)
async def test_a_status_becomes_an_error_with_the_upstreams_reason(
    client: Client, status: int, body: bytes, kind: type[PhaleronError], text: str
) -> None:
    answer = always(status, body) if status not in (204, 304) else always(status, Content_Length="")
    error, it = await failure(client, answer)
    assert type(error) is kind
    assert str(error) == text.replace("HOST", it.host)


async def test_a_reason_is_read_out_of_a_long_body_without_reading_it_all(client: Client) -> None:
    async def endless(asked: Asked, wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 404 Not Found\r\n\r\nnot found: no such tag\n")
        while not wire.writer.is_closing():
            await wire.raw(b"more and more of it\n" * 1000)

    error, _ = await failure(client, endless)
    assert (type(error), str(error)) == (NotFound, f"{WHAT}: no such tag")


async def test_a_reason_that_breaks_off_leaves_the_status(client: Client) -> None:
    async def cut(asked: Asked, wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 410 Gone\r\nContent-Length: 100\r\n\r\n")
        wire.reset()

    error, it = await failure(client, cut)
    assert (type(error), str(error)) == (NotFound, f"{WHAT}: {it.host} does not have it (410)")


@pytest.mark.parametrize(
    ("status", "after", "seconds"), [(503, "120", 120), (429, "1", 1), (503, "", None), (503, "soon", None)]
)
async def test_when_to_ask_again_is_handed_on(client: Client, status: int, after: str, seconds: int | None) -> None:
    error, _ = await failure(client, always(status, Retry_After=after))
    assert isinstance(error, OriginFailed)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize("body", [b"bad gateway: loop: this request was here before", b""])
async def test_a_loop_is_said_and_not_asked_again(body: bytes) -> None:
    async with Client(ClientOptions(retry_s=30), environment={}) as client:
        error, it = await failure(client, always(502, body, **{LOOP_HEADER: "1"}))
    assert type(error) is OriginFailed
    assert str(error).startswith(f"{WHAT}: {it.host} answered 502 Bad Gateway: loop: ")
    assert len(it.asked) == 1


async def test_what_is_asked_is_what_the_go_command_asks(client: Client) -> None:
    async with origin(always(404)) as it:
        source = Upstream(f"{it.url}/a%20b/go/", client)
        for asking in (
            source.versions(M),
            source.latest(M),
            source.info(M, V),
            source.info(M, Query("a#b%c d")),
            source.mod(M, Version("v2.0.0+incompatible")),
        ):
            with pytest.raises(NotFound):
                await asking
        base = "/a%20b/go/example.com/%21some/m"
        assert it.targets == [
            f"{base}/@v/list",
            f"{base}/@latest",
            f"{base}/@v/list",
            f"{base}/@v/v1.0.0-%21r%21c1.info",
            f"{base}/@v/a%23b%25c%20d.info",
            f"{base}/@v/v2.0.0+incompatible.mod",
        ]
        assert {asked.headers["accept-encoding"] for asked in it.asked} == {"gzip"}
        with pytest.raises(NotFound):
            await source.zip(M, V).__aenter__()
        assert it.targets[-1] == f"{base}/@v/v1.0.0-%21r%21c1.zip"
        assert it.asked[-1].headers["accept-encoding"] == "identity"
        assert it.connections == 1


async def test_a_host_beyond_ascii_is_asked_by_its_other_name(client: Client) -> None:
    with pytest.raises(OriginFailed, match=r"^example.com/Some/m: xn--bcher-kva\.invalid: its name has no address$"):
        await Upstream("https://b\u00fccher.invalid/go", client).versions(M)


async def test_failures_without_an_answer_say_what_was_asked(client: Client) -> None:
    error, it = await failure(client, reset)
    assert str(error) == f"{WHAT}: {it.host} closed the connection without an answer"

    async def silent(asked: Asked, wire: Wire) -> None:
        await wire.hang()

    error, it = await failure(client, silent)
    assert type(error) is OriginTimeout
    assert str(error) == f"{WHAT}: {it.host} did not answer within 0.5 s"


async def test_one_upstream_may_have_less_patience_than_the_client() -> None:
    async with Client(ClientOptions(retry_s=30), environment={}) as client, origin(always(503)) as it:
        with pytest.raises(OriginFailed):
            await Upstream(it.url, client, retry_s=0).versions(M)
        assert len(it.asked) == 1


# Zips.


async def read_zip(source: Upstream) -> bytes:
    async with source.zip(M, V) as content:
        return b"".join([piece async for piece in content])


async def half_a_zip(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(300_000))
    wire.cut()


async def stuck_zip(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(300_000))
    await wire.hang()


async def endless_zip(asked: Asked, wire: Wire) -> None:
    await wire.raw(b"HTTP/1.1 200 OK\r\n\r\n")
    while not wire.writer.is_closing():
        await wire.raw(bytes(100_000))


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (half_a_zip, OriginFailed, "broke off before its answer was whole"),
        (stuck_zip, OriginTimeout, "sent nothing for 0.5 s within its answer"),
        (endless_zip, OriginFailed, "longer than the limit of 1000000 bytes"),
        (always(200, bytes(1_000_001)), OriginFailed, "the zip is longer than the limit of 1000000 bytes"),
        (always(404), NotFound, "does not have it"),
    ],
)
async def test_a_zip_that_does_not_come_whole(
    client: Client, answer: Answering, kind: type[PhaleronError], text: str
) -> None:
    async with origin(answer) as it:
        with pytest.raises(kind, match=f"^{WHAT}: .*{text}"):
            await read_zip(Upstream(it.url, client, Limits(zip_bytes=1_000_000)))


async def test_a_zip_that_breaks_before_its_first_byte_is_asked_for_again() -> None:
    async def headless(asked: Asked, wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        wire.reset()

    answers = in_turn(headless, always(503), always(200, b"bytes"))
    async with Client(ClientOptions(), environment={}) as client, origin(answers) as it:
        assert await read_zip(Upstream(it.url, client)) == b"bytes"


async def test_the_readers_own_errors_pass_as_they_are(client: Client) -> None:
    ours = OriginFailed("the zip breaks a rule")
    async with origin(always(200, b"bytes")) as it:
        with pytest.raises(OriginFailed) as caught:
            async with Upstream(it.url, client).zip(M, V):
                raise ours
    assert caught.value is ours


async def test_a_question_that_is_called_off_ends_at_the_upstream_too(client: Client) -> None:
    left = asyncio.Event()

    async def answer(asked: Asked, wire: Wire) -> None:
        await wire.hang()
        left.set()

    async with origin(answer) as it:
        asking = asyncio.create_task(Upstream(it.url, client).versions(M))
        while not it.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(left.wait(), 5)


async def test_two_hundred_questions_at_once_share_no_bound_of_the_library(client: Client) -> None:
    release = asyncio.Event()

    async def answer(asked: Asked, wire: Wire) -> None:
        if len(it.asked) == 200:
            release.set()
        await release.wait()
        await wire.send(200, info_of(V))

    async with origin(answer) as it, Client(ClientOptions(retry_s=0), environment={}) as patient:
        source = Upstream(it.url, patient)
        answers = await asyncio.gather(*(source.info(M, V) for _ in range(200)))
        assert len(answers) == it.connections == 200


async def test_a_long_list_holds_up_nobody(client: Client) -> None:
    body = b"".join(b"v0.0.%d-alpha.%d\n" % (n, n) for n in range(59_999, -1, -1))
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.005)

    async with origin(always(200, body)) as it:
        ticking = asyncio.create_task(tick())
        answer = await Upstream(it.url, client).versions(M)
        ticking.cancel()
    assert len(answer.value) == 60_000
    longest_s = max(b - a for a, b in pairwise(ticks))
    assert longest_s < 0.5

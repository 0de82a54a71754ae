"""The client behind a forward proxy: a tiny real one, which forwards and tunnels to a server of the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from phaleron.errors import OriginFailed
from phaleron.net.client import Client, ClientOptions
from tests.support.origin import always, origin

OPTIONS = ClientOptions(headers_s=2, idle_s=2, retry_s=0)


@dataclass
class ForwardProxy:
    """Sends everything to `port`, whatever host is asked for: the names in these tests have no addresses."""

    port: int
    own_port: int = 0
    heads: list[str] = field(default_factory=list)
    refuse: bytes = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            if self.refuse:
                writer.write(self.refuse)
                return
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.port)
            if head.startswith("CONNECT "):
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                method, url, rest = head.split(" ", 2)
                there_writer.write(f"{method} {urlsplit(url).path} {rest}".encode())
            with suppress(ConnectionError):
                await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        finally:
            writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def forward_proxy(port: int) -> AsyncIterator[ForwardProxy]:
    proxy = ForwardProxy(port)
    tasks: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(
        lambda reader, writer: tasks.add(asyncio.create_task(proxy.serve(reader, writer))), "127.0.0.1", 0
    )
    proxy.own_port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def fetch(environment: dict[str, str], url: str) -> bytes:
    async with Client(OPTIONS, environment=environment) as client, client.get(url) as response:
        return await response.read(100)


async def test_http_goes_through_the_proxy_with_the_credentials_of_both() -> None:
    async with origin(always(200, b"hello")) as it, forward_proxy(it.port) as proxy:
        environment = {"HTTP_PROXY": f"http://me:pw@127.0.0.1:{proxy.own_port}"}
        assert await fetch(environment, "http://u:p@modules.example/prefix/x") == b"hello"
        assert proxy.heads[0].startswith("GET http://modules.example/prefix/x HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic bWU6cHc=" in proxy.heads[0]
        assert it.asked[0].headers["authorization"] == "Basic dTpw"
        assert it.asked[0].headers["host"] == "modules.example"


async def test_https_goes_through_a_tunnel_and_the_certificate_is_that_of_the_far_end(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("modules.example").configure_cert(context)
    async with origin(always(200, b"hello"), context) as it, forward_proxy(it.port) as proxy:
        environment = {
            "https_proxy": f"me:pw@127.0.0.1:{proxy.own_port}",
            "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
        }
        assert await fetch(environment, "https://u:p@modules.example/x") == b"hello"
        assert proxy.heads[0].startswith("CONNECT modules.example:443 HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic bWU6cHc=" in proxy.heads[0]
        assert "dTpw" not in proxy.heads[0]
        assert it.asked[0].headers["authorization"] == "Basic dTpw"
        assert "proxy-authorization" not in it.asked[0].headers


async def test_loopback_goes_direct() -> None:
    async with origin(always(200, b"hello")) as it, forward_proxy(it.port) as proxy:
        assert await fetch({"HTTP_PROXY": f"http://127.0.0.1:{proxy.own_port}"}, it.url) == b"hello"
        assert not proxy.heads


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_is_told_apart_from_its_host(scheme: str) -> None:
    async with origin(always(200)) as gone:
        pass
    environment = {f"{scheme.upper()}_PROXY": f"http://me:geheim@{gone.host}"}
    with pytest.raises(OriginFailed) as caught:
        await fetch(environment, f"{scheme}://modules.example")
    assert str(caught.value) == (f"modules.example cannot be reached through the proxy {gone.host}: Connection refused")


async def test_a_proxy_that_refuses_the_tunnel_says_why() -> None:
    async with forward_proxy(0) as proxy:
        proxy.refuse = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.own_port}"}
        with pytest.raises(OriginFailed, match=r"modules\.example: the proxy .* answered 407 Proxy Authentication Req"):
            await fetch(environment, "https://modules.example")


async def test_a_proxy_of_another_kind_is_refused_by_its_name() -> None:
    with pytest.raises(OriginFailed) as caught:
        await fetch({"HTTPS_PROXY": "socks5://geheim@127.0.0.1:1080"}, "https://modules.example")
    assert str(caught.value) == "HTTPS_PROXY names a socks5 proxy; only http and https ones can be used here"

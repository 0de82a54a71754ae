"""`phaleron serve`: the proxy that go commands talk to."""

import functools

from phaleron.cli.failure import CommandFailed
from phaleron.cli.options import FLAGS, Flags, takes_settings
from phaleron.cli.origins import upstreams
from phaleron.settings.listen import Listen
from phaleron.telemetry import logs


@takes_settings(*FLAGS)
def serve(flags: Flags) -> None:
    """Serve the GOPROXY protocol."""
    loaded = flags.load()
    settings = loaded.settings
    logs.configure(settings.log.level, settings.log.format)
    entries = upstreams(loaded)  # what is missing is told before anything is opened

    # The server and what it stands on are imported by those who serve.
    from phaleron.cli.wiring import serve_app, web_options
    from phaleron.net.hops import Hops
    from phaleron.net.netrc import sends_in_clear
    from phaleron.web.server import ServerOptions
    from phaleron.web.server import serve as run
    from phaleron.web.sockets import Address, ListenError
    from phaleron.web.tls import TlsError

    def address(listen: Listen) -> Address:
        return Address(listen.host, listen.port, listen.unix)

    admin = settings.web.admin_address
    options = ServerOptions(
        addresses=[address(settings.web.address), *([address(admin)] if admin else [])],
        workers=settings.web.workers,
        tls_cert=settings.web.tls_cert,
        tls_key=settings.web.tls_key,
        drain_s=settings.web.drain_s,
        warnings=[
            *loaded.warnings,
            *(f"credentials are sent to {entry.origin} in the clear" for entry in entries if sends_in_clear(entry.url)),
        ],
    )
    hops = Hops()  # one for all workers: each is this server
    try:
        code = run(functools.partial(serve_app, loaded, hops), options, web_options(settings))
    except (ListenError, TlsError) as e:
        raise CommandFailed(str(e)) from e
    if code:
        raise CommandFailed("a worker did not end well; its reason is in the log", exit_code=code)

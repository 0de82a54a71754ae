"""`phaleron serve`: the proxy that go commands talk to."""

import functools
import secrets

from phaleron.cli.options import FLAGS, Flags, takes_settings
from phaleron.cli.origins import upstreams
from phaleron.telemetry import logs


@takes_settings(*FLAGS)
def serve(flags: Flags) -> None:
    """Serve the GOPROXY protocol."""
    loaded = flags.load()
    settings = loaded.settings
    logs.configure(settings.log.level, settings.log.format)
    log = logs.get_logger(__name__)
    for warning in loaded.warnings:
        log.warning(warning)
    upstreams(loaded)  # what is missing is told before anything is opened

    # The server and what it stands on are imported by those who serve.
    from phaleron.cli.wiring import serve_app
    from phaleron.web.server import serve as run

    instance = secrets.token_hex(8)  # one name for all workers: each is this server
    run(functools.partial(serve_app, loaded, instance), settings)

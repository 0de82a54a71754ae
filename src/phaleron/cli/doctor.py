"""`phaleron doctor`: what would stop Phaleron from working here; with `--live`, whether a running server lives.

The questions that need no network are in `checks`; here are those to upstreams, and how all is told.
"""

import asyncio
import json
import sys
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Annotated

import typer

from phaleron.cli.checks import Finding, local_findings
from phaleron.cli.failure import CommandFailed
from phaleron.cli.options import FLAGS, Flags, Json, takes_settings
from phaleron.cli.origins import upstreams
from phaleron.cli.probe import ask
from phaleron.errors import PhaleronError
from phaleron.gomod.info import without_credentials
from phaleron.settings import Loaded
from phaleron.sumdb.database import parse_gosumdb
from phaleron.telemetry.secrets import mask

_SKEW_S = 300
_MARKS = {"fine": "ok  ", "doubt": "warn", "stop": "STOP"}


@takes_settings(*(flag for flag in FLAGS if not flag.startswith("--log-")))
def doctor(
    flags: Flags,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the running server whether it lives, and nothing else.")
    ] = False,
    json_: Json = False,
) -> None:
    """Say what would stop Phaleron from working here."""
    loaded = flags.load()
    if live:
        _live(loaded)
        return
    findings = list(local_findings(loaded))
    findings += asyncio.run(_upstream_findings(loaded))
    findings = [replace(finding, text=mask(finding.text)) for finding in findings]
    stops = [finding for finding in findings if finding.verdict == "stop"]
    if json_:
        print(json.dumps([{"check": f.what, "verdict": f.verdict, "text": f.text} for f in findings], indent=2))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.verdict]}  {finding.what}: {finding.text}")
    if stops:
        sys.stdout.flush()
        raise CommandFailed(f"would not work here: {', '.join(dict.fromkeys(f.what for f in stops))}")


def _live(loaded: Loaded) -> None:
    web = loaded.settings.web
    address, prefix, tls = web.address, web.path_prefix, bool(web.tls_cert)
    if web.admin_address is not None:
        address, prefix, tls = web.admin_address, "", False
    try:
        reply = ask(address, f"{prefix}/livez", tls=tls)
    except OSError as e:
        raise CommandFailed(f"{address} does not answer: {e.strerror or e}") from e
    if reply.status != 200:
        raise CommandFailed(f"{address} answers {reply.status} to /livez")
    print(f"{address} lives")


async def _upstream_findings(loaded: Loaded) -> list[Finding]:
    """Ask each upstream for next to nothing, all at once."""
    try:
        entries = upstreams(loaded)
    except CommandFailed:
        return []  # told among the local ones
    from phaleron.cli.wiring import open_client

    database = parse_gosumdb(loaded.settings.go.sumdb)
    question = f"sumdb/{database.name}/supported" if database is not None else ""
    urls = [entry.url.rstrip("/") for entry in entries if entry.url.startswith(("http://", "https://"))]
    async with open_client(loaded.settings, "doctor") as client:

        async def reach(url: str) -> Finding:
            shown = without_credentials(url)
            try:
                async with asyncio.timeout(20), client.get(f"{url}/{question}") as response:
                    skew = _skew_s(response.headers.get("Date"))
                    status = response.status
            except TimeoutError:
                return Finding("upstream", "stop", f"{shown} does not answer within 20 s")
            except PhaleronError as e:
                return Finding("upstream", "stop", str(e))
            if status in (401, 403):
                return Finding("upstream", "doubt", f"{shown} answers {status}: are credentials missing?")
            if status >= 500:
                return Finding("upstream", "doubt", f"{shown} answers {status}")
            if abs(skew) > _SKEW_S:
                return Finding("clock", "doubt", f"it is {skew:+.0f} s from that of {shown}")
            return Finding("upstream", "fine", f"{shown} answers")

        findings = list(await asyncio.gather(*(reach(url) for url in urls)))
    if any(finding.verdict == "fine" for finding in findings):
        # With one that answers something works; the others are a doubt.
        findings = [Finding(f.what, "doubt", f.text) if f.verdict == "stop" else f for f in findings]
    return findings


def _skew_s(date: str | None) -> float:
    """Give this machine's clock minus the other's, in seconds; 0 where that does not tell."""
    try:
        return time.time() - parsedate_to_datetime(date).timestamp() if date else 0.0
    except ValueError:
        return 0.0

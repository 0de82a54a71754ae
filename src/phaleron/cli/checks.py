"""What could stop Phaleron from working on this machine, one function a question; each says what it found in one line.

Nothing is changed: a directory that is not there is not made, and a port is free again when its check is over.
"""

import errno
import os
import re
import resource
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from phaleron.cli.failure import CommandFailed
from phaleron.cli.origins import upstreams
from phaleron.cli.probe import ask
from phaleron.settings import Loaded
from phaleron.settings.listen import Listen
from phaleron.sumdb.database import parse_gosumdb
from phaleron.telemetry.secrets import mask

Verdict = Literal["fine", "doubt", "stop"]

_LITTLE_SPACE_BYTES = 1 << 30
_NO_SPACE_BYTES = 64 << 20
_FEW_DESCRIPTORS = 4096
_TOO_FEW_DESCRIPTORS = 256
# Before this program was made (2026): a clock that says so was never set, and no certificate is valid for it.
_BEFORE_US_S = 1767225600
# Where SQLite's shared memory (WAL) or flock does not work between machines, or not at all.
_NETWORK_FILE_SYSTEMS = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|beegfs|gfs2?|ocfs2|glusterfs"
    r"|fuse\.(sshfs|s3fs|glusterfs|rclone|gcsfuse|blobfuse2?|cephfs|goofys|davfs2?|juicefs)"
).fullmatch


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `stop` is what would stop Phaleron from working, `doubt` what may trouble it later."""

    what: str
    verdict: Verdict
    text: str


def local_findings(loaded: Loaded) -> Iterator[Finding]:
    """Check all that needs no network."""
    settings = loaded.settings
    yield _settings(loaded)
    yield _writable(settings.store.directory)
    yield _file_system(settings.store.directory)
    yield _space(settings.store.directory)
    yield _port("listen", settings.web.address, tls=bool(settings.web.tls_cert), prefix=settings.web.path_prefix)
    if settings.web.admin_address is not None:
        yield _port("admin listener", settings.web.admin_address, tls=False, prefix="")
    yield _descriptors()
    if settings.web.tls_cert:
        yield _tls(settings.web.tls_cert, settings.web.tls_key)
    yield _go_environment(loaded)
    yield from (Finding("upstream", "doubt", warning) for warning in loaded.warnings)
    yield _origins(loaded)
    yield _sumdb(loaded)
    yield _clock()


def _settings(loaded: Loaded) -> Finding:
    return Finding(
        "settings", "fine", str(loaded.file) if loaded.file else "no phaleron.toml; flags, environment, defaults"
    )


def _nearest(directory: Path) -> Path:
    """Give the directory, or the nearest one above it that is there."""
    return next(place for place in (directory, *directory.parents) if place.exists())


def _writable(directory: Path) -> Finding:
    place = _nearest(directory)
    if not place.is_dir():
        return Finding("data", "stop", f"{place} is no directory")
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as e:
        return Finding(
            "data", "stop", f"{directory} cannot be written: {place}: {e.strerror}; --data DIR names another"
        )
    return Finding("data", "fine", f"{directory}{'' if place == directory else ' (will be made)'} can be written")


def _file_system(directory: Path) -> Finding:
    kind = file_system(_nearest(directory), _mounts())
    if _NETWORK_FILE_SYSTEMS(kind):
        text = f"{kind}: the catalog (SQLite) and the locks need a local file system; one server alone may work"
        return Finding("file system", "doubt", text)
    return Finding("file system", "fine", kind or "of a kind that this system does not tell")


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""  # not Linux


def file_system(place: Path, mounts: str) -> str:
    """Say on which kind of file system a directory is; `mounts` is a mountinfo file as proc(5) describes it."""
    best, kind = "", ""
    real = os.path.realpath(place)
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), left.split(" ")[4])
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind


def _space(directory: Path) -> Finding:
    place = _nearest(directory)
    free = shutil.disk_usage(place).free
    files = os.statvfs(place)
    text = f"{free / (1 << 30):.1f} GiB free"
    if files.f_files and files.f_favail < 1000:
        return Finding("space", "stop", f"{text}, and no more than {files.f_favail} files can be made on {place}")
    verdict: Verdict = "stop" if free < _NO_SPACE_BYTES else "doubt" if free < _LITTLE_SPACE_BYTES else "fine"
    return Finding("space", verdict, text)


def _port(what: str, address: Listen, *, tls: bool, prefix: str) -> Finding:
    trouble = _bind(address)
    if trouble is None:
        return Finding(what, "fine", f"{address} is free")
    if trouble.errno != errno.EADDRINUSE:
        return Finding(what, "stop", f"{address}: {trouble.strerror or trouble}")
    try:
        reply = ask(address, f"{prefix}/version", tls=tls)
    except OSError:
        return Finding(what, "stop", f"{address} is in use by something that does not answer in HTTP")
    who = "a running Phaleron" if "phaleron" in reply.body.lower() else "another HTTP server"
    return Finding(what, "stop", f"{address} is in use by {who}")


def _bind(address: Listen) -> OSError | None:
    """Take the address for a moment; give what is in the way."""
    if address.unix:
        return _bind_file(address.unix)
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = found[0]
        with socket.socket(family, kind, protocol) as taken:
            taken.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as servers do: old connections are no hindrance
            taken.bind(where)
    except OSError as e:
        return e
    return None


def _bind_file(name: str) -> OSError | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            folder = Path(name).absolute().parent
            if not os.access(folder, os.W_OK | os.X_OK):
                return OSError(errno.EACCES, f"{folder} cannot be written")
            return None
        except OSError as e:
            return e
    return OSError(errno.EADDRINUSE, "in use")


def _descriptors() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return Finding("descriptors", "fine", "no limit")
    verdict: Verdict = "stop" if hard < _TOO_FEW_DESCRIPTORS else "doubt" if hard < _FEW_DESCRIPTORS else "fine"
    return Finding("descriptors", verdict, f"up to {hard} (ulimit -Hn)")


def _tls(cert: str, key: str) -> Finding:
    for name in (cert, key):
        if not os.access(name, os.R_OK):
            return Finding("TLS", "stop", f"{name} cannot be read")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as e:
        reason = getattr(e, "reason", None) or e
        return Finding("TLS", "stop", f"{cert} and {key} do not work together: {reason}")
    return Finding("TLS", "fine", f"{cert} and {key} belong together")


def _go_environment(loaded: Loaded) -> Finding:
    places = [layer.place for layer in loaded.go.layers if layer.values]
    if not places:
        return Finding("Go environment", "fine", "none here; what is needed must be in the settings")
    return Finding("Go environment", "fine", ", ".join(places))


def _origins(loaded: Loaded) -> Finding:
    try:
        upstreams(loaded)
    except CommandFailed as e:
        return Finding("upstream", "stop", str(e))
    return Finding("upstream", "fine", f"{mask(loaded.settings.go.proxy)} ({loaded.places['go', 'proxy']})")


def _sumdb(loaded: Loaded) -> Finding:
    database = parse_gosumdb(loaded.settings.go.sumdb)
    if database is None:
        return Finding("checksum database", "doubt", "none: go commands must reach one themselves, or have GOSUMDB=off")
    return Finding("checksum database", "fine", f"{database.name} ({loaded.places['go', 'sumdb']})")


def _clock() -> Finding:
    now = time.time()
    if now < _BEFORE_US_S:
        return Finding("clock", "stop", f"it says {time.strftime('%Y-%m-%d', time.gmtime(now))}: it was never set")
    return Finding("clock", "fine", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))

"""Whom https connections trust: the system's certificates, and SSL_CERT_FILE and SSL_CERT_DIR as Go reads them.

OpenSSL knows the same two variables, but takes from a directory only files whose names are hashes; Go takes all of them, and
that is how people mount their own authorities. Source: crypto/x509, root_unix.go and root_linux.go.
"""

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where distributions keep their bundle, for a Python whose OpenSSL was built to look elsewhere; the first there is read."""


def trust(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Make the context for connections to origins.

    A file or directory that is not there adds nothing, as in Go; of one that a variable names the log has a warning.
    """
    context = ssl.create_default_context()
    built_in = ssl.get_default_verify_paths()
    file = environment.get("SSL_CERT_FILE")
    if file:
        if not _load(context, Path(file)):
            _log.warning("SSL_CERT_FILE names a file that cannot be read", file=file)
    elif built_in.cafile is None and built_in.capath is None:
        next((bundle for bundle in _SYSTEM_FILES if _load(context, Path(bundle))), None)
    for directory in filter(None, environment.get("SSL_CERT_DIR", "").split(":")):
        for entry in _entries(Path(directory)):
            _load(context, entry)
    return context


def _entries(directory: Path) -> Iterable[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as e:
        _log.warning("SSL_CERT_DIR names a directory that cannot be read", directory=str(directory), error=e.strerror)
        return ()


def _load(context: ssl.SSLContext, file: Path) -> bool:
    """Add the certificates of a file, and tell whether it could be read. What is no certificate in it adds nothing."""
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        return True
    except OSError:
        return False
    return True

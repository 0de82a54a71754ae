"""What can be configured: each setting with its type, default, bounds and meaning.

The names are an interface: `[section] name` in phaleron.toml, `PHALERON_SECTION_NAME` in the environment. The documentation
(`phaleron config --markdown`) and the template (`--defaults`) are made from this file. Values are checked one by one here;
where they come from and whether they agree with each other is for `load`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from phaleron.settings.listen import Listen, parse_listen
from phaleron.settings.units import DURATION, SIZE, read_duration, read_size


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of value a setting takes: in words, and how it is read where all values are text (environment, flags)."""

    words: str
    from_text: Callable[[str], object]


_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _whole(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return text


Text = Annotated[str, Shape("text", str)]
Choice = Shape("one word", str)
YesNo = Annotated[bool, Shape("true or false", lambda text: _WORDS.get(text.strip().lower(), text))]
Count = Annotated[int, Shape("a whole number", _whole)]
Size = Annotated[int, Shape(SIZE, str), BeforeValidator(read_size)]
Seconds = Annotated[float, Shape(DURATION, str), BeforeValidator(read_duration)]


def _address(text: str) -> str:
    return str(parse_listen(text)) if text else text


def _prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/") or "//" in text or set(text) & set(" ?#%\t\\")):
        raise ValueError(f'must look like "/go": a leading slash, no trailing one, no "//", not {text!r}')
    return text


Address = Annotated[Text, AfterValidator(_address)]


class Section(BaseModel):
    """A table of phaleron.toml."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Web(Section):
    """How Phaleron is reached."""

    listen: Address = Field(
        default="127.0.0.1:3000",
        min_length=1,
        description="Where to listen: `HOST:PORT` (port 0 picks a free one) or `unix:PATH`.",
    )
    workers: Count = Field(
        default=1, ge=1, le=256, description="Server processes. They share the store and its fetches."
    )
    path_prefix: Annotated[Text, AfterValidator(_prefix)] = Field(
        default="", description="A path below which everything is served, such as `/go`."
    )
    tls_cert: Text = Field(
        default="", description="Certificate chain, a PEM file; read again when it changes. Needs `tls_key`."
    )
    tls_key: Text = Field(default="", description="Private key of `tls_cert`, a PEM file.")
    admin_listen: Address = Field(
        default="", description="A listener of its own for the operators' routes; without it they are on `listen`."
    )
    drain_s: Seconds = Field(
        default=30, ge=0, le=86400, description="How long running downloads may take to finish after SIGTERM."
    )
    first_byte_s: Seconds = Field(
        default=20,
        ge=0,
        le=3600,
        description="A zip that takes longer than this begins to be sent while it still arrives.",
    )
    fast_lane: YesNo = Field(
        default=True,
        description="Answer what is stored before the web framework is reached. Off is for finding faults.",
    )
    lane_bytes: Size = Field(
        default=64 << 20,
        ge=0,
        le=1 << 40,
        description="Memory for small files and lists that are asked for often, in each worker.",
    )

    @property
    def address(self) -> Listen:
        """`listen`, parsed."""
        return parse_listen(self.listen)

    @property
    def admin_address(self) -> Listen | None:
        """`admin_listen`, parsed; None where it is not set."""
        return parse_listen(self.admin_listen) if self.admin_listen else None


class Store(Section):
    """Where modules are kept."""

    data: Text = Field(
        default_factory=lambda: platformdirs.user_data_dir("phaleron", appauthor=False),
        min_length=1,
        description="The data directory. Several servers on one machine may share it; it must be on a local disk.",
        json_schema_extra={"default": "the user data directory, on Linux `~/.local/share/phaleron`"},
    )

    @property
    def directory(self) -> Path:
        """`data` as an absolute path, with `~` as the home directory."""
        return Path(self.data).expanduser().absolute()


class Go(Section):
    """Where modules come from. What is not set here is what the machine's Go environment says."""

    proxy: Text = Field(
        default="",
        description="Upstream proxies, written as GOPROXY is: URLs with `,` or `|` between them, `direct`, `off`.",
    )
    private: Text = Field(
        default="",
        description="Patterns of private modules, as GOPRIVATE: never asked of an upstream or a checksum database.",
    )
    noproxy: Text = Field(
        default="",
        description="As GONOPROXY: patterns of modules that upstreams are not asked for; as `private` where not set.",
    )
    nosumdb: Text = Field(
        default="",
        description="As GONOSUMDB: patterns of modules that checksum databases are not asked for; as `private` where not set.",
    )
    sumdb: Text = Field(default="", description="The checksum database that is handed on, as GOSUMDB; `off` for none.")

    @property
    def noproxy_patterns(self) -> str:
        """`noproxy`, or `private` where it is not set."""
        return self.noproxy or self.private

    @property
    def nosumdb_patterns(self) -> str:
        """`nosumdb`, or `private` where it is not set."""
        return self.nosumdb or self.private


class Upstream(Section):
    """Patience with origins, and how much is taken from them."""

    connect_s: Seconds = Field(default=10, gt=0, le=3600, description="Time for a connection to be made.")
    headers_s: Seconds = Field(default=60, gt=0, le=3600, description="Time from a request to its answer's headers.")
    idle_s: Seconds = Field(default=30, gt=0, le=3600, description="The longest pause within a body.")
    retry_s: Seconds = Field(
        default=10,
        ge=0,
        le=3600,
        description="How long a request that failed in passing (429, 500, 502, 503) is tried again.",
    )
    list_bytes: Size = Field(default=4 << 20, ge=1, le=1 << 40, description="The largest version list.")
    info_bytes: Size = Field(default=1 << 20, ge=1, le=1 << 40, description="The largest `.info`.")
    mod_bytes: Size = Field(default=16 << 20, ge=1, le=1 << 40, description="The largest go.mod.")
    zip_bytes: Size = Field(default=500 << 20, ge=1, le=1 << 40, description="The largest zip.")


class Mirror(Section):
    """What is remembered, and for how long; how much is fetched at one time."""

    fresh_s: Seconds = Field(
        default=60,
        ge=0,
        le=31536000,
        description="A list, `@latest` or branch younger than this is served without asking its origin.",
    )
    stale_s: Seconds = Field(
        default=3600,
        ge=0,
        le=31536000,
        description="One that is older by up to this is served at once too, and refreshed behind the answer.",
    )
    refresh_wait_s: Seconds = Field(
        default=5,
        ge=0,
        le=3600,
        description="How long a request waits for the refresh of an even older one, before it gets the old one.",
    )
    absent_s: Seconds = Field(
        default=30, ge=0, le=86400, description="How long it is remembered that something is not there."
    )
    absent_entries: Count = Field(
        default=100_000, ge=1, le=100_000_000, description="How many absences, and how many failures, are remembered."
    )
    failed_s: Seconds = Field(default=2, ge=0, le=5, description="How long a failed fetch is remembered.")
    breaker_s: Seconds = Field(
        default=5,
        ge=0,
        le=3600,
        description="After a failed refresh its origin is left alone for so long, and what is kept is served.",
    )
    flights: Count = Field(default=64, ge=1, le=100_000, description="Fetches at one time.")
    flights_per_host: Count = Field(default=32, ge=1, le=100_000, description="Fetches at one time from one origin.")
    flight_bytes: Size = Field(
        default=1 << 30, ge=1, le=1 << 50, description="Bytes of zips that are on their way at one time."
    )
    deadline_s: Seconds = Field(
        default=30,
        gt=0,
        le=3600,
        description="How long a request waits for its turn before it is told to come again (503).",
    )
    complete: YesNo = Field(
        default=False, description="Fetch the other files of a version behind the one that was asked for."
    )


class Log(Section):
    """What Phaleron says about itself, on standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Choice] = Field(
        default="info", description="The least important that is logged."
    )
    format: Annotated[Literal["auto", "json", "text"], Choice] = Field(
        default="auto", description="`auto` is text on a terminal and JSON elsewhere."
    )


class Settings(BaseSettings):
    """All settings. Where they come from is given by `load`, not by the library's own rules."""

    model_config = SettingsConfigDict(strict=True, extra="forbid", frozen=True)

    web: Web = Field(default_factory=Web)
    store: Store = Field(default_factory=Store)
    go: Go = Field(default_factory=Go)
    upstream: Upstream = Field(default_factory=Upstream)
    mirror: Mirror = Field(default_factory=Mirror)
    log: Log = Field(default_factory=Log)

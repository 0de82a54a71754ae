"""Settings from their layers: who wins, where each value comes from, and what is said about what is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from phaleron.mirror.options import MirrorOptions
from phaleron.settings import Loaded, SettingsError, load
from phaleron.settings.describe import as_json, as_toml, value_of
from phaleron.settings.layers import Given, Layer, Name, fields, variable

SELF = "http://localhost:3000"


def names_self(goproxy: str, listen: str) -> bool:
    return SELF in goproxy and listen == "127.0.0.1:3000"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; no file of the machine is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "goroot").mkdir()
    return tmp_path


def environment(here: Path, **more: str) -> dict[str, str]:
    return {"GOENV": str(here / "goenv"), "GOROOT": str(here / "goroot"), **more}


def loaded(here: Path, toml: str = "", flags: Layer | None = None, **environ: str) -> Loaded:
    if toml:
        (here / "phaleron.toml").write_text(toml)
    return load(flags or {}, environment(here, **environ), is_self=names_self)


def faults(here: Path, toml: str = "", flags: Layer | None = None, **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        loaded(here, toml, flags, **environ)
    return caught.value.faults


def test_the_stronger_layer_wins_and_each_value_knows_its_place(here: Path) -> None:
    """Each step takes the strongest giver of the step before away."""
    flags: Layer = {("go", "proxy"): Given("https://flag.example", "--goproxy")}
    toml = '[go]\nproxy = "https://file.example"\n'
    (here / "goenv").write_text("GOPROXY=https://user.example\n")
    (here / "goroot/go.env").write_text("# defaults\n\nGOPROXY=https://goroot.example\n")
    environ = {"PHALERON_GO_PROXY": "https://variable.example", "GOPROXY": "https://go.example"}
    (here / "phaleron.toml").write_text(toml)
    expected = [
        ("https://flag.example", "--goproxy"),
        ("https://variable.example", "PHALERON_GO_PROXY"),
        ("https://file.example", "phaleron.toml:2"),
        ("https://go.example", "environment variable GOPROXY"),
        ("https://user.example", f"{here}/goenv:1"),
        ("https://goroot.example", f"{here}/goroot/go.env:3"),
        ("", "default"),
    ]
    weaken = [
        flags.clear,
        lambda: environ.pop("PHALERON_GO_PROXY"),
        (here / "phaleron.toml").unlink,
        lambda: environ.pop("GOPROXY"),
        (here / "goenv").unlink,
        (here / "goroot/go.env").unlink,
        lambda: None,
    ]
    for (value, place), weaker in zip(expected, weaken, strict=True):
        found = loaded(here, flags=flags, **environ)
        assert (found.settings.go.proxy, found.places["go", "proxy"]) == (value, place)
        weaker()


def test_every_setting_can_be_given_by_file_and_by_environment(here: Path) -> None:
    """As `phaleron config` writes it, so it can be read; in the environment as text."""
    start = loaded(here)
    again = loaded(here, as_toml(start))
    assert again.settings == start.settings
    assert all(place.startswith("phaleron.toml:") for place in again.places.values())
    (here / "phaleron.toml").unlink()
    values = {variable(name): str(value_of(start.settings, name)) for name in fields()}
    by_environment = loaded(here, **values)
    assert by_environment.settings == start.settings
    given = {name for name in fields() if str(value_of(start.settings, name))}
    assert {name for name, place in by_environment.places.items() if place == variable(name)} == given


@pytest.mark.parametrize(
    ("toml", "name", "value"),
    [
        ("[web]\nworkers = 4", ("web", "workers"), 4),
        ('[web]\nlane_bytes = "1MiB"', ("web", "lane_bytes"), 1 << 20),
        ("[web]\nlane_bytes = 5", ("web", "lane_bytes"), 5),
        ("[web]\ndrain_s = 5", ("web", "drain_s"), 5.0),
        ('[web]\ndrain_s = "1m"', ("web", "drain_s"), 60.0),
        ("[web]\nfast_lane = false", ("web", "fast_lane"), False),
        ('web.listen = "unix:/run/x"', ("web", "listen"), "unix:/run/x"),
        ('[log]\nlevel = "debug"', ("log", "level"), "debug"),
    ],
)
def test_values_of_a_file(here: Path, toml: str, name: Name, value: object) -> None:
    assert value_of(loaded(here, toml).settings, name) == value


@pytest.mark.parametrize(
    ("key", "text", "name", "value"),
    [
        ("PHALERON_WEB_WORKERS", "4", ("web", "workers"), 4),
        ("PHALERON_WEB_FAST_LANE", "off", ("web", "fast_lane"), False),
        ("PHALERON_MIRROR_COMPLETE", "1", ("mirror", "complete"), True),
        ("PHALERON_WEB_LANE_BYTES", "2GiB", ("web", "lane_bytes"), 2 << 30),
        ("PHALERON_MIRROR_FRESH_S", "90", ("mirror", "fresh_s"), 90.0),
        ("PHALERON_WEB_PATH_PREFIX", "/go", ("web", "path_prefix"), "/go"),
        ("PHALERON_WEB_WORKERS", "", ("web", "workers"), 1),
    ],
)
def test_values_of_the_environment(here: Path, key: str, text: str, name: Name, value: object) -> None:
    assert value_of(loaded(here, **{key: text}).settings, name) == value


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("[web]\nlistn = 1", "phaleron.toml:2: unknown setting web.listn (did you mean web.listen?)"),
        ("[web]\ndata = 'x'", "phaleron.toml:2: unknown setting web.data (did you mean store.data?)"),
        ("\n[wbe]\nlisten = 'x'", "phaleron.toml:2: unknown section wbe (did you mean web?)"),
        ("listen = 'x:1'", "phaleron.toml:1: unknown setting listen (did you mean web.listen?)"),
        ("quux = 1", "phaleron.toml:1: unknown setting quux"),
        ("web = 3", "phaleron.toml:1: web must be a section, [web], not 3"),
        ("[[web]]\nworkers = 1", "phaleron.toml:1: web must be a section, [web], not [{'workers': 1}]"),
        ("# one\n[web]\nworkers = 'two'", "phaleron.toml:3: web.workers must be a whole number, not 'two'"),
        ("[web]\nworkers = '2'", "phaleron.toml:2: web.workers must be a whole number, not '2'"),
        ("[web]\nworkers = 2.0", "phaleron.toml:2: web.workers must be a whole number, not 2.0"),
        ("[web]\nworkers = true", "phaleron.toml:2: web.workers must be a whole number, not True"),
        ("[web]\nworkers = 0", "phaleron.toml:2: web.workers must be at least 1, not 0"),
        ("[web]\nworkers = 1000", "phaleron.toml:2: web.workers must be at most 256, not 1000"),
        ("[web]\nfast_lane = 'yes'", "phaleron.toml:2: web.fast_lane must be true or false, not 'yes'"),
        ("[web]\nlisten = 3000", "phaleron.toml:2: web.listen must be text, not 3000"),
        ("[web]\nlisten = ''", "phaleron.toml:2: web.listen must not be empty, not ''"),
        (
            "[web]\nlisten = '3000'",
            "phaleron.toml:2: web.listen must be HOST:PORT (port 0 to 65535), [IPV6]:PORT or unix:PATH, not '3000'",
        ),
        (
            "[web]\npath_prefix = 'go/'",
            'phaleron.toml:2: web.path_prefix must look like "/go": a leading slash, no trailing one, no "//", not \'go/\'',
        ),
        (
            "[web]\nlane_bytes = '64 furlongs'",
            "phaleron.toml:2: web.lane_bytes must be a size such as 1048576 or \"64MiB\", not '64 furlongs'",
        ),
        ("[web]\nlane_bytes = -1", "phaleron.toml:2: web.lane_bytes must be at least 0, not -1"),
        (
            "[web]\ndrain_s = 'soon'",
            'phaleron.toml:2: web.drain_s must be a duration such as 30, "30s" or "1h", not \'soon\'',
        ),
        ("[upstream]\nconnect_s = 0", "phaleron.toml:2: upstream.connect_s must be more than 0, not 0"),
        ("[mirror]\nfailed_s = '1m'", "phaleron.toml:2: mirror.failed_s must be at most 5, not '1m'"),
        (
            "[log]\nlevel = 'loud'",
            "phaleron.toml:2: log.level must be one of 'debug', 'info', 'warning' or 'error', not 'loud'",
        ),
        (
            "[web]\ntls_cert = 'c.pem'",
            "phaleron.toml:2: web.tls_cert is set and web.tls_key is not: they belong together",
        ),
        (
            "[web]\ntls_key = 'k.pem'",
            "phaleron.toml:2: web.tls_key is set and web.tls_cert is not: they belong together",
        ),
        (
            "[web]\nadmin_listen = '127.0.0.1:3000'",
            "phaleron.toml:2: web.admin_listen is the same address as web.listen",
        ),
        (f"[go]\nproxy = '{SELF},direct'", f"phaleron.toml:2: go.proxy names this server itself: {SELF},direct"),
        ("[go]\nproxy = ['http://u:secret@h']", "phaleron.toml:2: go.proxy must be text, not ['http://***@h']"),
        ("[web]\n\nlisten\n", "phaleron.toml:3: not TOML: Expected '=' after a key in a key/value pair"),
        ("[web]\nlisten = 'x'\nlisten = 'y'", "phaleron.toml:3: not TOML: Cannot overwrite a value"),
        ("[web]\nlisten = [1,\n", "phaleron.toml:2: not TOML: Invalid value"),
    ],
)
def test_what_is_said_of_a_faulty_file(here: Path, toml: str, fault: str) -> None:
    assert faults(here, toml) == (fault,)


@pytest.mark.parametrize(
    ("key", "text", "fault"),
    [
        (
            "PHALERON_WEB_LISTN",
            "x",
            "PHALERON_WEB_LISTN: no setting has this environment variable (did you mean PHALERON_WEB_LISTEN?)",
        ),
        ("PHALERON_QQQ", "x", "PHALERON_QQQ: no setting has this environment variable"),
        (
            "PHALERON_CONFIGG",
            "x",
            "PHALERON_CONFIGG: no setting has this environment variable (did you mean PHALERON_CONFIG?)",
        ),
        ("PHALERON_WEB_WORKERS", "two", "PHALERON_WEB_WORKERS: web.workers must be a whole number, not 'two'"),
        ("PHALERON_WEB_FAST_LANE", "maybe", "PHALERON_WEB_FAST_LANE: web.fast_lane must be true or false, not 'maybe'"),
        ("PHALERON_CONFIG", "missing.toml", "missing.toml: cannot be read: No such file or directory"),
        (
            "GOSUMDB",
            "a b c",
            "environment variable GOSUMDB: go.sumdb: GOSUMDB 'a b c' has more than a key and a URL",
        ),
    ],
)
def test_what_is_said_of_a_faulty_environment(here: Path, key: str, text: str, fault: str) -> None:
    assert faults(here, **{key: text}) == (fault,)


def test_a_guess_at_a_port_is_no_service_link(here: Path) -> None:
    (fault,) = faults(here, PHALERON_WEB_PORT="3000")
    assert fault.startswith("PHALERON_WEB_PORT: no setting has this environment variable")


def test_what_kubernetes_and_the_program_itself_set_is_no_fault(here: Path) -> None:
    loaded(
        here,
        PHALERON_DEBUG="1",
        PHALERON_REQUIRE_ALL="1",
        PHALERON_SERVICE_HOST="10.0.0.1",
        PHALERON_SERVICE_PORT="80",
        PHALERON_SERVICE_PORT_HTTP="80",
        PHALERON_PORT="tcp://10.0.0.1:80",
        PHALERON_PORT_80_TCP="tcp://10.0.0.1:80",
        PHALERON_PORT_80_TCP_PROTO="tcp",
        PHALERON_PORT_80_TCP_ADDR="10.0.0.1",
        PHALERON_WEB_SERVICE_HOST="10.0.0.1",
        PHALERON_WEB_PORT="tcp://10.0.0.1:80",
    )


def test_all_faults_are_told_at_once_in_the_order_of_the_file(here: Path) -> None:
    toml = "[web]\nworkers = 'x'\nfoo = 1\n" + "\n" * 7 + "drain_s = -1\n[nonsense]\n"
    told = faults(here, toml, {("web", "listen"): Given("x", "--listen")}, PHALERON_LOG_LEVEL="loud", PHALERON_NO="1")
    assert [fault.split(" ")[0] for fault in told] == [
        "--listen:",
        "PHALERON_LOG_LEVEL:",
        "PHALERON_NO:",
        "phaleron.toml:2:",
        "phaleron.toml:3:",
        "phaleron.toml:11:",
        "phaleron.toml:12:",
    ]


def test_a_value_that_a_stronger_layer_overrules_is_no_fault(here: Path) -> None:
    assert loaded(here, "[web]\nworkers = 'x'", PHALERON_WEB_WORKERS="2").settings.web.workers == 2


def test_a_goproxy_that_is_this_server_is_skipped_for_the_next_place(here: Path) -> None:
    (here / "goenv").write_text(f"GOPROXY={SELF}\n")
    (here / "goroot/go.env").write_text("GOPROXY=https://goroot.example\n")
    found = loaded(here)
    assert (found.settings.go.proxy, found.places["go", "proxy"]) == (
        "https://goroot.example",
        f"{here}/goroot/go.env:1",
    )
    assert found.warnings == (f"GOPROXY={SELF} ({here}/goenv:1) names this server itself and is skipped",)
    both = loaded(here, GOPROXY=f"{SELF},direct")
    assert both.settings.go.proxy == "https://goroot.example"
    assert len(both.warnings) == 2


def test_a_goproxy_of_a_weaker_place_that_does_not_count_is_not_warned_of(here: Path) -> None:
    (here / "goenv").write_text(f"GOPROXY={SELF}\n")
    assert loaded(here, GOPROXY="https://go.example").warnings == ()


def test_where_nothing_but_this_server_is_named_there_is_no_upstream(here: Path) -> None:
    found = loaded(here, GOPROXY=SELF)
    assert (found.settings.go.proxy, found.places["go", "proxy"]) == ("", "default")


def test_which_goproxy_is_this_server_depends_on_where_it_listens(here: Path) -> None:
    elsewhere = loaded(here, GOPROXY=SELF, PHALERON_WEB_LISTEN="127.0.0.1:4000")
    assert elsewhere.settings.go.proxy == SELF
    admin = loaded(here, GOPROXY=SELF, PHALERON_WEB_LISTEN="127.0.0.1:4000", PHALERON_WEB_ADMIN_LISTEN="127.0.0.1:3000")
    assert admin.settings.go.proxy == ""


@pytest.mark.parametrize(
    ("environ", "noproxy", "nosumdb"),
    [
        ({}, "", ""),
        ({"GOPRIVATE": "a.example"}, "a.example", "a.example"),
        ({"GOPRIVATE": "a.example", "GONOPROXY": "b.example"}, "b.example", "a.example"),
        ({"GONOSUMDB": "c.example"}, "", "c.example"),
        # What is private by our own settings is not made public by a narrower list of the machine.
        (
            {"PHALERON_GO_PRIVATE": "p.example", "GONOPROXY": "b.example", "GONOSUMDB": "b.example"},
            "p.example",
            "p.example",
        ),
        ({"PHALERON_GO_PRIVATE": "p.example", "PHALERON_GO_NOPROXY": "none"}, "none", "p.example"),
    ],
)
def test_private_patterns_stand_in_for_the_two_others(
    here: Path, environ: Mapping[str, str], noproxy: str, nosumdb: str
) -> None:
    go = loaded(here, **environ).settings.go
    assert (go.noproxy_patterns, go.nosumdb_patterns) == (noproxy, nosumdb)


def test_the_first_file_of_the_usual_places_is_read(here: Path) -> None:
    (here / "config/phaleron").mkdir(parents=True)
    usual = here / "config/phaleron/phaleron.toml"
    usual.write_text("[web]\nworkers = 3\n")
    assert loaded(here).places["web", "workers"] == f"{usual}:2"
    assert loaded(here, "[web]\nworkers = 2\n").settings.web.workers == 2
    (here / "named.toml").write_text("[web]\nworkers = 5\n")
    assert loaded(here, PHALERON_CONFIG="named.toml").settings.web.workers == 5
    (here / "typed.toml").write_text("[web]\nworkers = 6\n")
    environ = environment(here, PHALERON_CONFIG="named.toml")
    assert load({}, environ, config=Path("typed.toml"), is_self=names_self).settings.web.workers == 6


def test_a_file_that_cannot_be_read_is_told_by_name(here: Path) -> None:
    (here / "phaleron.toml").write_bytes(b"[web]\n# \xff\n")
    assert faults(here) == ("phaleron.toml: not UTF-8: byte 8",)
    (here / "phaleron.toml").unlink()
    (here / "phaleron.toml").mkdir()
    assert faults(here) == ("phaleron.toml: cannot be read: Is a directory",)


def test_the_data_directory_is_absolute_and_knows_the_home_directory(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    assert loaded(here, "[store]\ndata = '~/d'").settings.store.directory == here / "home/d"
    assert loaded(here, "[store]\ndata = 'd'").settings.store.directory == Path.cwd() / "d"


def test_credentials_are_shown_nowhere(here: Path) -> None:
    found = loaded(here, GOPROXY="https://user:secret@a.example/x,token:secret@b.example|https://secret@c.example")
    assert "secret" in found.settings.go.proxy
    for text in (as_toml(found), as_json(found)):
        assert "secret" not in text
        assert "https://***@a.example/x,***@b.example|https://***@c.example" in text


def test_the_mirror_has_the_same_defaults_alone(here: Path) -> None:
    settings = loaded(here).settings
    alone = MirrorOptions()
    for name in MirrorOptions.__slots__:
        section = settings.web if name == "first_byte_s" else settings.mirror
        assert getattr(section, name) == getattr(alone, name), name

"""Log lines: one pipe for us and our libraries, JSON or text, with a request id and without credentials."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from phaleron.telemetry.logs import bind_request, configure, get_logger


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def json_lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_our_lines_and_those_of_libraries_have_one_form() -> None:
    out = io.StringIO()
    configure("info", "auto", out)
    get_logger("phaleron.web").info("started", port=3000)
    logging.getLogger("uvicorn.error").warning("odd %s", "thing")
    logging.getLogger("aiohttp.client").error("bad", extra={"host": "h.example"})
    ours, uvicorn, aiohttp = json_lines(out)
    assert list(ours)[:3] == ["time", "level", "message"]
    assert {k: v for k, v in ours.items() if k != "time"} == {
        "level": "info",
        "message": "started",
        "logger": "phaleron.web",
        "port": 3000,
    }
    assert str(ours["time"]).endswith("Z")
    assert (uvicorn["message"], uvicorn["level"], uvicorn["logger"]) == ("odd thing", "warning", "uvicorn.error")
    assert (aiohttp["message"], aiohttp["host"]) == ("bad", "h.example")


def test_the_level_holds_for_all() -> None:
    out = io.StringIO()
    configure("warning", "json", out)
    get_logger("phaleron").info("no")
    logging.getLogger("uvicorn.error").info("no")
    get_logger("phaleron").warning("yes")
    logging.getLogger("asyncio").warning("yes, too")
    assert [line["message"] for line in json_lines(out)] == ["yes", "yes, too"]


def test_debug_is_for_our_own_lines() -> None:
    out = io.StringIO()
    configure("debug", "json", out)
    get_logger("phaleron").debug("ours")
    logging.getLogger("asyncio").debug("Using selector: EpollSelector")
    logging.getLogger("uvicorn.access").info("GET / 200")
    assert [line["message"] for line in json_lines(out)] == ["ours"]


def test_lines_of_a_request_carry_its_id() -> None:
    out = io.StringIO()
    configure("info", "json", out)
    with bind_request("r-1"):
        get_logger("phaleron").info("within")
        logging.getLogger("uvicorn.error").info("within")
    get_logger("phaleron").info("after")
    assert [line.get("request_id") for line in json_lines(out)] == ["r-1", "r-1", None]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_credentials_in_any_part_of_a_line(form: str) -> None:
    out = io.StringIO()
    configure("info", "json" if form == "json" else "text", out)
    url = "https://user:secret@host.example/x"
    log = get_logger("phaleron")
    log.info(f"asking {url}", origin=url, tried=[url, {"last": url}])
    logging.getLogger("aiohttp").warning("failed: %s", url)
    try:
        int(url)
    except ValueError:
        log.exception("broken")
    assert "secret" not in out.getvalue()
    assert out.getvalue().count("https://***@host.example/x") == 6


def test_a_traceback_is_one_field_of_json() -> None:
    out = io.StringIO()
    configure("info", "json", out)
    try:
        int("why")
    except ValueError:
        get_logger("phaleron").exception("broken")
    (line,) = json_lines(out)
    assert "ValueError: invalid literal for int() with base 10: 'why'" in str(line["exception"])


def test_text_is_for_terminals_and_one_line_stays_one_line() -> None:
    out = Terminal()
    configure("info", "auto", out)
    get_logger("phaleron").info("two\nlines \x1b[31m", value="also\ntwo")
    assert out.getvalue().count("\n") == 1
    assert r"two\nlines \x1b[31m" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_warnings_of_python_are_logged() -> None:
    out = io.StringIO()
    configure("info", "json", out)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("look out", UserWarning, stacklevel=1)
        (line,) = json_lines(out)
        logging.captureWarnings(False)
    assert "look out" in str(line["message"])


def test_configuring_again_replaces_the_pipe() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("info", "json", first)
    configure("info", "json", second)
    get_logger("phaleron").info("once")
    assert first.getvalue() == ""
    assert len(json_lines(second)) == 1

"""What is shown of settings: the page of the docs, the template."""

import re
import tomllib
from pathlib import Path

from phaleron.settings import Settings
from phaleron.settings.describe import as_markdown, as_template
from phaleron.settings.layers import fields, variable
from phaleron.settings.model import Go, Log, Mirror, Store, Upstream, Web

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_the_docs_is_up_to_date() -> None:
    """If this fails: `phaleron config --markdown > docs/settings.md`."""
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == as_markdown()


def test_the_page_names_every_setting_and_what_it_does() -> None:
    page = as_markdown()
    for (section, name), field in fields().items():
        assert f"| `{name}` | `{variable((section, name))}` |" in page
        assert field.description


def test_no_host_is_written_into_the_defaults() -> None:
    hosts = re.findall(r"[a-z0-9-]+\.(?:org|com|dev|io|net|google)\b", as_markdown() + as_template())
    assert hosts == []


def test_the_template_holds_the_defaults_once_its_settings_are_uncommented() -> None:
    template = as_template()
    nothing = tomllib.loads(template)
    assert nothing == {section: {} for section in Settings.model_fields}
    document = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", template, flags=re.MULTILINE))
    kinds = {"web": Web, "store": Store, "go": Go, "upstream": Upstream, "mirror": Mirror, "log": Log}
    assert {(section, name) for section, table in document.items() for name in table} == set(fields())
    del document["store"]["data"]  # its default is the platform's
    for section, kind in kinds.items():
        assert kind.model_validate(document[section]) == kind(), section

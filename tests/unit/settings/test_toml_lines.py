"""In which line a key of a TOML document stands."""

import pytest

from phaleron.settings.toml import lines_of

DOCUMENT = '''# a comment

top = 1
[web]   # the section
listen = "x"

text = """
[not.a.section]
key = 3
"""
list = [
  1,

  # with a comment = 2
  2,
]
[log]
level = 'x'
quoted."a.b" = 1
store = { data = "d", more = { deep = 1 } }
[mirror.inner]
fresh_s=1
'''

EXPECTED = {
    ("top",): 3,
    ("web",): 4,
    ("web", "listen"): 5,
    ("web", "text"): 7,
    ("web", "list"): 11,
    ("log",): 17,
    ("log", "level"): 18,
    ("log", "quoted"): 19,
    ("log", "quoted", "a.b"): 19,
    ("log", "store"): 20,
    ("log", "store", "data"): 20,
    ("log", "store", "more"): 20,
    ("log", "store", "more", "deep"): 20,
    ("mirror",): 21,
    ("mirror", "inner"): 21,
    ("mirror", "inner", "fresh_s"): 22,
}


def test_each_key_has_its_line() -> None:
    assert lines_of(DOCUMENT) == EXPECTED


def test_windows_line_ends_count_as_one() -> None:
    assert lines_of(DOCUMENT.replace("\n", "\r\n")) == EXPECTED


@pytest.mark.parametrize(
    ("document", "key", "line"),
    [
        ("web.listen = 1\n", ("web", "listen"), 1),
        ("\n\nweb = { listen = 1 }", ("web", "listen"), 3),
        ("[[web]]\na = 1\n", ("web",), 1),
        ("[web]\n[log]\nlevel = 1\n[web.more]\na = 1", ("web", "more"), 4),
    ],
)
def test_other_ways_of_writing(document: str, key: tuple[str, ...], line: int) -> None:
    assert lines_of(document)[key] == line

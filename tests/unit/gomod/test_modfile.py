"""go.mod files: what they say, strictly and laxly read, and where their faults are."""

import pytest

from phaleron.gomod.modfile import ModFile, Replacement, Requirement, Retraction, parse
from phaleron.gomod.modscan import module_path
from phaleron.gomod.modsyntax import ModSyntaxError

WHOLE = b"""\
// Deprecated: use example.com/b
// instead.
module example.com/a // really

go 1.21
toolchain go1.22.1
godebug default=go1.21

require example.com/x v1.2 // indirect
require (
	"example.com/y/v2" v2.0.0+meta // indirect; for z
	gopkg.in/z.v1 v0.0.0-20161208181325-20d25e280405 // indirectly
)
exclude example.com/x v1.0.0
replace (
	example.com/x => ../x
	example.com/y/v2 v2.0.0 => example.com/fork v1.0.0
)
// Broken.
retract (
	v1.0.0

	// Worse.
	[v1.1.0, v1.2] // Much.
)
tool example.com/x/cmd/t
ignore ./node_modules
"""


def test_all_that_it_says() -> None:
    assert parse(WHOLE, strict=True) == ModFile(
        module="example.com/a",
        deprecated="use example.com/b\ninstead.\nreally",
        go="1.21",
        toolchain="go1.22.1",
        require=(
            Requirement("example.com/x", "v1.2.0", indirect=True),
            Requirement("example.com/y/v2", "v2.0.0", indirect=True),
            Requirement("gopkg.in/z.v1", "v0.0.0-20161208181325-20d25e280405"),
        ),
        exclude=(Requirement("example.com/x", "v1.0.0"),),
        replace=(
            Replacement("example.com/x", "", "../x", ""),
            Replacement("example.com/y/v2", "v2.0.0", "example.com/fork", "v1.0.0"),
        ),
        retract=(Retraction("v1.0.0", "v1.0.0", "Broken."), Retraction("v1.1.0", "v1.2", "Worse.\nMuch.")),
        godebug=(("default", "go1.21"),),
        tool=("example.com/x/cmd/t",),
        ignore=("./node_modules",),
    )


def test_line_ends_of_windows_make_no_difference() -> None:
    assert parse(WHOLE.replace(b"\n", b"\r\n"), strict=True) == parse(WHOLE, strict=True)


def test_lax_reading_passes_over_what_counts_in_a_main_module_alone() -> None:
    mod = parse(WHOLE + b"invention a b\nnew (\n\tthings\n)\nretract [v1.0.0, ...\n", strict=False)
    assert (mod.replace, mod.exclude, mod.toolchain, mod.godebug, mod.tool) == ((), (), "", (), ())
    assert len(mod.require) == 3
    assert len(mod.retract) == 2


FAULTS = [
    # text                                      fault when read strictly; whether it is one when read laxly
    (b"module a.b/c\nmodule a.b/d\n",            "2:1: repeated module statement", True),
    (b"go 1.21\ngo 1.22\n",                     "2:1: repeated go statement", True),
    (b"go 1.21x\n",                             "1:1: invalid go version '1.21x': must match format 1.23.0", False),
    (b"go (\n1.21\n)\n",                        "1:1: unknown block type: go", False),
    (b"unknown a\n",                            "1:1: unknown directive: unknown", False),
    (b"require a.b/c v2.0.0\n",                 "1:1: require a.b/c: version 'v2.0.0' invalid: should be v0 or v1, not v2", True),
    (b"require a.b/c/v1 v1.0.0\n",              "1:1: require a.b/c/v1: invalid module path", True),
    (b"require (\n\ta.b/c main\n)\n",           "2:2: require a.b/c: version 'main' invalid: must be of the form v1.2.3", True),
    (b"require a.b/c\n",                        "1:1: usage: require module/path v1.2.3", True),
    (b"require `a.b/c` v1.0.0\n",               "1:1: invalid quoted string: unquoted string cannot contain quote", True),
    (b'module "a\\q"\n',                        "1:1: invalid quoted string: invalid syntax", True),
    (b"replace a.b/c => d\n",                   "1:1: replacement module without version must be directory path "
                                                "(rooted or starting with . or ..)", False),
    (b"retract [v1.0.0\n",                      "1:1: expected ',' after version", False),
    (b"module a.b/c /* c */\n",                 "1:14: mod files must use // comments (not /* */ comments)", True),
    (b"\xef\xbb\xbfmodule a.b/c\n",             "1:1: unexpected input character '\\ufeff'", True),
    (b'module "a\n',                            "1:10: unexpected newline in string", True),
    (b'module "a\\\n',                          "1:8: unexpected EOF in string", True),
    (b"\nrequire (\n",                          "3:1: syntax error (unterminated block started at go.mod:2:1)", True),
    (b"require (\n) x\n",                       "2:4: syntax error (expected newline after closing paren)", True),
]  # fmt: skip


@pytest.mark.parametrize(("data", "strict", "lax"), FAULTS)
def test_faults_have_their_place(data: bytes, strict: str, lax: bool) -> None:
    with pytest.raises(ModSyntaxError) as caught:
        parse(data, strict=True)
    assert str(caught.value) == f"go.mod:{strict}"
    if not lax:
        parse(data, strict=False)
        return
    with pytest.raises(ModSyntaxError) as caught:
        parse(data, strict=False, name="a.mod")
    assert str(caught.value) == f"go.mod:{strict}".replace("go.mod", "a.mod")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"go 1.99\nnonsense (((\n\tmodule  a.b/c // x\n", "a.b/c"),
        (b'module "a.b\\x2fc"\n', "a.b/c"),
        (b"module `a.b/c`", "a.b/c"),
        (b"module `a.b", ""),
        (b'module "a.b', ""),
        (b"module a b\n", "a b"),
        (b"modules a.b/c\n// module a.b/c\nmodule\n", ""),
        (b"module a.b/c\xff\xff", "a.b/c\ufffd\ufffd"),
        (b"", ""),
    ],
)
def test_module_path_alone(data: bytes, expected: str) -> None:
    assert module_path(data) == expected

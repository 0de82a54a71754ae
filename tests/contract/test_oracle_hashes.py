"""Hashes, case folding and letters against Go's own: a thousand cases a rule, and every character that the oracle knows."""

import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from phaleron.gomod.dirhash import hash_dir, hash_mod, hash_zip
from phaleron.gomod.errors import RuleError
from phaleron.gomod.fold import fold
from phaleron.gomod.letters import is_letter
from tests.oracle.agreement import CASES, SEED, agree, given, rng_for
from tests.oracle.oracle import Oracle, build_oracle
from tests.oracle.zipcases import FOLDING, PREFIX, TREE, b64, distinct
from tests.zipbytes import Entry, write_zip


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    print(f"PHALERON_SEED={SEED}")
    return build_oracle(tmp_path_factory.mktemp("oracle"))


FOLDED_SINCE = {"\u1fd3": (15, 1), "\u1fe3": (15, 1), "\ufb06": (15, 1), "\ua7d3": (17, 0), "\ua7d5": (17, 0)}
"""Characters of Unicode 15.0 that fold to another one since a later version."""


def test_hash_zip(oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for("hash")
    questions, verdicts = [], []
    for n in range(CASES):
        entries = []
        for name in distinct(rng):
            content = rng.randbytes(rng.randint(0, 300)) * rng.randint(1, 50)
            fault: dict[str, Any] = (
                rng.choice([{"crc": 1}, {"unpacked": len(content) + 1}, {"data": b"\xff"}, {}])
                if rng.random() < 0.2
                else {}
            )
            tail = "\n" if rng.random() < 0.05 else ""
            entries.append(Entry((name + tail).encode(), content, rng.choice([0, 8]), rng.choice([0, 8]), **fault))
        file = tmp_path / f"{n}.zip"
        with file.open("wb") as out:
            write_zip(out, entries)
        questions.append({"op": "hash_zip", "file": str(file)})
    answers = oracle.ask(questions)
    for q, a in zip(questions, answers, strict=True):
        with open(q["file"], "rb") as zipped:
            try:
                our: str | None = hash_zip(zipped.fileno(), codec=zlib)
            except RuleError:
                our = None
        verdicts.append(((q, a["error"]), given(a), our))
    agree("hash_zip", [a["ok"] for a in answers], verdicts)


def test_hash_mod(oracle: Oracle) -> None:
    rng = rng_for("mod")
    contents = [rng.randbytes(rng.randint(0, 99)) for _ in range(CASES)]
    answers = oracle.ask({"op": "hash_mod", "data": b64encode(data).decode()} for data in contents)
    assert [a["value"] for a in answers] == [hash_mod(data) for data in contents]


def test_hash_dir(oracle: Oracle, tmp_path: Path) -> None:
    rng = rng_for("hash_dir")
    questions = []
    for n in range(CASES):
        directory = tmp_path / str(n)
        for name in rng.sample(TREE, rng.randint(1, 5)):
            file = directory / (name + ("\n" if rng.random() < 0.12 else ""))
            file.parent.mkdir(parents=True, exist_ok=True)
            if rng.random() < 0.1:
                file.symlink_to(rng.choice([tmp_path, Path(__file__), tmp_path / "missing"]))
            else:
                file.write_bytes(rng.randbytes(9))
        questions.append({"op": "hash_dir", "dir": str(directory), "prefix": PREFIX[:-1]})
    answers = oracle.ask(questions)
    verdicts = []
    for q, a in zip(questions, answers, strict=True):
        try:
            our: str | None = hash_dir(Path(q["dir"]), q["prefix"])
        except (RuleError, OSError):
            our = None
        verdicts.append(((q, a["error"]), given(a), our))
    agree("hash_dir", [a["ok"] for a in answers], verdicts)


def test_folding_of_names(oracle: Oracle) -> None:
    rng = rng_for("fold")
    pairs = []
    for _ in range(CASES):
        name = "".join(rng.choices(FOLDING, k=rng.randint(1, 3)))
        other = "".join(rng.choice([c, c.upper(), c.lower(), c.swapcase(), c.casefold()]) for c in name)
        pairs.append((name, other if rng.random() < 0.6 else rng.choice(FOLDING)))
    answers = oracle.ask({"op": "fold_collision", "data": b64(a), "other": b64(b)} for a, b in pairs)
    agree(
        "folding",
        [a["value"] for a in answers],
        [(pair, a["value"], fold(pair[0]) == fold(pair[1])) for pair, a in zip(pairs, answers, strict=True)],
    )


def test_tables_of_every_character_that_the_oracle_knows(oracle: Oracle) -> None:
    [answer] = oracle.ask([{"op": "runes"}])
    known = answer["value"]
    folds = dict(known["folds"])
    version = tuple(int(n) for n in known["version"].split("."))
    wrong = []
    for letter, runs in ((True, known["letters"]), (False, known["others"])):
        for first, last in runs:
            for rune in range(first, last + 1):
                smallest = chr(folds.get(rune, rune))
                smallest = smallest.lower() if smallest.isascii() else smallest
                character = chr(rune)
                if version < FOLDED_SINCE.get(character, (0, 0)):
                    smallest = fold(character)
                if is_letter(character) is not letter or fold(character) != smallest:
                    wrong.append((hex(rune), letter, hex(ord(smallest)), hex(ord(fold(character)))))
    assert not wrong, f"Unicode {known['version']}: {wrong[:20]}"

"""How a differential test compares: what both sides said of each case, and that the cases were worth asking."""

import os
import random
from typing import Any

SEED = os.environ.get("PHALERON_SEED") or str(random.SystemRandom().randrange(1 << 32))
"""PHALERON_SEED repeats a run."""
CASES = 1000
LEAST_SHARE = 0.3


def rng_for(rule: str) -> random.Random:
    """Give the random numbers of one rule, whatever other tests run."""
    return random.Random(f"{SEED}:{rule}")


def given(answer: dict[str, Any]) -> object:
    """Give the value of an answer, None where the oracle refuses."""
    return answer["value"] if answer["ok"] else None


def agree(rule: str, valid: list[bool], verdicts: list[tuple[object, object, object]]) -> None:
    """Hold (case, theirs, ours) against each other, and the shares of what the oracle finds valid against what is wanted."""
    wrong = sorted((case for case in verdicts if case[1] != case[2]), key=lambda case: len(repr(case[0])))
    smallest = "".join(
        f"\n  {case!r:.2000}\n    theirs: {theirs!r:.2000}\n    ours: {ours!r:.2000}"
        for case, theirs, ours in wrong[:5]
    )
    assert not wrong, f"{len(wrong)} disagreements on {rule}, PHALERON_SEED={SEED}; the smallest:{smallest}"
    assert len(valid) == len(verdicts) >= CASES
    share = sum(valid) / len(valid)
    assert LEAST_SHARE <= share <= 1 - LEAST_SHARE, f"{rule}: {share:.0%} of the cases are valid, PHALERON_SEED={SEED}"

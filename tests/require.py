"""A test that needs what this machine lacks is skipped by name; with PHALERON_REQUIRE_ALL=1, as in CI, it fails."""

import os
import shutil

import pytest


def require(found: object, name: str) -> None:
    """Skip the test, or fail it in CI, unless `found`."""
    if found:
        return
    if os.environ.get("PHALERON_REQUIRE_ALL") == "1":
        pytest.fail(f"missing: {name}")
    pytest.skip(f"missing: {name}")


def require_tool(name: str) -> str:
    """Give the path of a program, which must be on PATH."""
    path = shutil.which(name)
    require(path, name)
    return str(path)

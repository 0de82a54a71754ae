"""`phaleron version`: which Phaleron this is, and on what it runs."""

import json
import platform
from importlib.metadata import version as version_of

from phaleron.cli.options import Debug, Json


def version(json_: Json = False, debug: Debug = False) -> None:
    """Say which version this is."""
    number = version_of("phaleron")
    python = platform.python_version()
    system = f"{platform.system().lower()}/{platform.machine()}"
    if json_:
        print(json.dumps({"version": number, "python": python, "platform": system}))
    else:
        print(f"phaleron {number} (Python {python}, {system})")

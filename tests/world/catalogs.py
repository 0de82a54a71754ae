"""The engines that the catalog's suite runs over: each is opened by a location, any number of times."""

from collections.abc import Callable
from pathlib import Path

from phaleron.store.records import Catalog
from phaleron.store.sqlite import SqliteCatalog

ENGINES: dict[str, Callable[[str], Catalog]] = {
    "sqlite": lambda location: SqliteCatalog(Path(location, "catalog.db")),
}

"""Progress bars on a terminal: one for all modules, and one for each zip that takes its time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn


class Bars:
    """A `Progress` for people who watch."""

    def __init__(self, total: int) -> None:
        console = Console(stderr=True)
        self._all = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console)
        self._zips = Progress(
            TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
        )
        self._live = Live(Group(self._all, self._zips), console=console)
        self._modules = self._all.add_task("modules", total=total)

    def __enter__(self) -> "Bars":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def done(self, name: str) -> None:
        """See Progress."""
        self._all.advance(self._modules)

    def failed(self, name: str) -> None:
        """See Progress."""
        self._live.console.print(f"[red]failed[/red] {escape(name)}")
        self._all.advance(self._modules)

    @contextmanager
    def arriving(self, name: str, size_bytes: int | None) -> Iterator[Callable[[int], None]]:
        """See Progress."""
        task = self._zips.add_task(escape(name), total=size_bytes)
        try:
            yield lambda came: self._zips.advance(task, came)
        finally:
            self._zips.remove_task(task)

"""Progress bars: what a person sees while a run works."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Advance = Callable[[float], None]
"""Tells a bar which share of the work is done."""


class Bars(ABC):
    """Where a run shows what it is doing."""

    @abstractmethod
    def bar(self, description: str) -> AbstractContextManager[Advance]:
        """Show one bar while its work goes on, and that it is done; a bar whose work failed just goes."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a line of text."""


@final
@dataclass(frozen=True)
class ShownBars(Bars):
    """A set of live progress bars in a terminal.

    Args:
        progress: rich's bars, already live.
    """

    progress: Progress

    @contextmanager
    def bar(self, description: str) -> Iterator[Advance]:
        """Show one bar while its work goes on, and a line with its time when it is done."""
        described = escape(description)
        task = self.progress.add_task(described, total=1.0)
        try:
            yield lambda share: self.progress.update(task, completed=share)
            seconds = self.progress.tasks[self.progress.task_ids.index(task)].elapsed or 0.0
            self.progress.console.print(f"[green]✓[/] {described} [dim]{seconds:.1f} s[/]", soft_wrap=True)
        finally:
            self.progress.remove_task(task)

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self.progress.console.print(escape(text), soft_wrap=True)


@contextmanager
def bars(console: Console | None = None) -> Iterator[ShownBars]:
    """Show progress bars for as long as the work goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as progress:
        yield ShownBars(progress)

"""Progress across processes and machines: a run tells a file what it does, and whoever started it follows the file.

A file, because it needs nothing that could be lost with a worker, and runs are kept where all who work see them.
"""

import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, final

from manyheads.experiments.progress import Advance, Bars

_PAUSE = 0.5
"""Seconds between two looks at the files."""


@final
@dataclass(frozen=True)
class ToldBars(Bars):
    """Bars that nobody sees here: each change is a line of JSON at the end of a file, with who wrote it.

    Args:
        path: the file; made with its folder when there is something to tell.
    """

    path: Path

    @contextmanager
    def bar(self, description: str) -> Iterator[Advance]:
        """Tell that a work begins, each hundredth of it, and that it is done."""
        told = 0

        def advance(share: float) -> None:
            nonlocal told
            if int(100 * share) > told:
                told = int(100 * share)
                self._tell(bar=description, share=share)

        self._tell(bar=description, share=0.0)
        done = False
        try:
            yield advance
            done = True
        finally:
            self._tell(end=description, done=done)

    def say(self, text: str) -> None:
        """Tell a line of text."""
        self._tell(say=text)

    def _tell(self, **event: Any) -> None:  # noqa: ANN401 (what JSON can hold)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"machine": socket.gethostname(), "process": os.getpid(), **event})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


@contextmanager
def followed(paths: Iterable[Path], shown: Bars) -> Iterator[None]:
    """Show what others tell these files while the work inside goes on; the files are gone before and after it.

    The bars of a process that was lost vanish as soon as another one tells the same file something.

    Args:
        paths: the files, one for each run.
        shown: where it is shown.
    """
    tales = [_Tale(path, shown) for path in paths]
    for tale in tales:
        tale.path.unlink(missing_ok=True)
    ended = Event()

    def follow() -> None:
        while not ended.wait(_PAUSE):
            for tale in tales:
                tale.read()

    follower = Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()
        for tale in tales:
            tale.read()
            tale.close()
            tale.path.unlink(missing_ok=True)


class _LostError(Exception):
    """Whoever told of a work is gone, or the work failed."""


@dataclass(eq=False)
class _Tale:
    """What one file has told so far."""

    path: Path
    shown: Bars
    seen: int = 0
    teller: tuple[str, int] | None = None
    bars: dict[str, tuple[AbstractContextManager[Advance], Advance]] = field(default_factory=dict)

    def read(self) -> None:
        """Show what is new; a line that is not whole yet is left for the next time."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.seen)
                new = file.read()
        except FileNotFoundError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self.seen += len(whole)
        for line in whole.splitlines():
            with suppress(json.JSONDecodeError):  # whoever wrote it was killed while writing
                self._show(json.loads(line))

    def close(self) -> None:
        """Take the bars away that are still there, since nobody tells of them any more."""
        for description in list(self.bars):
            self._end(description, done=False)

    def _show(self, event: dict[str, Any]) -> None:
        teller = event["machine"], event["process"]
        if teller != self.teller:
            self.close()
            self.teller = teller
        match event:
            case {"bar": description, "share": share}:
                if description not in self.bars:
                    bar = self.shown.bar(description)
                    self.bars[description] = bar, bar.__enter__()
                self.bars[description][1](share)
            case {"end": description, "done": done} if description in self.bars:
                self._end(description, done=done)
            case {"say": text}:
                self.shown.say(text)

    def _end(self, description: str, *, done: bool) -> None:
        bar, _ = self.bars.pop(description)
        lost = None if done else _LostError(description)
        bar.__exit__(None if done else _LostError, lost, None)

"""Somebody who kills the process that works on a run, in the middle of it."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

from manyheads.experiments import RunFiles


@dataclass(eq=False)
class Assassin:
    """Kills the process that tells of a run, once, as soon as something has happened.

    Args:
        files: the run.
        happened: tells whether it has.
        killed: the process that was killed.
        left: when each finished file was written that the process left behind; none if the run was over already.
    """

    files: RunFiles
    happened: Callable[[], bool]
    killed: list[int] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)

    def start(self) -> Thread:
        """Lie in wait while the caller goes on."""
        thread = Thread(target=self._kill, daemon=True)
        thread.start()
        return thread

    def _kill(self) -> None:
        while not self.happened():
            time.sleep(0.002)
        (*_, last) = self.files.progress.read_text().splitlines()
        process = json.loads(last)["process"]
        os.kill(process, signal.SIGKILL)
        self.killed.append(process)
        if not self.files.scores.exists():
            self.left = finished(self.files)


def finished(files: RunFiles) -> dict[str, int]:
    """When each file of a run was written; not that of its progress, nor those that are being written."""
    written = [path for path in files.folder.rglob("*") if path.suffix not in {".tmp", ".jsonl"} and path.is_file()]
    return {str(path.relative_to(files.folder)): path.stat().st_mtime_ns for path in written}

"""Launching: one experiment in several processes of this machine, each with a device and a part of every batch."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Generic, TypeVar

import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch.multiprocessing.spawn import ProcessException

from manyheads.experiments.devices import Devices
from manyheads.experiments.progress import Bars, bars
from manyheads.experiments.relay import ToldBars, followed

Told = TypeVar("Told")
"""What the processes are told to work on."""

Work = Callable[[Told, Fabric, Bars], None]
"""What each process does; a function of a module, since each process imports it."""

_Refusals = SimpleQueue[Exception]
_NAMED = ("LOCAL_RANK", "MASTER_PORT", "MASTER_ADDR")


def launch(work: Work[Told], told: Told, *, devices: Devices, progress: Path, shown: Bars) -> None:
    """Let several processes do one work together; what the first one shows is shown here.

    A script that does this needs `if __name__ == "__main__":` around its work, since each process imports it.

    Args:
        work: what each of them does.
        told: what it is given.
        devices: how many processes, and on what.
        progress: the file by which the first process tells what it is doing.
        shown: where that is shown.

    Raises:
        ValueError: if this machine has not so many devices, or the work refuses what it is given.
        OSError: if a file cannot be read.
        ImportError: if the work needs a library that is not there.
        ChildProcessError: if a process was lost.
    """
    fabric = devices.together()
    refusals: _Refusals = get_context("spawn").SimpleQueue()
    environment = {name: os.environ.pop(name) for name in _NAMED if name in os.environ}
    try:
        with followed([progress], shown):
            fabric.launch(_Process(work, told, progress, refusals))
    except ProcessException as error:
        if not refusals.empty():
            raise refusals.get() from error
        raise ChildProcessError(
            f"one of {devices.devices} processes was lost ({error}); call the same command again to go on"
        ) from error
    finally:
        for name in _NAMED:
            os.environ.pop(name, None)
        os.environ.update(environment)


@dataclass(frozen=True)
class _Process(Generic[Told]):
    """One of several processes."""

    work: Work[Told]
    told: Told
    progress: Path
    refusals: _Refusals

    def __call__(self, fabric: Fabric) -> None:
        """Work; what it refuses is also said to who started it."""
        try:
            if fabric.is_global_zero:
                self.work(self.told, fabric, ToldBars(self.progress))
            else:
                with bars(Console(quiet=True)) as unseen:
                    self.work(self.told, fabric, unseen)
        except (ValueError, OSError, ImportError) as error:
            self.refusals.put(error)
            raise
        torch.distributed.destroy_process_group()

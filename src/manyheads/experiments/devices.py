"""Devices: on what, and in how many processes of one machine, an experiment trains and attacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable

from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException

from manyheads.data import Augmentation, Loader, Place, Source

Accelerator = Literal["auto", "cpu", "cuda", "mps"]
"""What computes; `auto` is the processor where nothing better is found."""

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
"""In what the model computes while it trains. Attacks and evaluation are in single precision in any case."""

_PATIENCE = timedelta(days=7)
"""How long a process waits for the others; one that is lost is noticed by who started it, and ends all."""


@dataclass(frozen=True)
class Devices:
    """On what an experiment trains and attacks.

    Args:
        devices: how many processes of this machine share every batch, each with a device of its own; the batch sizes
            of an experiment are those of all together.
        accelerator: what they compute on.
        precision: in what the model computes while it trains.

    Raises:
        ValueError: if there is no process.
    """

    devices: int = 1
    accelerator: Accelerator = "auto"
    precision: Precision = "32-true"

    def __post_init__(self) -> None:
        """Refuse what nobody would carry out."""
        if self.devices < 1:
            raise ValueError(f"at least one process has to work, got fabric.devices={self.devices}")

    def alone(self) -> Fabric:
        """Make what one process works on.

        Raises:
            ValueError: if this machine has no such device.
        """
        return self._fabric(processes=1)

    def together(self) -> Fabric:
        """Make what all processes work on, to be launched.

        They are started afresh by Python, not by the command line that started this one.

        Raises:
            ValueError: if this machine has not so many devices.
        """
        return self._fabric(processes=self.devices)

    def _fabric(self, *, processes: int) -> Fabric:
        several = {
            "strategy": DDPStrategy(start_method="spawn", timeout=_PATIENCE),
            "plugins": [LightningEnvironment()],
        }
        try:
            return Fabric(
                accelerator=self.accelerator,
                devices=processes,
                precision=self.precision,
                **(several if processes > 1 else {}),
            )
        except (MisconfigurationException, RuntimeError) as error:
            raise ValueError(
                f"this machine cannot work with fabric.devices={processes} and fabric.accelerator={self.accelerator}: "
                f"{error}"
            ) from error


def alone_on(fabric: Fabric) -> Fabric:
    """Make what one of several processes needs to work by itself, on the device that it has."""
    if fabric.world_size == 1:
        return fabric
    device = fabric.device
    devices = 1 if device.index is None else [device.index]
    return Fabric(accelerator=device.type, devices=devices, precision=fabric.strategy.precision.precision)


def place_of(fabric: Fabric) -> Place:
    """Tell where this process works, and as which of how many."""
    return Place(fabric.device, fabric.global_rank, fabric.world_size)


def share_of(batch_size: int, fabric: Fabric) -> int:
    """Tell how many examples of a joint batch one process is given, at most."""
    return -(-batch_size // fabric.world_size)


@runtime_checkable
class Feed(Protocol):
    """What experiments of all kinds say about their batches."""

    @property
    def seed(self) -> int:
        """Decides order and random numbers."""
        ...

    @property
    def workers(self) -> int:
        """How many processes decode image files."""
        ...


def loader_of(
    source: Source,
    fabric: Fabric,
    *,
    experiment: Feed,
    batch_size: int,
    shuffle: bool = False,
    augment: Sequence[Augmentation] = (),
) -> Loader:
    """Make batches of this process's part of some images, on its device.

    Args:
        source: the images of all processes.
        fabric: what this process works on, perhaps as one of several.
        experiment: what the images are for.
        batch_size: how many images a batch has, that of all processes together.
        shuffle: a new random order in every epoch.
        augment: changes of the batch, applied in order.
    """
    return Loader(
        source,
        batch_size=share_of(batch_size, fabric),
        seed=experiment.seed,
        shuffle=shuffle,
        augment=augment,
        workers=experiment.workers,
        place=place_of(fabric),
    )


def refuse_uneven_shares(batch_size: int, fabric: Devices) -> None:
    """Make sure that every process is given the same number of examples of each training batch.

    Raises:
        ValueError: if the batch size is no multiple of the number of processes.
    """
    if batch_size % fabric.devices:
        near = max(batch_size // fabric.devices, 1) * fabric.devices
        raise ValueError(
            f"{fabric.devices} processes share each training batch evenly, which training.batch_size={batch_size} "
            f"does not allow; take {near}"
        )

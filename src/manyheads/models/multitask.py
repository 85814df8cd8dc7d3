"""Hard parameter sharing: one encoder, one head per task."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.head_names import check_head_name
from manyheads.types import Image


@dataclass(frozen=True)
class ParameterCounts:
    """How many trainable numbers a model has.

    Args:
        shared: those of the encoder, and those that several heads have in common.
        private: those that only one head has, by task name.
    """

    shared: int
    private: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them, each once."""
        return self.shared + sum(self.private.values())

    def __str__(self) -> str:
        heads = ", ".join(f"{name} {count:,}" for name, count in self.private.items())
        return f"{self.total:,} parameters: shared {self.shared:,}; private: {heads}"


class Normalise(nn.Module):
    """Subtract a mean from each channel and divide by a standard deviation.

    Args:
        mean: per channel, in pixel units ([0, 1]).
        std: per channel, in pixel units, above zero.

    Raises:
        ValueError: if they differ in length, or a standard deviation is not above zero.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != len(std):
            raise ValueError(f"give mean and std for the same channels, got {len(mean)} and {len(std)} numbers")
        if not all(value > 0 for value in std):
            raise ValueError(f"std must be above zero in every channel, got {tuple(std)}")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).reshape(-1, 1, 1))

    def forward(self, image: Image) -> Float[Tensor, "batch channel height width"]:
        """Normalise.

        Raises:
            ValueError: if the image has another number of channels.
        """
        if image.shape[1] != len(self.mean):
            raise ValueError(f"this model normalises {len(self.mean)} channels, the image has {image.shape[1]}")
        return (image - self.mean) / self.std


class MultiTaskModel(nn.Module):
    """One encoder, run once per image, and one head per task on what it returns.

    Images and budgets are in [0, 1]; where a backbone wants normalised pixels, that is this model's first layer, so
    that no caller ever sees them.

    Args:
        encoder: maps images to features; it says how many in its attribute `features`.
        heads: maps features to the answer of a task, by task name.
        mean: per channel, subtracted from the image first; in pixel units ([0, 1]). None for raw pixels.
        std: per channel, divided by afterwards; given together with `mean`.

    Raises:
        ValueError: if there is no head, a name cannot be one, a linear head does not fit the encoder, or only one of
            `mean` and `std` is given.

    Reference: Hyun & Park, IEEE Access 2024, section III-B. Differs from it in: nothing.

    >>> from manyheads.models import LeNet
    >>> model = MultiTaskModel(LeNet(), {"digit": nn.Linear(1024, 10), "parity": nn.Linear(1024, 2)})
    >>> {name: tuple(output.shape) for name, output in model(torch.zeros(5, 1, 28, 28)).items()}
    {'digit': (5, 10), 'parity': (5, 2)}
    >>> print(model.parameter_counts())
    3,276,684 parameters: shared 3,264,384; private: digit 10,250, parity 2,050
    """

    def __init__(
        self,
        encoder: nn.Module,
        heads: Mapping[str, nn.Module],
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if (mean is None) != (std is None):
            raise ValueError("give mean and std together, or neither for raw pixels")
        _check_heads(heads, features=getattr(encoder, "features", None))
        self.normalise = nn.Identity() if mean is None or std is None else Normalise(mean=mean, std=std)
        self.encoder = encoder
        self.heads = nn.ModuleDict(heads)

    def forward(self, image: Image) -> dict[str, Tensor]:
        """Return the answer of every head, by task name."""
        features = self.encoder(self.normalise(image))
        return {name: head(features) for name, head in self.heads.items()}

    def parameter_counts(self) -> ParameterCounts:
        """Count shared and private parameters; buffers (running statistics, normalisation) are not counted."""
        parts = [self.encoder, *self.heads.values()]
        owners = Counter(parameter for part in parts for parameter in part.parameters())
        private = {
            name: sum(parameter.numel() for parameter in head.parameters() if owners[parameter] == 1)
            for name, head in self.heads.items()
        }
        return ParameterCounts(sum(parameter.numel() for parameter in owners) - sum(private.values()), private)


def _check_heads(heads: Mapping[str, nn.Module], *, features: object) -> None:
    if not heads:
        raise ValueError("a model needs at least one head; linear_heads(tasks, features=...) makes one per task")
    for name, head in heads.items():
        check_head_name(name)
        if isinstance(head, nn.Linear) and isinstance(features, int) and head.in_features != features:
            raise ValueError(f"head {name!r} takes {head.in_features} features, but the encoder returns {features}")

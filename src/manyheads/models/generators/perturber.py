"""What a generator is given: the images themselves, or fixed patterns that give one perturbation for all images."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from manyheads.models.generators.generator import PerturbationGenerator
from manyheads.randomness import Streams
from manyheads.types import Image


class Perturber(nn.Module, ABC):
    """A generator together with what it is given; it is trained, saved and loaded as one module.

    Args:
        generator: makes the perturbations.
    """

    def __init__(self, generator: PerturbationGenerator) -> None:
        super().__init__()
        self.generator = generator

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that it perturbs images for."""
        return self.generator.tasks

    @abstractmethod
    def raw(self, images: Mapping[str, Image]) -> dict[str, Tensor]:
        """Return one perturbation per image, in [-1, 1] and before any budget, by the task that it is for.

        Args:
            images: by task; some of the tasks will do. Tasks that share their images share the tensor itself.

        Raises:
            ValueError: if there is no decoder for one of the tasks.
        """

    @final
    def forward(self, images: Mapping[str, Image]) -> dict[str, Tensor]:
        """Return what `raw` returns: what wraps a module, as training on several processes does, calls this."""
        return self.raw(images)


@final
class PerInstance(Perturber):
    """Each image gets a perturbation of its own, which the generator makes of it.

    Args:
        generator: makes the perturbations.

    Reference: Guo et al. 2020 (MTA), section 3.2.
    """

    def raw(self, images: Mapping[str, Image]) -> dict[str, Tensor]:
        """Return what the generator makes of each image, by task."""
        return self.generator(images)


@final
class Universal(Perturber):
    """All images of a task get the same perturbation, which the generator makes of a fixed random pattern.

    A pattern has the images' size and is uniform in [0, 1), as the images are. It depends on the seed and its name
    alone; it is kept with the weights and not trained.

    Args:
        generator: makes the perturbations.
        size: height and width of the images.
        seed: decides the patterns.
        patterns: name of each task's pattern. Tasks that share a name share the pattern, so that a shared encoder runs
            once for them: `dict.fromkeys(tasks, "all")`. None for a pattern per task, as in the paper.

    Raises:
        ValueError: if the patterns are not those of the generator's tasks.

    Reference: Guo et al. 2020 (MTA), section 3.1.

    >>> from manyheads.models import mta_generator
    >>> universal = Universal(mta_generator(["digit"], width=4, blocks=1), size=(16, 16))
    >>> first, second = universal.raw({"digit": torch.rand(2, 3, 16, 16)})["digit"]
    >>> bool((first == second).all())
    True
    """

    patterns: Tensor

    def __init__(
        self,
        generator: PerturbationGenerator,
        *,
        size: tuple[int, int],
        seed: int = 0,
        patterns: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(generator)
        named = {task: task for task in generator.tasks} if patterns is None else dict(patterns)
        if set(named) != set(generator.tasks):
            raise ValueError(
                f"each of {', '.join(generator.tasks)} needs a pattern's name, got one for {', '.join(named) or 'none'}"
            )
        names = list(dict.fromkeys(named[task] for task in generator.tasks))
        self._rows = {task: names.index(name) for task, name in named.items()}
        stream = Streams.of_examples(torch.tensor([0]), seed=seed, stage="pattern")
        drawn = [stream.fork(name).uniform(generator.channels, *size) for name in names]
        self.register_buffer("patterns", torch.cat(drawn))

    def raw(self, images: Mapping[str, Image]) -> dict[str, Tensor]:
        """Return each task's one perturbation, once per image.

        Raises:
            ValueError: if there is no decoder for one of the tasks, or the images have another size than the patterns.
        """
        self.generator.check_tasks(images)
        for task, image in images.items():
            if image.shape[1:] != self.patterns.shape[1:]:
                raise ValueError(
                    f"the perturbation of {task!r} is for images of {_form(self.patterns)}, got {_form(image)}; "
                    "resize them, or train a perturber of their size"
                )
        rows = self.patterns.split(1)  # one object per pattern: what tasks share is then encoded once
        found = self.generator({task: rows[self._rows[task]] for task in images})
        return {task: found[task].expand(len(image), -1, -1, -1) for task, image in images.items()}


def _form(image: Tensor) -> str:
    return "×".join(str(side) for side in image.shape[1:])

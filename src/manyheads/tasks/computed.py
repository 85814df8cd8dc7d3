"""Truth that is computed: what depth, intrinsics and image determine, where the batch has no annotation of it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

from manyheads.tasks.geometry import depth_of, euclidean_depth_of, normals_of, reshading_of
from manyheads.tasks.surface import keypoints3d_of, occlusion_edges_of, principal_curvature_of
from manyheads.tasks.task import Task
from manyheads.tasks.texture import keypoints2d_of, texture_edges_of
from manyheads.types import Batch


@dataclass(frozen=True)
class Computed:
    """The annotation of this name if the batch has it, and otherwise what an operator computes from the batch.

    No gradient flows through it.

    Args:
        name: the annotation.
        operator: computes it from a batch.
        needs: the entries of the batch that the operator reads.
    """

    name: str
    operator: Callable[[Batch], Tensor]
    needs: tuple[str, ...]

    def __call__(self, batch: Batch) -> Tensor:
        """Look it up or compute it.

        Raises:
            KeyError: if the batch has neither the annotation nor what it is computed from.
        """
        if self.name in batch:
            return batch[self.name]
        missing = [name for name in self.needs if name not in batch]
        if missing:
            raise KeyError(
                f"the batch has no annotation {self.name!r}, and to compute it lacks {', '.join(missing)}; "
                f"it has: {', '.join(sorted(batch))}"
            )
        with torch.no_grad():
            return self.operator(batch)


@dataclass(frozen=True)
class CleanImage:
    """The batch's own image, in [0, 1]: the clean one, where a step or a threat attacks that batch."""

    def __call__(self, batch: Batch) -> Tensor:
        """Return it without a gradient."""
        return batch["image"].detach()


def _depth(batch: Batch) -> Tensor:
    return depth_of(batch["euclidean_depth"], intrinsics=batch["intrinsics"])


def _euclidean_depth(batch: Batch) -> Tensor:
    return euclidean_depth_of(batch["depth"], intrinsics=batch["intrinsics"])


def _normal(batch: Batch) -> Tensor:
    return normals_of(batch["depth"], intrinsics=batch["intrinsics"])


def _texture_edges(batch: Batch) -> Tensor:
    return texture_edges_of(batch["image"])


def _occlusion_edges(batch: Batch) -> Tensor:
    return occlusion_edges_of(batch["depth"])


def _keypoints2d(batch: Batch) -> Tensor:
    return keypoints2d_of(batch["image"])


def _keypoints3d(batch: Batch) -> Tensor:
    return keypoints3d_of(batch["depth"], normal=COMPUTED["normal"](batch))


def _curvature(batch: Batch) -> Tensor:
    return principal_curvature_of(batch["depth"], normal=COMPUTED["normal"](batch), intrinsics=batch["intrinsics"])


def _reshading(batch: Batch) -> Tensor:
    return reshading_of(COMPUTED["normal"](batch), intrinsics=batch["intrinsics"])


COMPUTED: Final = MappingProxyType(
    {
        made.name: made
        for made in (
            Computed("depth", _depth, ("euclidean_depth", "intrinsics")),
            Computed("euclidean_depth", _euclidean_depth, ("depth", "intrinsics")),
            Computed("normal", _normal, ("depth", "intrinsics")),
            Computed("texture_edges", _texture_edges, ("image",)),
            Computed("occlusion_edges", _occlusion_edges, ("depth",)),
            Computed("keypoints2d", _keypoints2d, ("image",)),
            Computed("keypoints3d", _keypoints3d, ("depth", "intrinsics")),
            Computed("curvature", _curvature, ("depth", "intrinsics")),
            Computed("reshading", _reshading, ("intrinsics",)),
        )
    }
)
"""Every annotation that can be computed, by its name; what others are computed from comes first."""


def makers(tasks: Sequence[Task], *, present: Collection[str]) -> dict[str, Computed]:
    """Return what computes the annotations that tasks ask for and a source has not, to add them to the source once.

    The normals come first if anything asked for is computed from them.

    Args:
        tasks: what shall be trained or evaluated; those whose truth is never computed ask for nothing.
        present: the annotations that the source has.

    >>> from manyheads.tasks import depth, reshade
    >>> list(makers([depth(), reshade()], present={"depth", "intrinsics"}))
    ['normal', 'reshading']
    """
    asked = {task.target.name for task in tasks if isinstance(task.target, Computed)}
    if asked & {"keypoints3d", "curvature", "reshading"} - set(present):
        asked.add("normal")
    return {name: made for name, made in COMPUTED.items() if name in asked and name not in present}

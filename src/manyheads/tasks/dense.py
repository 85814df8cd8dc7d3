"""Dense tasks, with an answer at every pixel: the eleven that Mao et al. train together.

Their truth is the batch's annotation, or else is computed from the batch's depth, intrinsics and image. Unknown pixels
(class −1, otherwise NaN) count in no loss and in no metric.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from torch import Tensor

from manyheads.tasks.angular_metrics import AngularError
from manyheads.tasks.classify import Annotation
from manyheads.tasks.computed import COMPUTED, CleanImage
from manyheads.tasks.depth_metrics import DepthError
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.tasks.losses import MaskedCrossEntropy, MaskedL1
from manyheads.tasks.segmentation_metrics import Segmentation
from manyheads.tasks.suggestion import suggest
from manyheads.tasks.task import Task
from manyheads.types import Batch, PerExample


@dataclass(frozen=True)
class SegmentationOf:
    """Makes fresh `Segmentation` counters of this many classes."""

    classes: int

    def __call__(self) -> Segmentation:
        """Make one."""
        return Segmentation(self.classes)


def segment(name: str = "segmentation", *, classes: int | tuple[str, ...] = 13) -> Task:
    """Make the task of naming the class of every pixel.

    One channel per class; masked cross-entropy in nats; truth: `segmentation`, integers from 0, −1 where unlabelled;
    metric: `Segmentation` (mean intersection over union, pixel accuracy).

    Args:
        name: the task's name.
        classes: how many classes there are, or their names; NYUv2 is used with 13 and with 40.

    >>> segment(classes=("wall", "floor", "thing")).channels
    3
    """
    names = () if isinstance(classes, int) else tuple(classes)
    channels = classes if isinstance(classes, int) else len(classes)
    return Task(
        name=name,
        channels=channels,
        target=Annotation("segmentation"),
        loss=MaskedCrossEntropy(),
        metric=SegmentationOf(channels),
        class_names=names,
    )


def depth(name: str = "depth") -> Task:
    """Make the task of telling the depth along the optical axis.

    One channel, in metres; masked L1; truth: `depth`, or `depth_of` the Euclidean depth; metric: `DepthError`.
    """
    return Task(name=name, channels=1, target=COMPUTED["depth"], loss=MaskedL1(), metric=DepthError)


def euclidean_depth(name: str = "euclidean_depth") -> Task:
    """Make the task of telling the distance from the camera.

    One channel, in metres; masked L1; truth: `euclidean_depth`, or `euclidean_depth_of` the depth; metric:
    `DepthError`.
    """
    return Task(name=name, channels=1, target=COMPUTED["euclidean_depth"], loss=MaskedL1(), metric=DepthError)


def normals(name: str = "normals", *, loss: Callable[[Tensor, Tensor], PerExample] | None = None) -> Task:
    """Make the task of telling the direction that each surface faces.

    Three channels, unit vectors in the camera's frame; truth: `normal`, or `normals_of` the depth; metric:
    `AngularError`.

    Args:
        name: the task's name.
        loss: `(output, truth)` to one loss per example; None for `MaskedL1()`. `MaskedCosine()` is the other usual one.
    """
    loss = MaskedL1() if loss is None else loss
    return Task(name=name, channels=3, target=COMPUTED["normal"], loss=loss, metric=AngularError)


def texture_edges(name: str = "texture_edges") -> Task:
    """Make the task of finding edges in brightness.

    One channel, strengths in [0, 1]; masked L1; truth: `texture_edges`, or `texture_edges_of` the image (Canny's, not
    thinned); metric: `AbsoluteError`.
    """
    return _strength(name, target=COMPUTED["texture_edges"])


def occlusion_edges(name: str = "occlusion_edges") -> Task:
    """Make the task of finding where one surface ends in front of another.

    One channel, strengths in [0, 1]; masked L1; truth: `occlusion_edges`, or `occlusion_edges_of` the depth
    (discontinuities); metric: `AbsoluteError`.
    """
    return _strength(name, target=COMPUTED["occlusion_edges"])


def keypoints2d(name: str = "keypoints2d") -> Task:
    """Make the task of finding blobs and corners in brightness.

    One channel, strengths in [0, 1]; masked L1; truth: `keypoints2d`, or `keypoints2d_of` the image (SURF's determinant
    of the Hessian); metric: `AbsoluteError`.
    """
    return _strength(name, target=COMPUTED["keypoints2d"])


def keypoints3d(name: str = "keypoints3d") -> Task:
    """Make the task of finding points where the surface changes in two directions at once.

    One channel, strengths in [0, 1]; masked L1; truth: `keypoints3d`, or `keypoints3d_of` the depth (in the spirit of
    NARF); metric: `AbsoluteError`.
    """
    return _strength(name, target=COMPUTED["keypoints3d"])


def curvature(name: str = "curvature") -> Task:
    """Make the task of telling how the surface bends.

    Two channels, the principal curvatures in 1/m, larger first, positive for a ball seen from outside; masked L1;
    truth: `curvature`, or `principal_curvature_of` the depth (shape operator); metric: `AbsoluteError`.
    """
    return Task(name=name, channels=2, target=COMPUTED["curvature"], loss=MaskedL1(), metric=AbsoluteError)


def reshade(name: str = "reshading") -> Task:
    """Make the task of telling how bright a lamp at the camera would make each surface.

    One channel, in [0, 1]; masked L1; truth: `reshading`, or `reshading_of` the normals (Lambert's law); metric:
    `AbsoluteError`.
    """
    return _strength(name, target=COMPUTED["reshading"])


def autoencode(
    name: str = "autoencoding", *, channels: int = 3, loss: Callable[[Tensor, Tensor], PerExample] | None = None
) -> Task:
    """Make the task of returning the image itself: of an attacked one, what it was before.

    As many channels as the image has, in [0, 1]; truth: the clean image; metric: `AbsoluteError`.

    Args:
        name: the task's name.
        channels: the image's.
        loss: `(output, truth)` to one loss per example; None for `MaskedL1()`. `MaskedL2()` is the other usual one.
    """
    loss = MaskedL1() if loss is None else loss
    return Task(name=name, channels=channels, target=CleanImage(), loss=loss, metric=AbsoluteError)


def _strength(name: str, *, target: Callable[[Batch], Tensor]) -> Task:
    return Task(name=name, channels=1, target=target, loss=MaskedL1(), metric=AbsoluteError)


_MAKERS: Final = {
    "depth": depth,
    "euclidean_depth": euclidean_depth,
    "normals": normals,
    "texture_edges": texture_edges,
    "occlusion_edges": occlusion_edges,
    "keypoints2d": keypoints2d,
    "keypoints3d": keypoints3d,
    "curvature": curvature,
    "reshading": reshade,
    "autoencoding": autoencode,
}

PAPER_LETTERS: Final = MappingProxyType({"s": "segmentation", **dict(zip("dDneEkKprA", _MAKERS, strict=True))})
"""Mao et al.'s letter of each task -> the task's name."""


def paper_task(letter: str, *, classes: int | tuple[str, ...] = 13) -> Task:
    """Make one of the eleven tasks by Mao et al.'s letter for it, or by its name.

    Args:
        letter: a key or a value of `PAPER_LETTERS`.
        classes: how many classes the segmentation has, or their names; the other tasks have none.

    Raises:
        ValueError: if there is no such task.

    >>> [paper_task(letter).name for letter in "sdn"]
    ['segmentation', 'depth', 'normals']
    """
    name = PAPER_LETTERS.get(letter, letter)
    if name == "segmentation":
        return segment(classes=classes)
    if name not in _MAKERS:
        known = ", ".join(f"{key} ({value})" for key, value in PAPER_LETTERS.items())
        raise ValueError(
            f"no dense task is called {letter!r}; {suggest(name, known=PAPER_LETTERS.values())}; all: {known}"
        )
    return _MAKERS[name]()

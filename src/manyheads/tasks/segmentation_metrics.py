"""Quality of a segmentation: intersection over union by both conventions, and pixel accuracy."""

from typing import final

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from manyheads.tasks.losses import UNKNOWN_CLASS
from manyheads.tasks.metrics import Counter


@final
class Segmentation(Counter):
    """Counts which class was taken for which, pixel by pixel; pixels of class −1 (unknown) do not count.

    State: the confusion matrix row by row (row: truth, column: prediction), the sum of the images' own mean
    intersections over union, and the number of images with a known pixel.

    Args:
        classes: how many classes there are.

    Raises:
        ValueError: if there is no class.

    >>> segmentation = Segmentation(2)
    >>> scores = torch.tensor([[[[2.0, 2.0, 0.0]], [[1.0, 1.0, 1.0]]]])
    >>> segmentation.update(scores, torch.tensor([[[0, 1, -1]]]))
    >>> segmentation.scores()
    {'miou': 0.25, 'miou_per_image': 0.25, 'pixel_accuracy': 0.5}
    """

    headline = "miou"
    higher_is_better = True

    def __init__(self, classes: int) -> None:
        if classes < 1:
            raise ValueError(f"a segmentation needs at least one class, got {classes}")
        super().__init__(states=classes**2 + 2)
        self.classes = classes

    def count(
        self, output: Float[Tensor, "batch classes height width"], truth: Int64[Tensor, "batch height width"]
    ) -> Float64[Tensor, "batch states"]:
        """Return each image's confusion matrix, mean intersection over union and whether it has a known pixel.

        Raises:
            ValueError: if the output or the truth has more classes than are counted.
        """
        highest = int(truth.max()) if truth.numel() else -1
        if output.shape[1] != self.classes or highest >= self.classes:
            raise ValueError(
                f"{self.classes} classes are counted, got scores of {output.shape[1]} and true classes up to "
                f"{highest}; mark what is unlabelled by {UNKNOWN_CLASS}"
            )
        shape = (len(truth), self.classes, self.classes)
        example = torch.arange(len(truth), device=truth.device)[:, None, None]
        cell = (example * self.classes + truth) * self.classes + output.argmax(1)
        confusion = torch.bincount(cell[truth >= 0], minlength=torch.Size(shape).numel()).double().view(shape)
        overlap = _mean_overlap(confusion)
        seen = ~overlap.isnan()
        return torch.cat([confusion.flatten(1), overlap.where(seen, 0)[:, None], seen[:, None].double()], dim=1)

    @property
    def confusion(self) -> Float64[Tensor, "classes classes"]:
        """Pixels by true class (row) and predicted class (column)."""
        return self.state[:-2].view(self.classes, self.classes)

    def class_overlaps(self) -> tuple[float, ...]:
        """Intersection over union of each class over the data set; NaN for one in neither truth nor prediction."""
        return tuple(_overlap(self.confusion).tolist())

    def scores(self) -> dict[str, float]:
        """Return shares in [0, 1].

        `miou`: the mean intersection over union of one confusion matrix over the data set, over the classes that occur
        in truth or prediction. `miou_per_image`: the mean over images of the same of each image alone, as several
        multi-task repositories report it. `pixel_accuracy`: the share of right pixels.
        """
        return {
            "miou": float(_mean_overlap(self.confusion)),
            "miou_per_image": float(self.state[-2] / self.state[-1]),
            "pixel_accuracy": float(self.confusion.diagonal().sum() / self.confusion.sum()),
        }


def _overlap(confusion: Float64[Tensor, "*batch classes classes"]) -> Float64[Tensor, "*batch classes"]:
    """Intersection over union of each class, NaN where there is neither truth nor prediction."""
    right = confusion.diagonal(dim1=-2, dim2=-1)
    return right / (confusion.sum(-1) + confusion.sum(-2) - right)


def _mean_overlap(confusion: Float64[Tensor, "*batch classes classes"]) -> Float64[Tensor, "*batch"]:
    """Mean intersection over union over the classes that occur, NaN where none does."""
    return _overlap(confusion).nanmean(-1)

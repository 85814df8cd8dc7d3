"""Both mean intersections over union and the pixel accuracy agree with scikit-learn."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score
from torch import Tensor

from manyheads.tasks import UNKNOWN_CLASS, Segmentation


def drawn(*, images: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random scores and classes, the highest class rare, a quarter of the pixels unknown, but not the first."""
    rng = torch.Generator().manual_seed(seed)
    output = torch.randn(images, classes, 3, 4, generator=rng)
    output[:, -1] -= 2
    truth = torch.randint(max(classes - 1, 1), (images, 3, 4), generator=rng)
    unknown = torch.rand(truth.shape, generator=rng) < 0.25
    unknown[:, 0, 0] = False
    return output, truth.masked_fill(unknown, UNKNOWN_CLASS)


@settings(max_examples=15)
@given(images=st.integers(1, 4), classes=st.integers(2, 6), seed=st.integers(0, 500))
def test_scores_agree_with_scikit_learn(images: int, classes: int, seed: int) -> None:
    output, truth = drawn(images=images, classes=classes, seed=seed)
    segmentation = Segmentation(classes)
    segmentation.update(output, truth)
    pairs = [(truth[row][truth[row] >= 0], output[row].argmax(0)[truth[row] >= 0]) for row in range(images)]
    everything = tuple(torch.cat(part) for part in zip(*pairs, strict=True))
    assert segmentation.scores() == pytest.approx(
        {
            "miou": jaccard_score(*everything, average="macro"),
            "miou_per_image": sum(jaccard_score(*pair, average="macro") for pair in pairs) / images,
            "pixel_accuracy": accuracy_score(*everything),
        }
    )
    assert segmentation.confusion.tolist() == confusion_matrix(*everything, labels=range(classes)).tolist()


def test_a_hand_computed_case_of_two_images() -> None:
    truth = torch.tensor([[[0, 0, 1]], [[1, 1, -1]]])
    answer = torch.tensor([[[0, 1, 1]], [[1, 1, 0]]])
    segmentation = Segmentation(3)
    segmentation.update(torch.nn.functional.one_hot(answer, 3).movedim(-1, 1).float(), truth)
    assert segmentation.class_overlaps()[:2] == (1 / 2, 3 / 4)
    assert math.isnan(segmentation.class_overlaps()[2])
    assert segmentation.scores() == pytest.approx({"miou": 0.625, "miou_per_image": 0.75, "pixel_accuracy": 0.8})


def test_an_image_without_labels_does_not_count_as_an_image() -> None:
    output, truth = drawn(images=3, classes=4, seed=0)
    alone, beside = Segmentation(4), Segmentation(4)
    alone.update(output[:2], truth[:2])
    beside.update(output, torch.cat([truth[:2], torch.full_like(truth[2:], UNKNOWN_CLASS)]))
    assert beside.scores() == alone.scores()


def test_a_segmentation_without_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one class, got 0"):
        Segmentation(0)


@pytest.mark.parametrize(("channels", "highest"), [(4, 2), (3, 3)])
def test_more_classes_than_are_counted_are_refused(channels: int, highest: int) -> None:
    with pytest.raises(ValueError, match=f"3 classes are counted, got scores of {channels} and true classes up to"):
        Segmentation(3).update(torch.zeros(1, channels, 1, 1), torch.full((1, 1, 1), highest))

"""Progress: the best epoch, the last of equals, and when patience ends."""

import pytest

from manyheads.training import Measurement
from manyheads.training.progress import Progress


def trained(*measures: float) -> Progress:
    """Progress after epochs that measured these values."""
    progress = Progress()
    for measure in measures:
        progress = progress.after({"digit": 1.0}, measures={"robust": measure}, select="robust")
    return progress


@pytest.mark.parametrize(
    ("measures", "best_epoch"),
    [([0.1], 1), ([0.1, 0.3, 0.2], 2), ([0.3, 0.1, 0.3], 3), ([0.5, 0.5], 2), ([-1.0, -2.0], 1)],
)
def test_the_best_epoch_is_the_last_with_the_highest_measure(measures: list[float], best_epoch: int) -> None:
    progress = trained(*measures)
    assert (progress.epoch, progress.best_epoch, progress.best) == (len(measures), best_epoch, max(measures))


def test_history_lists_losses_and_measures_epoch_by_epoch() -> None:
    progress = Progress().after({"digit": 2.0, "parity": 0.5}, measures={"clean": 0.7, "robust": 0.4}, select="robust")
    progress = progress.after({"digit": 1.0, "parity": 0.4}, measures={}, select="robust")
    assert progress.history == (
        Measurement(0, "train", "digit", 2.0),
        Measurement(0, "train", "parity", 0.5),
        Measurement(0, "validation", "clean", 0.7),
        Measurement(0, "validation", "robust", 0.4),
        Measurement(1, "train", "digit", 1.0),
        Measurement(1, "train", "parity", 0.4),
    )


def test_without_validation_no_epoch_is_the_best() -> None:
    assert Progress().after({"digit": 1.0}, measures={}, select="robust").best_epoch == 0


@pytest.mark.parametrize(
    ("measures", "patience", "patient"),
    [
        ([], 1, True),
        ([0.5], 1, True),
        ([0.5, 0.4], 1, False),
        ([0.5, 0.4], 2, True),
        ([0.5, 0.4, 0.4], 2, False),
        ([0.5, 0.4, 0.5, 0.4], 2, True),
        ([0.5] + [0.1] * 50, None, True),
    ],
)
def test_patience_ends_after_so_many_worse_epochs_in_a_row(
    measures: list[float], patience: int | None, *, patient: bool
) -> None:
    assert trained(*measures).patient(patience) == patient

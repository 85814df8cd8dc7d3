import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.experiments.dense_trial import DenseHardening
from manyheads.experiments.dense_validation import SELECTION, validate
from manyheads.tasks import autoencode, depth
from manyheads.threats import Linf

ALONE = Fabric(accelerator="cpu", devices=1)
TASKS = (depth(), autoencode())
IMAGE = torch.rand(4, 3, 4, 4) * 0.8 + 0.1
BATCHES = [
    {"image": IMAGE[rows], "index": torch.arange(4)[rows], "depth": torch.full((len(rows), 1, 4, 4), 2.0)}
    for rows in ([0, 1, 2], [3])
]


class Brightness(nn.Module):
    """Takes the mean of the channels for the depth, and returns the image itself."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"depth": image.mean(1, keepdim=True), "autoencoding": image}


def test_every_task_is_measured_and_the_main_one_selects_the_lower_error() -> None:
    found = validate(Brightness(), TASKS, BATCHES, hardening=None, fabric=ALONE)
    expected = float((2 - IMAGE.double().mean(1)).mean())
    assert found["depth absolute_error"] == pytest.approx(expected, rel=1e-6)
    assert found[SELECTION] == pytest.approx(-expected, rel=1e-6)
    assert found["autoencoding l1"] == 0.0


def test_a_hardened_model_is_measured_under_its_own_attack() -> None:
    hardening = DenseHardening(PGD(5, 0.05), Linf(0.05), attacked="main")
    found = validate(Brightness(), TASKS, BATCHES, hardening=hardening, fabric=ALONE)
    plain = validate(Brightness(), TASKS, BATCHES, hardening=None, fabric=ALONE)
    # The worst image is darker by eps everywhere, and the truth of autoencoding is the clean one.
    assert found["depth absolute_error"] == pytest.approx(plain["depth absolute_error"] + 0.05, abs=1e-5)
    assert found["autoencoding l1"] == pytest.approx(0.05, abs=1e-5)


def test_the_model_s_mode_is_left_as_it_was() -> None:
    model = Brightness().train()
    validate(model, TASKS, BATCHES, hardening=None, fabric=ALONE)
    assert model.training

"""Steps on tasks whose truth is unknown for some examples, or computed from the image."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import Attack, Loss
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS, autoencode, classify, depth, texture_edges, texture_edges_of
from manyheads.threats import Budget, Linf
from manyheads.training import Adversarial
from manyheads.training.steps import mean_losses
from manyheads.types import Image


@dataclass(frozen=True)
class Brighter(Attack):
    """Adds a tenth to every pixel."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        return budget.project(clean + 0.1, clean)


class Lamp(nn.Module):
    """Returns the image under two names, and class scores, times one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, image: Image) -> dict[str, Tensor]:
        lit = image * self.weight
        grey = lit.mean(1, keepdim=True)
        return {"autoencoding": lit, "texture_edges": grey, "depth": grey, "digit": lit.mean((2, 3))}


def test_the_truth_of_a_step_is_that_of_the_clean_image() -> None:
    clean = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 0.8
    batch = {"image": clean, "index": torch.arange(2)}
    tasks = (autoencode(), texture_edges())
    step = Adversarial(tasks, {"autoencoding": 1.0}, Brighter(), Linf(0.2))
    losses = step(Lamp(), batch)
    edges = texture_edges_of(clean)
    assert losses["autoencoding"].item() == pytest.approx(0.1, abs=1e-6)
    assert losses["texture_edges"].item() == pytest.approx(
        ((clean + 0.1).mean(1, keepdim=True) - edges).abs().mean().item(), rel=1e-5
    )


def test_a_tasks_loss_is_averaged_over_the_examples_that_have_its_truth() -> None:
    image = torch.rand(3, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    truth = torch.full((3, 1, 2, 2), torch.nan)
    truth[1] = 2.0
    batch = {"image": image, "depth": truth, "label": torch.tensor([UNKNOWN_CLASS, 0, 2])}
    model = Lamp()
    losses = mean_losses(model, image, batch=batch, tasks=(depth(), classify("digit", classes=3)))
    assert losses["depth"].item() == pytest.approx((2 - image[1].mean()).item(), rel=1e-5)
    scores = image.mean((2, 3)).log_softmax(1)
    assert losses["digit"].item() == pytest.approx(-(scores[1, 0] + scores[2, 2]).item() / 2, rel=1e-5)


def test_a_task_without_any_truth_in_a_batch_loses_nothing_and_teaches_nothing() -> None:
    model, image = Lamp(), torch.rand(2, 3, 2, 2)
    batch = {"image": image, "depth": torch.full((2, 1, 2, 2), torch.nan)}
    losses = mean_losses(model, image, batch=batch, tasks=(depth(),))
    losses["depth"].backward()
    assert losses["depth"] == 0
    assert model.weight.grad == 0

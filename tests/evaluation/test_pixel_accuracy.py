"""Attacks on some pixels of the output, through their own loss."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import FGSM, PGD, Attack, Loss
from manyheads.evaluation import PixelDraws, pixel_accuracy
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS, Annotation, Segmentation, Task
from manyheads.tasks.losses import MaskedCrossEntropy
from manyheads.threats import Budget, Linf
from manyheads.types import Image

TASK = Task(
    name="ground", channels=2, target=Annotation("ground"), loss=MaskedCrossEntropy(), metric=lambda: Segmentation(2)
)
DRAWS = PixelDraws((1, 10), draws=4)


class Own(nn.Module):
    """Class one where the image's own pixel is light; remembers the images that it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.seen.append(image.detach())
        return {"ground": torch.cat([0.5 - image, image - 0.5], dim=1)}


@dataclass(frozen=True)
class Brighter(Attack):
    """Adds to every pixel, whatever the budget says."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        return clean + 0.4


def batches() -> Iterator[dict[str, Tensor]]:
    """Three frames of light and dark pixels, one in ten labelled wrongly."""
    image = torch.randint(2, (3, 1, 6, 6), generator=torch.Generator().manual_seed(0)) * 0.2 + 0.4
    ground = (image[:, 0] > 0.5).long()
    ground.view(-1)[::10] = 1 - ground.view(-1)[::10]
    ground[:, 5, 5] = UNKNOWN_CLASS
    yield {"image": image, "ground": ground, "index": torch.arange(3)}


def test_pixels_that_see_themselves_alone_all_fall() -> None:
    attacks = {"FGSM": FGSM(), "PGD": PGD(steps=3, step_size=0.1)}
    table = pixel_accuracy(Own(), TASK, batches(), budget=Linf(0.2), attacks=attacks, draws=DRAWS)
    assert len(table) == 2 * 4 * 3
    assert table.filter(attack="clean", number=10)["accuracy"].mean() == pytest.approx(0.9, abs=0.06)
    assert set(table.filter(table["attack"] != "clean")["accuracy"]) == {0.0}
    assert table.group_by("number").agg(table["n"].unique()).sort("number").select("number").rows() == [(1,), (10,)]
    assert set(table.filter(number=10)["n"]) == {30}


def test_an_attack_moves_what_its_pixels_see_and_nothing_else() -> None:
    model, (batch,) = Own(), batches()
    pixel_accuracy(model, TASK, batches(), budget=Linf(0.2), attacks={"FGSM": FGSM()}, draws=PixelDraws((7,), draws=1))
    moved = (model.seen[-1] != batch["image"]).flatten(1)
    chosen = PixelDraws((7,)).order(batch["ground"], batch["index"], draw=0)[:, :7]
    assert moved.sum(1).tolist() == [7, 7, 7]
    assert bool(moved.gather(1, chosen).all())


def test_the_seed_decides() -> None:
    weak = {"PGD": PGD(steps=1, step_size=0.01)}
    tables = [
        pixel_accuracy(Own(), TASK, batches(), budget=Linf(0.12), attacks=weak, draws=PixelDraws((5,), 4, seed=seed))
        for seed in (0, 0, 1)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_an_attack_outside_its_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 3 attacked images are outside the budget"):
        pixel_accuracy(Own(), TASK, batches(), budget=Linf(0.2), attacks={"cheat": Brighter()}, draws=DRAWS)


def test_no_attack_is_called_clean() -> None:
    with pytest.raises(ValueError, match="call the attack something else"):
        pixel_accuracy(Own(), TASK, batches(), budget=Linf(0.2), attacks={"clean": FGSM()}, draws=DRAWS)

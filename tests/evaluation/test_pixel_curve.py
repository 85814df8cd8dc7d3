"""The vulnerability over output pixels: models whose pixels have gradients that are independent, or as one likes."""

from math import sqrt

import pytest
import torch
from torch import Tensor, nn

from manyheads.evaluation import PixelDraws, pixel_curve
from manyheads.evaluation.gradients import dual_size
from manyheads.evaluation.pixel_curve import theorem_factor_alike
from manyheads.evaluation.pixel_draws import only
from manyheads.tasks import UNKNOWN_CLASS, Annotation, Segmentation, Task
from manyheads.tasks.losses import MaskedCrossEntropy
from manyheads.threats import L2, Budget, Linf

TASK = Task(
    name="ground", channels=2, target=Annotation("ground"), loss=MaskedCrossEntropy(), metric=lambda: Segmentation(2)
)
SIDE = 5


class Blind(nn.Module):
    """Every output pixel sees the whole image through weights of its own and shared ones."""

    def __init__(self, *, correlation: float, pixels: int = 3000) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        own, shared = (torch.randn(count, pixels, generator=generator) for count in (SIDE * SIDE, 1))
        self.weight = nn.Parameter(1e-4 * (sqrt(correlation) * shared + sqrt(1 - correlation) * own))
        self.passes = 0

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.passes += 1
        score = (image.flatten(1) @ self.weight.T).view(-1, 1, SIDE, SIDE)
        return {"ground": torch.cat([torch.zeros_like(score), score], dim=1)}


def batches(count: int = 6, *, size: int = 4) -> list[dict[str, Tensor]]:
    """Images whose pixels are all of class one, but for an unknown one."""
    image = torch.rand(count, 3, 25, 40, generator=torch.Generator().manual_seed(1))
    ground = torch.ones(count, SIDE, SIDE, dtype=torch.int64)
    ground[:, 0, 0] = UNKNOWN_CLASS
    columns = {"image": image, "ground": ground, "index": torch.arange(count)}
    return [{name: value[row : row + size] for name, value in columns.items()} for row in range(0, count, size)]


@pytest.mark.parametrize("budget", [L2(0.1), Linf(0.1)])
@pytest.mark.parametrize("correlation", [0.0, 0.2, 1.0])
def test_pixels_follow_the_formula(budget: Budget, correlation: float) -> None:
    draws = PixelDraws((1, 2, 8, 24), draws=8)
    table = pixel_curve(Blind(correlation=correlation), TASK, batches(), budget=budget, draws=draws)
    means = table.group_by("number").mean().sort("number")
    one = means["measured"][0]
    expected = [one * sqrt((1 + (number - 1) * correlation) / number) for number in (1, 2, 8, 24)]
    assert means["measured"].to_list() == pytest.approx(expected, rel=0.03)
    assert means["predicted"].to_list() == pytest.approx(expected, rel=0.03)
    assert means["predicted_rms"].to_list() == pytest.approx(means["measured_rms"].to_list(), rel=0.03)


def test_each_row_is_the_gradient_of_the_mean_loss_of_its_pixels() -> None:
    model, draws, (batch,) = Blind(correlation=0.3), PixelDraws((1, 5), draws=2), batches(4)
    table = pixel_curve(model, TASK, [batch], budget=L2(0.1), draws=draws)
    for row in table.iter_rows(named=True):
        image = batch["image"].clone().requires_grad_()
        order = draws.order(batch["ground"], batch["index"], draw=row["draw"])
        loss = TASK.loss(model(image)["ground"], only(order[:, : row["number"]], batch["ground"]))
        norm = dual_size(torch.autograd.grad(loss.sum(), image)[0], L2(0.1))
        assert row["measured"] == pytest.approx(float(norm.mean()), rel=1e-5)
        assert row["measured_rms"] == pytest.approx(float(norm.square().mean().sqrt()), rel=1e-5)
        assert row["n"] == 4


def test_one_forward_pass_serves_all_draws() -> None:
    model = Blind(correlation=0.3)
    pixel_curve(model, TASK, batches(), budget=L2(0.1), draws=PixelDraws((2, 3), draws=3))
    assert model.passes == 2


def test_batches_change_no_number() -> None:
    model, draws = Blind(correlation=0.3), PixelDraws((1, 6), draws=3)
    first, second = (pixel_curve(model, TASK, batches(size=size), budget=L2(0.1), draws=draws) for size in (2, 6))
    for column in ("measured", "predicted", "measured_rms", "predicted_rms"):
        assert first[column].to_list() == pytest.approx(second[column].to_list(), rel=1e-5)


def test_the_same_pixel_drawn_twice_is_no_pair() -> None:
    """Of two known pixels most draws choose alike; their covariance with themselves would be taken for that of both."""
    given = batches(40, size=40)
    given[0]["ground"].flatten(1)[:, 3:] = UNKNOWN_CLASS
    table = pixel_curve(Blind(correlation=0.0), TASK, given, budget=L2(0.1), draws=PixelDraws((1, 2), draws=6))
    assert table.filter(number=2)["predicted"][0] == pytest.approx(table["predicted"][0] / sqrt(2), rel=0.03)


def test_pixels_without_gradient_are_refused() -> None:
    model = Blind(correlation=0.3)
    model.weight.data.zero_()
    with pytest.raises(ValueError, match="needs gradients and several draws, got a sum of squares of 0 and"):
        pixel_curve(model, TASK, batches(), budget=L2(0.1), draws=PixelDraws((1,), draws=2))


def test_one_draw_has_no_pairs() -> None:
    with pytest.raises(ValueError, match="and 0 pairs of pixels"):
        pixel_curve(Blind(correlation=0.3), TASK, batches(), budget=L2(0.1), draws=PixelDraws((1, 2), draws=1))


@pytest.mark.parametrize(("correlation", "factor"), [(0.0, 1 / 3), (1.0, 1.0), (-1.0, 0.0), (0.125, sqrt(2 / 9))])
def test_the_factor_of_nine_tasks_alike(correlation: float, factor: float) -> None:
    assert theorem_factor_alike(9, correlation=correlation) == pytest.approx(factor)

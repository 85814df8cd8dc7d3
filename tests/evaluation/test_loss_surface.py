"""The loss around images, on a linear loss whose surface is a plane."""

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from manyheads.evaluation import loss_surface
from manyheads.evaluation.loss_surface import POINTS, points_uphill, slopes
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import L2, Budget, Linf, Margin, ThreatModel

TASK = classify("main", classes=2)
WEIGHT = torch.linspace(-1, 1, 16).reshape(1, 4, 4)


class Plane(nn.Module):
    """The margin of class 1 over class 0 is linear in the image."""

    def __init__(self, weight: Tensor = WEIGHT) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        score = (image * self.weight).sum((1, 2, 3))
        return {"main": torch.stack([torch.zeros_like(score), score], dim=1)}


def threat(model: nn.Module, budget: Budget) -> ThreatModel:
    return ThreatModel(name="g", model=model, tasks=[TASK], objective=Margin(TASK), budget=budget)


def batch(count: int) -> dict[str, Tensor]:
    image = 0.4 + 0.2 * torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    return {"image": image, "label": torch.zeros(count, dtype=torch.long)}


@pytest.mark.parametrize("budget", [Linf(0.1), L2(0.2)])
def test_the_surface_of_a_linear_loss_is_a_plane_with_the_known_slope(budget: Budget) -> None:
    model, given = Plane(), batch(2)
    table = loss_surface(threat(model, budget), [given])
    clean = model(given["image"])["main"][:, 1].tolist()
    steepest = float(WEIGHT.abs().sum() if isinstance(budget, Linf) else WEIGHT.norm())
    for index in (0, 1):
        along = table.filter(pl.col("across").abs() < 1e-6, index=index).sort("along")
        assert along["along"].to_list() == pytest.approx(torch.linspace(-1, 1, POINTS).tolist())
        expected = [clean[index] + step * budget.eps * steepest for step in along["along"]]
        assert along["loss"].to_list() == pytest.approx(expected, abs=1e-5)


def test_across_the_gradient_a_step_has_the_same_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    forward = Plane.forward
    monkeypatch.setattr(Plane, "forward", lambda self, image: seen.append(image) or forward(self, image))
    given = batch(3)
    loss_surface(threat(Plane(), L2(0.1)), [given])
    sizes = [float((image - given["image"]).flatten(1).norm(dim=1).max()) for image in seen[1:]]
    assert max(sizes) <= 0.1 * 2 + 1e-6
    assert min(abs(size - 0.1) for size in sizes) < 1e-6


def test_pixels_stay_in_range() -> None:
    model = Plane(torch.ones(1, 4, 4))
    given = {"image": torch.full((1, 1, 4, 4), 0.95), "label": torch.zeros(1, dtype=torch.long)}
    table = loss_surface(threat(model, Linf(0.5)), [given])
    assert table["loss"].max() == pytest.approx(16.0)


def test_only_so_many_examples_are_drawn_and_keep_their_numbers() -> None:
    first, second = batch(3), {**batch(4), "index": torch.tensor([70, 71, 72, 73])}
    table = loss_surface(threat(Plane(), Linf(0.1)), [first, second, batch(9)], examples=5)
    assert table["index"].unique(maintain_order=True).to_list() == [0, 1, 2, 70, 71]
    assert len(table) == 5 * POINTS**2


def test_the_seed_decides_the_random_direction() -> None:
    first, again, other = (loss_surface(threat(Plane(), Linf(0.1)), [batch(2)], seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_a_loss_without_gradient_has_slope_zero() -> None:
    loss = threat(Plane(torch.zeros(1, 4, 4)), Linf(0.1)).loss(batch(2))
    found = slopes(loss, batch(2)["image"], budget=Linf(0.1), rng=Streams(torch.arange(2)))
    assert (float(found.largest.max()), float(found.steepest.abs().max())) == (0.0, 0.0)
    uphill, told = points_uphill(loss, batch(2)["image"], found=found, eps=0.1)
    assert (uphill.tolist(), told.tolist()) == ([False, False], [True, True])


def test_gradients_are_taken_under_no_grad_and_leave_the_image_alone() -> None:
    given = batch(2)
    with torch.no_grad():
        found = slopes(
            threat(Plane(), Linf(0.1)).loss(given), given["image"], budget=Linf(0.1), rng=Streams(torch.arange(2))
        )
    torch.testing.assert_close(found.steepest, WEIGHT.sign().expand(2, 1, 4, 4))
    assert not given["image"].requires_grad


def test_a_surface_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="a surface reaches as far as the budget, which has no end here"):
        loss_surface(threat(Plane(), L2(float("inf"))), [batch(1)])


def test_a_surface_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no example to draw a surface around"):
        loss_surface(threat(Plane(), Linf(0.1)), [])

import pytest
import torch
from torch import nn

from manyheads.attacks import Noise, Restarts
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import L2, Linf, TaskLoss, ThreatModel

TASK = classify("label", classes=("a", "b"))


class Linear(nn.Module):
    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        total = image.flatten(1).sum(1)
        return {"label": torch.stack([total, -total], dim=1)}


def attacked(budget, image: torch.Tensor, *, seed: int = 0) -> torch.Tensor:
    objective = TaskLoss([TASK], {"label": 1.0})
    threat = ThreatModel(name="noise", model=Linear(), tasks=[TASK], objective=objective, budget=budget)
    loss = threat.loss({"image": image, "label": torch.zeros(len(image), dtype=torch.int64)})
    streams = Streams.of_examples(torch.arange(len(image)), seed=seed, stage="noise")
    return Noise()(loss, image, budget, rng=streams)


def test_every_pixel_goes_up_or_down_by_eps() -> None:
    image = torch.full((3, 1, 8, 8), 0.5)
    change = attacked(Linf(0.1), image) - image
    torch.testing.assert_close(change.abs(), torch.full_like(change, 0.1))
    assert 0.3 < float((change > 0).float().mean()) < 0.7
    assert not torch.equal(change[0], change[1])


def test_a_change_in_l2_has_the_budget_s_size() -> None:
    image = torch.full((2, 3, 4, 4), 0.5)
    torch.testing.assert_close(L2(0.2).size(attacked(L2(0.2), image) - image), torch.full((2,), 0.2))


def test_pixels_stay_between_black_and_white() -> None:
    image = torch.tensor([0.0, 1.0]).expand(2, 1, 4, 2).clone()
    found = attacked(Linf(0.3), image)
    assert float(found.min()) == 0.0
    assert float(found.max()) == 1.0
    assert bool(Linf(0.3).contains(found, image).all())


def test_another_seed_draws_other_noise() -> None:
    image = torch.full((1, 1, 8, 8), 0.5)
    assert torch.equal(attacked(Linf(0.1), image), attacked(Linf(0.1), image))
    assert not torch.equal(attacked(Linf(0.1), image), attacked(Linf(0.1), image, seed=1))


def test_noise_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="noise is as large as the budget allows, which has no end here"):
        attacked(L2(float("inf")), torch.full((1, 1, 2, 2), 0.5))


class Blindfolded:
    """A loss that fails the test when it is asked."""

    knows_success = True

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        raise AssertionError(image.shape)

    won = margin = select = __call__


def test_noise_asks_no_model() -> None:
    image = torch.full((3, 1, 4, 4), 0.5)
    noisy = Noise()(Blindfolded(), image, Linf(0.1), rng=torch.Generator().manual_seed(0))
    assert not torch.equal(noisy, image)


def test_restarts_of_noise_find_what_one_draw_misses(victim) -> None:
    loss = victim.loss()
    once, often = (
        int(loss.won(attack(loss, victim.clean, Linf(0.3), rng=torch.Generator().manual_seed(3))).sum())
        for attack in (Noise(), Restarts(Noise(), times=200))
    )
    assert once < often

"""Attacks on several tasks: directions that are known in closed form on linear heads, and mixtures by hand."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import BIM, PGD, Aggregated, MixedPerturbations
from manyheads.randomness import Streams
from manyheads.tasks import Annotation, Task
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.tasks.losses import MaskedL1
from manyheads.threats import L2, Balanced, Linf, Loss, Objective, TaskLoss, ThreatModel, WorstTask

NAMES = ("first", "second")
TASKS = [Task(name=name, channels=1, target=Annotation(name), loss=MaskedL1(), metric=AbsoluteError) for name in NAMES]
BOTH = TaskLoss(TASKS, {"first": 1.0, "second": 1.0})
ABSENT = "TorchJD is not installed with its projector: pip install 'manyheads[torchjd]'"
ROWS = torch.tensor([[3.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 2.0, 0.5]])


class LinearMaps(nn.Module):
    """Two heads of one pixel, linear in the four pixels of the image: their gradients are known rows."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        values = image.flatten(1) @ ROWS.to(image).T
        return {name: values[:, place, None, None, None] for place, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Scene:
    """Six images, whose answers are too high by 0.5 for the first task and by 2 for the second."""

    image: Tensor

    def loss(self, objective: Objective = BOTH) -> Loss:
        outputs = LinearMaps()(self.image)
        truth = {"first": outputs["first"] - 0.5, "second": outputs["second"] - 2}
        threat = ThreatModel(name="t", model=LinearMaps(), tasks=TASKS, objective=objective, budget=L2(0.1))
        return threat.loss({"image": self.image, **truth})

    def direction(self, attack: Callable, objective: Objective = BOTH) -> Tensor:
        """Unit vectors along which one small step went."""
        change = (attack(self.loss(objective), self.image, L2(0.01)) - self.image).flatten(1)
        return change / change.norm(dim=1, keepdim=True)


@pytest.fixture
def scene() -> Scene:
    return Scene(0.3 + 0.4 * torch.rand(6, 1, 2, 2, generator=torch.Generator().manual_seed(0)))


def along(row: Tensor) -> Tensor:
    return (row / row.norm()).expand(6, -1)


def one_step(aggregator: Callable[[Tensor], Tensor]) -> Aggregated:
    return Aggregated(aggregator, steps=1, step_size=0.01, random_start=False)


def test_the_balanced_step_goes_along_the_sum_of_the_gradients_over_their_losses(scene: Scene) -> None:
    found = scene.direction(BIM(steps=1, step_size=0.01), Balanced(BOTH))
    torch.testing.assert_close(found, along(ROWS[0] / 0.5 + ROWS[1] / 2), atol=1e-4, rtol=0)


def test_the_step_of_the_worst_task_goes_along_the_gradient_of_the_smaller_loss(scene: Scene) -> None:
    step = BIM(steps=1, step_size=0.01)
    torch.testing.assert_close(scene.direction(step, WorstTask(BOTH)), along(ROWS[0]), atol=1e-4, rtol=0)
    heavy = WorstTask(TaskLoss(TASKS, {"first": 5.0, "second": 1.0}))
    torch.testing.assert_close(scene.direction(step, heavy), along(ROWS[1]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("aggregator", [lambda matrix: matrix.sum(0), lambda matrix: matrix.mean(0)])
def test_sum_and_mean_go_where_the_summed_loss_does(scene: Scene, aggregator: Callable[[Tensor], Tensor]) -> None:
    expected = scene.direction(BIM(steps=1, step_size=0.01))
    torch.testing.assert_close(scene.direction(one_step(aggregator)), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(expected, along(ROWS.sum(0)), atol=1e-4, rtol=0)


def test_aggregated_by_a_sum_it_is_pgd(scene: Scene) -> None:
    summed = Aggregated(lambda matrix: matrix.sum(0), steps=7, step_size=0.02)
    attacked = [
        attack(scene.loss(), scene.image, Linf(0.1), rng=torch.Generator().manual_seed(3))
        for attack in (summed, PGD(steps=7, step_size=0.02))
    ]
    torch.testing.assert_close(*attacked)


def test_an_aggregator_sees_one_row_per_task(scene: Scene) -> None:
    seen = []
    scene.direction(one_step(lambda matrix: seen.append(matrix.clone()) or matrix[1]))
    assert len(seen) == 6
    torch.testing.assert_close(torch.stack(seen), ROWS.expand(6, -1, -1))


def test_one_forward_pass_serves_all_tasks(scene: Scene) -> None:
    passes = []
    loss = scene.loss()
    loss.model.register_forward_hook(lambda *_: passes.append(1))
    Aggregated(lambda matrix: matrix.sum(0), steps=5)(loss, scene.image, Linf(0.1))
    assert len(passes) == 5 + 1


def test_an_aggregator_draws_from_each_examples_own_numbers(scene: Scene) -> None:
    attack = Aggregated(lambda matrix: torch.rand(2) @ matrix, steps=3, step_size=0.02)
    streams = Streams.of_examples(torch.arange(6), seed=0, stage="test")
    before = torch.get_rng_state()
    together = attack(scene.loss(), scene.image, L2(0.1), rng=streams)
    rows = torch.tensor([4, 1])
    apart = attack(scene.loss().select(rows), scene.image[rows], L2(0.1), rng=streams.select(rows))
    torch.testing.assert_close(apart, together[rows])
    assert torch.equal(torch.get_rng_state(), before)
    other = attack(scene.loss(), scene.image, L2(0.1), rng=streams.fork("other"))
    assert not torch.allclose(other, together)


def test_an_aggregator_with_a_memory_is_reset_for_each_example(scene: Scene) -> None:
    class Remembering:
        """Takes the first task at first, the second ever after."""

        place = 0

        def reset(self) -> None:
            self.place = 0

        def __call__(self, matrix: Tensor) -> Tensor:
            self.place += 1
            return matrix[self.place - 1]

    torch.testing.assert_close(scene.direction(one_step(Remembering())), along(ROWS[0]), atol=1e-4, rtol=0)


def test_an_aggregator_that_keeps_its_rows_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match=r"one number per pixel, 4, of a matrix of 2 tasks; got shape \(2, 4\)"):
        scene.direction(one_step(lambda matrix: matrix))


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one step, got steps=0"):
        Aggregated(torch.sum, steps=0)


@pytest.mark.parametrize("name", ["Mean", "Sum", "UPGrad", "MGDA", "PCGrad", "IMTLG", "DualProj", "AlignedMTL"])
def test_torchjds_aggregators_make_a_direction_of_each_examples_gradients(scene: Scene, name: str) -> None:
    pytest.importorskip("quadprog", reason=ABSENT)
    aggregation = pytest.importorskip("torchjd.aggregation", reason=ABSENT)
    aggregator = getattr(aggregation, name)()
    torch.testing.assert_close(scene.direction(one_step(aggregator)), along(aggregator(ROWS)), atol=1e-3, rtol=0)


def test_torchjds_upgrad_harms_no_task_where_the_sum_would(scene: Scene) -> None:
    pytest.importorskip("quadprog", reason=ABSENT)
    aggregation = pytest.importorskip("torchjd.aggregation", reason=ABSENT)
    weighted = TaskLoss(TASKS, {"first": 1.0, "second": 0.1})
    loss = scene.loss(weighted)
    before = loss.terms(scene.image)
    summed, upgrad = (
        loss.terms(attack(loss, scene.image, L2(0.05)))
        for attack in (BIM(5, 0.01), Aggregated(aggregation.UPGrad(), 5, 0.01, random_start=False))
    )
    assert (summed["second"] < before["second"]).all()
    assert all((upgrad[name] >= before[name] - 1e-5).all() for name in NAMES)


def test_a_mixture_lies_between_the_perturbations_of_the_tasks(scene: Scene) -> None:
    streams = Streams.of_examples(torch.arange(6), seed=0, stage="test")
    attacked = MixedPerturbations(BIM(1, 0.01))(scene.loss(), scene.image, L2(0.01), rng=streams)
    change = (attacked - scene.image).flatten(1)
    first, second = 0.01 * along(ROWS[0]), 0.01 * along(ROWS[1])
    share = ((change - second) * (first - second)).sum(1) / (first - second).square().sum(1)
    torch.testing.assert_close(change, share[:, None] * first + (1 - share[:, None]) * second, atol=1e-6, rtol=0)
    assert (share >= 0.5 - 1e-3).all()
    assert (share <= 1 + 1e-3).all()
    assert share.std() > 0.03


def test_shares_are_uniform_from_the_lowest_to_one() -> None:
    many = Scene(torch.full((2000, 1, 2, 2), 0.5))
    attacked = MixedPerturbations(BIM(1, 0.01), lowest=0.2)(
        many.loss(), many.image, L2(0.01), rng=torch.Generator().manual_seed(0)
    )
    # The third pixel matters to the second task alone, with a known slope: its change tells the share.
    second = 0.01 * (ROWS[1] / ROWS[1].norm())[2]
    share = 1 - (attacked - many.image).flatten(1)[:, 2] / second
    assert share.mean().item() == pytest.approx(0.6, abs=0.02)
    assert share.min().item() == pytest.approx(0.2, abs=0.01)
    assert share.max().item() == pytest.approx(1.0, abs=0.01)


def test_a_single_task_is_attacked_as_ever(scene: Scene) -> None:
    alone = TaskLoss(TASKS, {"second": 1.0})
    mixture = MixedPerturbations(BIM(3, 0.01))(scene.loss(alone), scene.image, L2(0.05))
    torch.testing.assert_close(mixture, BIM(3, 0.01)(scene.loss(alone), scene.image, L2(0.05)))


@pytest.mark.parametrize("lowest", [-0.1, 1.1])
def test_a_share_that_is_none_is_refused(lowest: float) -> None:
    with pytest.raises(ValueError, match=rf"lowest is the first task's smallest share, in \[0, 1\], got {lowest}"):
        MixedPerturbations(PGD(), lowest)

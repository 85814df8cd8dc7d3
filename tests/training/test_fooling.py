"""A generator learns to fool frozen victims, and leaves them as it found them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import Generative
from manyheads.data import InMemory, Joint, Loader, part
from manyheads.models import PerInstance, Perturber, Universal, gap_generator, mta_generator, seeded
from manyheads.tasks import classify
from manyheads.threats import (
    Budget,
    FixedClass,
    Linf,
    Logarithmic,
    Objective,
    Targeted,
    TaskLoss,
    ThreatModel,
    perturbed,
)
from manyheads.training import Adam, Adversarial, Checkpoints, Clean, Fooling, Plan, fit

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
DIGIT, PARITY = classify("digit", classes=4), classify("parity", classes=2)
TASKS = ("digit", "parity")
EPS = Linf(0.05)


class Linear(nn.Module):
    """Heads that are linear in the image; batch norm of a third answer and dropout show whether it is in eval mode."""

    def __init__(self, size: int = 8) -> None:
        super().__init__()
        self.digit, self.parity = nn.Linear(size * size, 4), nn.Linear(size * size, 2)
        self.norm, self.dropout = nn.BatchNorm1d(2), nn.Dropout(0.5)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        flat = self.dropout(image).flatten(1)
        return {"digit": 3 * self.digit(flat), "parity": self.norm(3 * self.parity(flat))}


@pytest.fixture
def victim() -> Linear:
    return seeded(Linear, seed=3).to(DEVICE)


@pytest.fixture
def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(12, 1, 8, 8, generator=generator).to(DEVICE)
    return {"image": image, "label": torch.arange(12, device=DEVICE) % 2}


def raised(task: str) -> Objective:
    return TaskLoss([DIGIT, PARITY], {task: 1.0})


def threat(model: nn.Module, objective: Objective, *, budget: Budget = EPS) -> ThreatModel:
    return ThreatModel(name="t", model=model, tasks=[DIGIT, PARITY], objective=objective, budget=budget)


def both(model: nn.Module) -> dict[str, ThreatModel]:
    return {task: threat(model, Logarithmic(raised(task))) for task in TASKS}


def universal(size: int = 8, *, width: int = 3) -> Perturber:
    generator = seeded(lambda: mta_generator(TASKS, channels=1, width=width, blocks=1), seed=0)
    return Universal(generator, size=(size, size)).to(DEVICE)


def per_instance(make: Callable[..., nn.Module] = mta_generator) -> Perturber:
    return seeded(lambda: PerInstance(make(TASKS, channels=1, width=3, blocks=1)), seed=0).to(DEVICE)


def trained(perturber: Perturber, step: Fooling, batches: object, *, rate: float = 0.01) -> Perturber:
    fit(perturber, step, batches, optimizer=Adam(rate).build(perturber.parameters()))
    return perturber


def source(count: int, *, seed: int) -> InMemory:
    images = torch.randint(256, (count, 1, 8, 8), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    return InMemory(images, torch.arange(count) % 2, ("a", "b"))


def test_on_a_linear_victim_a_universal_perturbation_gains_nearly_what_the_best_one_does() -> None:
    size, model = 16, Linear(16).to(DEVICE).eval()
    weight = torch.randn(size * size, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    weight = 25 * weight / weight.abs().sum()
    model.digit.weight.data = torch.stack([weight, -weight, 0 * weight, 0 * weight])
    images = 0.1 + 0.8 * torch.rand(256, 1, size, size, generator=torch.Generator().manual_seed(1)).to(DEVICE)
    images = images[model(images)["digit"].argmax(1) == 0][:32]
    batch = {"image": images, "label": torch.zeros(len(images), dtype=torch.int64, device=DEVICE)}
    attacker = threat(model, raised("digit"))
    step = Fooling({"digit": attacker})
    perturber = trained(universal(size, width=4), step, [batch] * 100)
    loss = attacker.loss(batch)
    # The loss falls in the image's product with the weight alone, so that this is the worst allowed image.
    best = images - EPS.eps * weight.sign().view(1, 1, size, size)
    with torch.no_grad():
        clean, reached, optimum = (
            float(loss(image).mean()) for image in (images, Generative(perturber, "digit")(loss, images, EPS), best)
        )
    assert optimum > clean + 0.1
    assert 0.95 * (optimum - clean) <= reached - clean <= optimum - clean + 1e-5


@pytest.mark.parametrize("goal", [Targeted(DIGIT, FixedClass(1)), Logarithmic(Targeted(DIGIT, FixedClass(1)))])
def test_a_targeted_generator_raises_the_targets_accuracy(victim: Linear, batch, goal: Objective) -> None:
    step = Fooling({"digit": threat(victim, goal, budget=Linf(0.3))})
    attacker = Generative(trained(universal(), step, [batch] * 30), "digit")
    victim.eval()
    image = attacker(step.threats["digit"].loss(batch), batch["image"], Linf(0.3))
    before, after = ((victim(each)["digit"].argmax(1) == 1).float().mean() for each in (batch["image"], image))
    assert before < 0.4
    assert after > 0.9


@pytest.mark.parametrize("make", [mta_generator, gap_generator])
def test_the_gradient_is_that_of_the_mean_objective_through_perturbation_and_victim(victim, batch, make) -> None:
    perturber, threats = per_instance(make), both(victim)
    losses = Fooling(threats)(perturber, batch)
    found = torch.autograd.grad(sum(losses.values()), list(perturber.parameters()), allow_unused=True)
    raw = perturber(dict.fromkeys(TASKS, batch["image"]))
    image = {task: perturbed(batch["image"], raw=raw[task], budget=EPS) for task in TASKS}
    expected = {task: -threats[task].loss(batch)(image[task]).mean() for task in TASKS}
    wanted = torch.autograd.grad(sum(expected.values()), list(perturber.parameters()), allow_unused=True)
    torch.testing.assert_close(dict(losses), expected)
    assert all(float(gradient.abs().max()) > 0 for gradient in wanted[:1])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("frozen", [True, False])
def test_victims_are_left_as_found(victim: Linear, batch, *, frozen: bool) -> None:
    victim.train()
    victim.digit.eval()
    victim.parity.requires_grad_(not frozen)
    victim.parity.weight.grad = torch.ones_like(victim.parity.weight)
    modes = [module.training for module in victim.modules()]
    before = {name: value.clone() for name, value in victim.state_dict().items()}
    trained(per_instance(), Fooling(both(victim)), [batch] * 3)
    assert [module.training for module in victim.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in victim.state_dict().items())
    assert [parameter.requires_grad for parameter in victim.parity.parameters()] == [not frozen] * 2
    assert victim.digit.weight.grad is None
    assert victim.digit.weight.requires_grad
    assert torch.equal(victim.parity.weight.grad, torch.ones_like(victim.parity.weight))


def test_on_shared_images_a_shared_encoder_runs_once_and_each_of_gaps_too(victim: Linear, batch) -> None:
    for make, runs in ((mta_generator, 1), (gap_generator, 2)):
        perturber, seen = per_instance(make), []
        for encoder in perturber.generator.encoders.values():
            encoder.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        trained(perturber, Fooling(both(victim)), [batch])
        assert len(seen) == runs


def test_separate_victims_are_each_fooled_on_images_of_their_own() -> None:
    victims = {task: seeded(Linear, seed=seed).to(DEVICE) for seed, task in enumerate(TASKS)}
    joint = Joint({"digit": Loader(source(9, seed=0), batch_size=4), "parity": Loader(source(4, seed=1), batch_size=3)})
    step = Fooling({task: threat(victims[task], raised(task)) for task in TASKS})
    perturber, batch = per_instance(), next(iter(joint))
    losses = step(perturber, batch)
    for task in TASKS:
        own = part(batch, task)
        alone = Fooling({task: step.threats[task]})(perturber, own)
        torch.testing.assert_close(losses[task], alone[task])
    history = fit(perturber, step, joint, optimizer=Adam(0.01).build(perturber.parameters()), plan=Plan(epochs=3))
    falls = {task: [line.value for line in history if line.measure == task] for task in TASKS}
    assert all(values[-1] < values[0] for values in falls.values())


def test_a_resumed_generator_ends_with_the_same_weights(victim: Linear, tmp_path: Path) -> None:
    joint = Joint(
        {task: Loader(source(3 + seed, seed=seed), batch_size=2, shuffle=True) for seed, task in enumerate(TASKS)}
    )

    def train(*epochs: int, folder: str) -> tuple[Perturber, object]:
        for until in epochs:
            perturber = universal()
            optimizer = Adam(0.01).build(perturber.parameters())
            plan = Plan(epochs=until, checkpoints=Checkpoints(tmp_path / folder))
            history = fit(perturber, Fooling(both(victim)), joint, optimizer=optimizer, plan=plan)
        return perturber, history

    (whole, history), (resumed, again) = train(3, folder="whole"), train(1, 3, folder="resumed")
    assert history == again
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())
    start = universal().state_dict()
    moved = [name for name, value in whole.state_dict().items() if not torch.equal(value, start[name])]
    assert len(moved) > 10


def test_a_victim_is_trained_against_a_generator(victim: Linear, batch) -> None:
    perturber = per_instance()
    attack = Generative(perturber, "digit")
    image = attack(both(victim)["digit"].loss(batch), batch["image"], EPS)
    victim.eval()
    losses = Adversarial([DIGIT, PARITY], {"digit": 1.0}, attack, EPS)(victim, batch)
    torch.testing.assert_close(dict(losses), dict(Clean([DIGIT, PARITY])(victim, {**batch, "image": image})))
    fit(victim, Adversarial([DIGIT], {"digit": 1.0}, attack, EPS), [batch], optimizer=Adam().build(victim.parameters()))
    assert all(parameter.grad is None for parameter in perturber.parameters())
    assert victim.digit.weight.grad is not None


def test_no_threat_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody to fool; give a threat model for each task"):
        Fooling({})


def test_a_threat_to_a_task_that_the_generator_has_not_is_refused(victim: Linear, batch) -> None:
    with pytest.raises(ValueError, match="no decoder for 'depth'"):
        Fooling({"depth": threat(victim, raised("digit"))})(per_instance(), batch)


def test_a_task_of_the_generator_that_no_threat_is_for_is_left_alone(victim: Linear, batch) -> None:
    losses = Fooling({"parity": threat(victim, raised("parity"))})(per_instance(), batch)
    assert list(losses) == ["parity"]


def test_a_target_class_that_does_not_exist_is_refused(victim: Linear, batch) -> None:
    step = Fooling({"digit": threat(victim, Targeted(DIGIT, FixedClass(4)))})
    with pytest.raises(ValueError, match="the wanted class must be 0 to 3, got 4"):
        step(per_instance(), batch)


def test_a_victim_without_the_head_is_refused(batch) -> None:
    blind = nn.Sequential()
    blind.forward = lambda image: {"digit": image.flatten(1)[:, :4]}
    with pytest.raises(ValueError, match="no head for task 'parity', it returns digit"):
        Fooling({"parity": threat(blind, raised("parity"))})(per_instance(), batch)


def test_images_outside_zero_to_one_are_refused(victim: Linear, batch) -> None:
    with pytest.raises(ValueError, match=r"images must lie in \[0, 1\]"):
        Fooling(both(victim))(per_instance(), {**batch, "image": 2 * batch["image"]})


def test_a_batch_without_the_loader_of_a_task_is_refused(victim: Linear) -> None:
    joint = Joint({"digit": Loader(source(4, seed=0), batch_size=2)})
    with pytest.raises(ValueError, match="no part 'parity'; it has digit"):
        Fooling(both(victim))(per_instance(), next(iter(joint)))

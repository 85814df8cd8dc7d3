"""What calling an attack does around its search: the model is left as found, bad images are refused."""

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import CW, FGSM, MIM, PGD, Attack, Best, Loss, Restarts, WorstOf, check
from manyheads.deferral import DELIVERIES, Fetched, deferred
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import L1, L2, Budget, Linf, TaskLoss, ThreatModel
from manyheads.types import Image

ATTACKS = [FGSM(), PGD(3, 0.02), MIM(3, 0.02), CW(5), Restarts(PGD(3, 0.02), times=2), WorstOf((FGSM(), CW(5)))]
every_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)


class Recomputing(nn.Module):
    """Batch norm whose activations are computed again in the backward pass, to save memory."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = torch.utils.checkpoint.checkpoint(self.norm, image, use_reentrant=False)
        return {"main": features.square().mean((2, 3))}


class Brightness:
    """A loss of one's own, without a model."""

    knows_success = True

    def __call__(self, image: Image) -> Tensor:
        return image.mean((1, 2, 3))

    def margin(self, image: Image) -> Tensor:
        return image.mean((1, 2, 3)) - 0.55

    def won(self, image: Image) -> Tensor:
        return self.margin(image) > 0

    def select(self, rows: Tensor) -> "Brightness":
        assert rows.numel() > 0
        return self


class Reckless(Attack):
    """An attack that fails half-way."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (a stand-in)
        loss(clean)
        raise RuntimeError("out of memory")


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@every_attack
def test_an_attack_leaves_the_model_as_found(victim, attack: Attack) -> None:
    model = victim.model.train()
    model.norm.eval()
    model.digit.weight.requires_grad_(requires_grad=False)
    kept = torch.full_like(model.parity.weight, 3.0)
    model.parity.weight.grad = kept
    modes_before, state_before = modes(model), state(model)
    flags_before = [parameter.requires_grad for parameter in model.parameters()]
    attack(victim.loss(), victim.clean, Linf(0.1))
    assert modes(model) == modes_before == [True, True, False, True, True]
    assert [parameter.requires_grad for parameter in model.parameters()] == flags_before
    assert model.parity.weight.grad is kept
    assert bool((kept == 3).all())
    assert [name for name, parameter in model.named_parameters() if parameter.grad is not None] == ["parity.weight"]
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in state_before.items())


@every_attack
def test_the_model_is_seen_in_eval_mode(victim, attack: Attack) -> None:
    rng = Streams(torch.arange(5, device=victim.clean.device))
    expected = attack(victim.loss(), victim.clean, Linf(0.1), rng=rng)
    victim.model.train()
    assert torch.equal(attack(victim.loss(), victim.clean, Linf(0.1), rng=rng), expected)


@every_attack
def test_a_model_that_recomputes_activations_is_left_as_found_too(attack: Attack) -> None:
    model, task = Recomputing().train(), classify("main", classes=3)
    threat = ThreatModel(
        name="t", model=model, tasks=[task], objective=TaskLoss([task], {"main": 1.0}), budget=Linf(0.1)
    )
    loss = threat.loss({"label": torch.tensor([0, 1])})
    attack(loss, torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)), threat.budget)
    assert int(model.norm.num_batches_tracked) == 0
    assert bool((model.norm.running_mean == 0).all())


def test_a_failing_attack_leaves_the_modes_as_found(victim) -> None:
    victim.model.train()
    victim.model.norm.eval()
    with pytest.raises(RuntimeError, match="out of memory"):
        Reckless()(victim.loss(), victim.clean, Linf(0.1))
    assert modes(victim.model) == [True, True, False, True, True]


@every_attack
@pytest.mark.parametrize("value", [1.01, -0.01, 255.0, float("inf"), float("nan")])
def test_images_outside_the_unit_range_are_refused(victim, attack: Attack, value: float) -> None:
    image = victim.clean.clone()
    image[2, 1, 3, 3] = value
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got values from"):
        attack(victim.loss(), image, Linf(0.1))


class Held(Fetched):
    """Numbers that have not arrived before somebody waits for them."""

    def has_arrived(self) -> bool:
        return False


@pytest.mark.parametrize("budget", [Linf(0.1), L2(0.5), L1(2.0)])
@pytest.mark.parametrize("value", [255.0, float("inf"), float("nan")])
def test_images_that_are_found_out_late_are_refused_in_the_same_words(
    victim, budget: Budget, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DELIVERIES, victim.clean.device.type, Held)
    image, found = victim.clean.clone(), []
    image[2, 1, 3, 3] = value

    def attack_late() -> None:
        with deferred():
            found.append(PGD(3, 0.02)(victim.loss(), image, budget))

    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got values from"):
        attack_late()
    assert len(found) == 1


def test_a_refusal_says_what_was_found() -> None:
    with pytest.raises(ValueError, match=r"got values from -2 to 0\.5; normalise in the model"):
        check(torch.tensor([-2.0, 0.5]).view(1, 1, 1, 2))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_images_in_half_precision_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match="float32 or float64"):
        check(torch.zeros(1, 1, 2, 2, dtype=dtype))


def test_images_of_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"uint8; divide uint8 images by 255"):
        check(torch.zeros(1, 1, 2, 2, dtype=torch.uint8))


def test_an_image_without_a_batch_axis_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 4, 4\); a single image needs image\[None\]"):
        check(torch.zeros(3, 4, 4))


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 3, 0, 4)])
def test_an_empty_batch_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="nothing to attack in a batch of shape"):
        check(torch.zeros(shape))


def test_rounding_beside_the_unit_range_is_accepted(victim) -> None:
    image = (victim.clean * (1 + 1e-6) - 4e-7).contiguous()
    attacked = FGSM()(victim.loss(), image, Linf(0.1))
    assert bool(Linf(0.1).contains(attacked, image).all())


def test_streams_must_be_as_many_as_the_images(victim) -> None:
    with pytest.raises(ValueError, match="got 3 streams for 5 images"):
        PGD()(victim.loss(), victim.clean, Linf(0.1), rng=Streams(torch.arange(3)))


def test_the_best_image_is_kept_example_by_example() -> None:
    best = Best.nothing(torch.zeros(3, 1, 1, 1))
    best.offer(torch.full((3, 1, 1, 1), 1.0), torch.tensor([1.0, 5.0, float("nan")]))
    best.offer(torch.full((3, 1, 1, 1), 2.0), torch.tensor([2.0, 5.0, -7.0]))
    best.offer(torch.full((2, 1, 1, 1), 3.0), torch.tensor([9.0, 1.5]), rows=torch.tensor([2, 0]))
    assert best.image.flatten().tolist() == [2.0, 1.0, 3.0]
    assert best.loss.tolist() == [2.0, 5.0, 9.0]


@every_attack
def test_a_loss_of_ones_own_can_be_attacked(attack: Attack) -> None:
    clean = torch.full((3, 1, 4, 4), 0.5)
    attacked = attack(Brightness(), clean, Linf(0.1))
    assert float(attacked.mean()) > 0.51


def test_a_threat_models_loss_is_what_attacks_expect(victim) -> None:
    assert isinstance(victim.loss(), Loss)

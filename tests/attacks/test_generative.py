"""A trained generator is an attack like any other: it only has learned beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import FGSM, Generative, WorstOf
from manyheads.models import (
    PerInstance,
    Perturber,
    Universal,
    load_weights,
    mta_generator,
    save_weights,
    seeded,
)
from manyheads.threats import L2, Linf, Margin, scaled

TASKS = ("digit", "parity")
Make = Callable[[int], Perturber]


def universal(seed: int) -> Perturber:
    return seeded(lambda: Universal(mta_generator(TASKS, width=3, blocks=1), size=(6, 6), seed=seed), seed=seed)


def per_instance(seed: int) -> Perturber:
    return seeded(lambda: PerInstance(mta_generator(TASKS, width=3, blocks=1)), seed=seed)


def normed(seed: int) -> Perturber:
    """One whose generator behaves differently in training, and remembers what it saw there."""
    return seeded(lambda: PerInstance(mta_generator(TASKS, width=3, blocks=1, norm=nn.BatchNorm2d)), seed=seed)


every_kind = pytest.mark.parametrize("make", [universal, per_instance, normed])


@every_kind
def test_it_adds_the_scaled_perturbation_of_its_task(victim, make: Make) -> None:
    perturber = make(0).to(victim.clean.device).eval()
    for task in TASKS:
        with torch.no_grad():
            raw = perturber({task: victim.clean})[task]
        for budget in (Linf(0.06), L2(0.3)):
            expected = (victim.clean + scaled(raw, budget)).clamp(0, 1)
            assert torch.equal(Generative(perturber, task)(victim.loss(), victim.clean, budget), expected)


@every_kind
def test_tasks_together_are_perturbed_as_one_by_one(victim, make: Make) -> None:
    perturber = make(0).to(victim.clean.device).eval()
    with torch.no_grad():
        together = perturber(dict.fromkeys(TASKS, victim.clean))
    for task in TASKS:
        expected = (victim.clean + scaled(together[task], Linf(0.06))).clamp(0, 1)
        found = Generative(perturber, task)(victim.loss(), victim.clean, Linf(0.06))
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_a_universal_perturbation_is_the_same_for_all_images(victim) -> None:
    clean = 0.4 + 0.2 * victim.clean
    change = Generative(universal(0).to(clean.device), "digit")(victim.loss(), clean, Linf(0.06)) - clean
    torch.testing.assert_close(change, change[:1].expand_as(change))
    own = Generative(per_instance(0).to(clean.device), "digit")(victim.loss(), clean, Linf(0.06)) - clean
    assert not torch.allclose(own, own[:1].expand_as(own), atol=1e-3)


@every_kind
def test_the_perturber_is_left_as_found(victim, make: Make) -> None:
    perturber = make(0).to(victim.clean.device).train()
    perturber.generator.decoders["digit"].eval()
    modes = [module.training for module in perturber.modules()]
    before = {name: value.clone() for name, value in perturber.state_dict().items()}
    attacked = Generative(perturber, "digit")(victim.loss(), victim.clean, Linf(0.06))
    assert [module.training for module in perturber.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in perturber.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in perturber.parameters())
    assert torch.equal(attacked, Generative(perturber.eval(), "digit")(victim.loss(), victim.clean, Linf(0.06)))


def test_it_never_asks_the_victim(victim) -> None:
    class Silent:
        knows_success = False

        def __call__(self, image: Tensor) -> Tensor:
            raise AssertionError(image)

        margin = won = select = __call__

    Generative(per_instance(0).to(victim.clean.device), "digit")(Silent(), victim.clean, Linf(0.06))


@every_kind
def test_saved_and_loaded_it_is_the_same_attack(victim, tmp_path: Path, make: Make) -> None:
    trained, other = make(0), make(1)
    save_weights(trained, tmp_path / "perturber.safetensors")
    images = [Generative(trained, "parity")(victim.loss(), victim.clean.cpu(), L2(0.3))]
    images.append(Generative(other, "parity")(victim.loss(), victim.clean.cpu(), L2(0.3)))
    load_weights(other, tmp_path / "perturber.safetensors")
    images.append(Generative(other, "parity")(victim.loss(), victim.clean.cpu(), L2(0.3)))
    assert not torch.equal(images[0], images[1])
    assert torch.equal(images[0], images[2])


def test_in_an_ensemble_only_its_survivors_are_attacked_again(victim) -> None:
    generative, loss = Generative(universal(0).to(victim.clean.device), "digit"), victim.loss(Margin("digit"))
    alone = {attack: attack(loss, victim.clean, Linf(0.06)) for attack in (generative, FGSM())}
    worst = WorstOf((generative, FGSM()))(loss, victim.clean, Linf(0.06))
    won: Mapping[object, Tensor] = {attack: loss.won(image) for attack, image in alone.items()}
    assert bool(won[generative].any())
    assert torch.equal(worst[won[generative]], alone[generative][won[generative]])
    assert torch.equal(loss.won(worst), won[generative] | won[FGSM()])


def test_weights_of_another_precision_give_images_of_the_clean_ones(victim) -> None:
    perturber = per_instance(0).double()
    attacked = Generative(perturber, "digit")(victim.loss(), victim.clean.cpu(), Linf(0.06))
    assert attacked.dtype == torch.float32
    expected = Generative(per_instance(0), "digit")(victim.loss(), victim.clean.cpu(), Linf(0.06))
    torch.testing.assert_close(attacked, expected, atol=1e-5, rtol=0)


def test_a_task_that_it_was_not_made_for_is_refused() -> None:
    with pytest.raises(ValueError, match="no task 'depth'; it was made for digit, parity"):
        Generative(universal(0), "depth")
    with pytest.raises(ValueError, match="no task 'depth'"):
        replace(Generative(universal(0), "digit"), task="depth")

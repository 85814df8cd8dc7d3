"""Sanity checks: a healthy model passes all, and each way of hiding gradients turns its check red."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import PGD, Noise, RaisingSuccess, Square
from manyheads.evaluation import CHECKS, DENSE_CHECKS, evaluate, joined, order_checks, sanity_checks, unchecked
from manyheads.evaluation.sanity import BEYOND_NOISE, FALLING, ITERATIVE, QUERIES, RESTARTS, RISING, STEPS
from manyheads.evaluation.sanity_gradient import SETTLED, UPHILL, VANISHING
from manyheads.evaluation.sanity_order import ORDERS
from manyheads.models import Averaged
from manyheads.threats import L2, Linf

SQUARE = RaisingSuccess(Square(queries=60))


@pytest.fixture(scope="module")
def check(masked) -> Callable[..., dict[str, tuple[str, str, int]]]:
    """Check a way of masking; what came of it, by check."""

    def run(**ways: object) -> dict[str, tuple[str, str, int]]:
        victim = masked.Masked(masked.model, **ways)
        table = sanity_checks(victim, masked.attacker(victim), [masked.images(48, seed=2)], query=SQUARE)
        return {name: found for name, *found in table.rows()}

    return run


def failures(found: dict[str, tuple[str, str, int]]) -> set[str]:
    return {name for name, (outcome, *_) in found.items() if outcome == "failed"}


def test_a_healthy_model_passes_everything(masked) -> None:
    victim, batches = masked.Masked(masked.model), [masked.images(60, seed=3)]
    threat = masked.attacker(victim)
    surrogate = replace(threat, name="transfer", model=masked.Masked(masked.trained(seed=7)))
    adaptive, pgd = replace(threat, name="adaptive"), PGD(steps=5, step_size=0.05)
    runs = [(Noise(), replace(threat, name="noise")), (pgd, surrogate), (pgd, threat), (pgd, adaptive)]
    facts = joined([evaluate(victim, one, attack, batches) for attack, one in runs])
    table = sanity_checks(victim, threat, batches, query=SQUARE, facts=facts.labelled(model="m", attack="a"))
    assert table["check"].to_list() == list(CHECKS)
    outcomes = dict(table.select("check", "outcome").rows())
    assert outcomes.pop(ORDERS[1]) == "not applicable"  # one head: no white-box attacker
    assert set(outcomes.values()) == {"passed"}, table.rows()
    assert set(table.filter(outcome="passed")["n"]) == {60}


def test_rounding_the_image_turns_the_gradient_checks_red(check: Callable, masked) -> None:
    found = check(image=masked.quantised)
    assert {VANISHING, UPHILL, FALLING, QUERIES} <= failures(found)
    assert found[VANISHING][1].startswith("vanished: 100 %")


def test_scaling_the_logits_turns_the_gradient_checks_red(check: Callable) -> None:
    found = check(logits=lambda logits: 1e4 * logits)
    assert {VANISHING, UPHILL, FALLING, QUERIES} <= failures(found)
    assert "softmax saturated: 100 %" in found[VANISHING][1]


def test_rounding_the_logits_is_no_gradient_at_all(check: Callable) -> None:
    found = check(logits=lambda logits: (logits.detach() * 10).round() / 10)
    assert failures(found) == {VANISHING, UPHILL}
    for name in (ITERATIVE, STEPS, RESTARTS, FALLING, QUERIES):
        assert found[name] == ["not applicable", "the loss has no gradient", 0]


def test_a_gradient_that_misleads_turns_the_step_checks_red(check: Callable, masked) -> None:
    found = check(image=masked.mirage)
    assert {ITERATIVE, QUERIES} <= failures(found)
    assert found[VANISHING][0] == found[UPHILL][0] == "passed"


def test_a_model_that_answers_at_random_is_detected(check: Callable, masked) -> None:
    outcome, figures, n = check(image=masked.Noise(0.15))[SETTLED]
    assert (outcome, n) == ("failed", 48)
    assert "two passes differ: other answers on" in figures
    assert figures.endswith("attack Averaged(model, times=10) instead")


def test_an_attack_on_the_mean_answers_the_randomness(masked) -> None:
    victim = masked.Masked(masked.model, image=masked.Noise(0.05))
    threat = masked.attacker(Averaged(victim, times=2))
    table = sanity_checks(victim, threat, [masked.images(16, seed=2)], steps=2)
    outcome, figures = table.filter(check=SETTLED).select("outcome", "figures").row(0)
    assert outcome == "passed"
    assert figures.endswith("attacked through the mean of several passes")


def test_accuracy_is_followed_to_the_grey_image(check: Callable) -> None:
    figures = check()[FALLING][1]
    assert "at 0.1, " in figures
    assert "0 % at 0.5; chance 0.25" in figures


def test_a_budget_that_reaches_grey_already_is_its_own_curve(masked) -> None:
    victim = masked.Masked(masked.model)
    threat = replace(masked.attacker(victim), budget=Linf(0.6))
    table = sanity_checks(victim, threat, [masked.images(16, seed=2)], steps=4)
    assert table.filter(check=FALLING)["figures"][0] == "right: 0 % at 0.6; chance 0.25"


def test_other_norms_have_a_curve_too(masked) -> None:
    victim = masked.Masked(masked.model)
    threat = replace(masked.attacker(victim), budget=L2(0.5))
    table = sanity_checks(victim, threat, [masked.images(32, seed=2)], steps=5)
    assert set(table["outcome"]) == {"passed", "not applicable"}
    assert " 0 % at 3; " in table.filter(check=FALLING)["figures"][0]  # the length of 36 halves


def test_without_a_query_attack_nothing_is_compared(masked) -> None:
    victim = masked.Masked(masked.model)
    table = sanity_checks(victim, masked.attacker(victim), [masked.images(8, seed=2)], steps=1)
    assert table.filter(check=QUERIES).row(0)[1:] == ("not applicable", "no query attack was given", 0)


def test_examples_of_unknown_class_are_left_out(masked) -> None:
    victim, batch = masked.Masked(masked.model), masked.images(12, seed=2)
    batch["label"][:4] = -1
    table = sanity_checks(victim, masked.attacker(victim), [batch], steps=1)
    assert table.filter(check=ITERATIVE)["n"][0] == 8


def test_the_seed_decides_every_start(masked) -> None:
    victim, batches = masked.Masked(masked.model, image=masked.quantised), [masked.images(24, seed=2)]
    first, again, other = (
        sanity_checks(victim, masked.attacker(victim), batches, steps=1, seed=seed) for seed in (3, 3, 4)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_nothing_is_checked_for_a_reason() -> None:
    table = unchecked("because")
    assert table["check"].to_list() == list(CHECKS)
    assert set(table.drop("check").rows()) == {("not applicable", "because", 0)}


def test_checks_without_facts_are_the_same_as_of_none() -> None:
    assert {one.outcome for one in order_checks(None)} == {"not applicable"}


@pytest.mark.parametrize("eps", [0.0, float("inf")])
def test_a_budget_without_size_is_refused(masked, eps: float) -> None:
    victim = masked.Masked(masked.model)
    threat = replace(masked.attacker(victim), budget=Linf(eps))
    with pytest.raises(ValueError, match="the checks need a budget of limited size above zero"):
        sanity_checks(victim, threat, [masked.images(4, seed=2)])


def test_examples_without_any_class_are_refused(masked) -> None:
    victim, batch = masked.Masked(masked.model), masked.images(4, seed=2)
    batch["label"] = torch.full_like(batch["label"], -1)
    with pytest.raises(ValueError, match="the class of no example is known for 'digit'"):
        sanity_checks(victim, masked.attacker(victim), [batch], steps=1)


def test_all_checks_have_names_of_their_own() -> None:
    assert len(set(CHECKS)) == len(CHECKS) == 12
    assert pl.Series(CHECKS).str.len_chars().min() > 5


class Behind(nn.Module):
    """A dense model behind something that is done to its images."""

    def __init__(self, model: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.change = model, change

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.model(self.change(image))


@pytest.fixture(scope="module")
def dense_check(dense) -> Callable[..., pl.DataFrame]:
    """Check the dense victim behind a change of its images."""

    def run(change: Callable[[Tensor], Tensor], **given: object) -> pl.DataFrame:
        victim = Behind(dense.model(), change)
        single, both = (dense.threat(victim, **weights) for weights in ({"depth": 1.0}, {"depth": 1.0, "ground": 1.0}))
        named = replace(single, name="single-task"), replace(both, name="multi-task")
        facts = joined([evaluate(victim, one, dense.ATTACK, dense.batches()) for one in named])
        query = Square(queries=60)
        return sanity_checks(victim, single, dense.batches(), query=query, facts=facts, **given)

    return run


def test_a_healthy_dense_model_passes_everything(dense_check: Callable) -> None:
    table = dense_check(lambda image: image)
    assert table["check"].to_list() == list(DENSE_CHECKS)
    assert set(table["outcome"]) == {"passed"}, table.rows()
    assert set(table["n"]) == {10, 11}  # one frame has no depth
    figures = dict(table.select("check", "figures").rows())
    assert figures[ITERATIVE].startswith("mean loss: FGSM ")
    assert "at 0.5; all grey " in figures[RISING]
    assert "softmax" not in figures[VANISHING]


def test_a_dense_model_behind_rounded_images_turns_red(dense_check: Callable, masked) -> None:
    assert {VANISHING, UPHILL, QUERIES} <= set(dense_check(masked.quantised).filter(outcome="failed")["check"])


class OffTheGrid(nn.Module):
    """Its depth is worse the further pixels are from a grid, but no gradient says so; grey is as far as can be."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        distance = (image - on_the_grid(image)).abs().detach().mean((1, 2, 3), keepdim=True)
        depth = 1.5 + 100 * distance + 0 * image[:, :1]
        return {"depth": depth, "ground": image, "room": image.mean((2, 3)).repeat(1, 2)[:, :4]}


def on_the_grid(image: Tensor) -> Tensor:
    return (4 * image).floor().clamp(0, 3) / 4 + 1 / 8


def test_a_dense_loss_that_only_seems_flat_is_no_better_than_noise(dense) -> None:
    victim = OffTheGrid()
    batches = [{**batch, "image": on_the_grid(batch["image"])} for batch in dense.batches()]
    table = sanity_checks(victim, dense.threat(victim, depth=1.0), batches, query=Square(queries=60))
    assert {VANISHING, BEYOND_NOISE, RISING, QUERIES} <= set(table.filter(outcome="failed")["check"])


def test_a_dense_loss_without_gradient_is_said(dense) -> None:
    victim = Behind(dense.model(), lambda image: image.detach())
    table = sanity_checks(victim, dense.threat(victim, depth=1.0), dense.batches())
    assert table.filter(check=BEYOND_NOISE).row(0)[1:] == ("not applicable", "the loss has no gradient", 0)


def test_a_dense_model_that_answers_at_random_is_detected(dense_check: Callable, masked) -> None:
    figures = dict(dense_check(masked.Noise(0.15), steps=1).select("check", "figures").rows())
    assert figures[SETTLED].startswith("two passes differ: outputs by up to ")

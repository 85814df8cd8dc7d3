"""Attacks that raise another objective; who has won stays."""

import pytest
import torch

from manyheads.attacks import BIM, Raising, RaisingSuccess
from manyheads.attacks.raising import answered, opened
from manyheads.threats import Linf, Margin, Targeted, TargetLead

ATTACK = BIM(3, 0.02)


class Brightness:
    """A loss of one's own."""

    knows_success = False

    def __call__(self, image):
        return image.flatten(1).sum(1)

    margin = won = select = __call__


def test_the_other_objective_is_raised(victim) -> None:
    expected = ATTACK(victim.loss(Margin("parity")), victim.clean, Linf(0.06))
    attacked = Raising(ATTACK, Margin("parity"))(victim.loss(), victim.clean, Linf(0.06))
    assert torch.equal(attacked, expected)
    assert not torch.equal(attacked, ATTACK(victim.loss(), victim.clean, Linf(0.06)))


def test_what_decides_is_raised(victim) -> None:
    expected = ATTACK(victim.loss(TargetLead("digit")), victim.clean, Linf(0.06))
    assert torch.equal(RaisingSuccess(ATTACK)(victim.loss(Targeted("digit")), victim.clean, Linf(0.06)), expected)


def test_where_nobody_says_who_has_won_it_cannot_be_raised(victim) -> None:
    loss = victim.loss(lambda outputs, truth: outputs["digit"][:, 0])  # noqa: ARG005 (an objective's form)
    with pytest.raises(ValueError, match="nobody says when the attacker has won"):
        RaisingSuccess(ATTACK)(loss, victim.clean, Linf(0.1))


def test_a_loss_of_ones_own_has_no_objective_to_exchange() -> None:
    with pytest.raises(
        TypeError, match=r"needs a manyheads\.threats\.Loss, whose objective it can exchange, got Brightness"
    ):
        opened(Brightness())


def test_an_answer_costs_one_pass(victim) -> None:
    seen, loss = [], victim.loss()
    expected = loss(victim.clean), loss.margin(victim.clean), loss.won(victim.clean)
    victim.model.register_forward_hook(lambda *_: seen.append(1))
    answer = answered(loss, victim.clean)
    found = answer(victim.clean), answer.margin(victim.clean), answer.won(victim.clean)
    assert len(seen) == 1
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))

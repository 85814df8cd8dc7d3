"""Losses that name their terms, and those that do not."""

import pytest
import torch

from manyheads.attacks import termed
from manyheads.threats import Margin, TaskLoss


class OneNumber:
    """A loss of one's own that names no terms."""

    knows_success = False

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image.flatten(1).sum(1)

    def margin(self, image: torch.Tensor) -> torch.Tensor:
        return self(image)

    def won(self, image: torch.Tensor) -> torch.Tensor:
        return self(image) > 0

    def select(self, rows: torch.Tensor) -> "OneNumber":  # noqa: ARG002 (all examples are alike)
        return self


def test_the_terms_of_a_task_loss_are_the_weighted_losses_and_add_up(victim) -> None:
    loss = termed(victim.loss(TaskLoss(victim.tasks, {"parity": 2.0, "digit": 1.0})))
    terms = loss.terms(victim.clean)
    assert list(terms) == ["parity", "digit"]
    torch.testing.assert_close(sum(terms.values()), loss(victim.clean))
    for name, weight in (("parity", 2.0), ("digit", 1.0)):
        alone = victim.loss(TaskLoss(victim.tasks, {name: weight}))(victim.clean)
        torch.testing.assert_close(terms[name], alone)
        torch.testing.assert_close(loss.only(name)(victim.clean), alone)


def test_one_term_alone_keeps_examples_and_success(victim) -> None:
    loss = victim.loss(TaskLoss(victim.tasks, {"digit": 1.0, "parity": 2.0}))
    rows = torch.tensor([4, 1], device=victim.clean.device)
    alone = loss.only("parity").select(rows)
    torch.testing.assert_close(alone(victim.clean[rows]), loss.terms(victim.clean)["parity"][rows])
    assert torch.equal(alone.won(victim.clean[rows]), loss.won(victim.clean)[rows])


def test_most_objectives_are_one_term_and_so_is_any_function(victim) -> None:
    margin = victim.loss(Margin("digit"))
    function = victim.loss(Margin("digit").__call__)
    for loss in (margin, function):
        ((_, value),) = loss.terms(victim.clean).items()
        assert torch.equal(value, margin(victim.clean))


def test_notes_stand_beside_the_truth_and_go_with_the_examples(victim) -> None:
    noted = victim.loss().noting({"colour": torch.arange(5)})
    assert noted.select(torch.tensor([3, 1])).truth["colour"].tolist() == [3, 1]
    assert torch.equal(noted(victim.clean), victim.loss()(victim.clean))


def test_a_loss_without_terms_is_refused() -> None:
    with pytest.raises(TypeError, match="treats the terms of a loss apart, which OneNumber does not name"):
        termed(OneNumber())

"""Goals under a condition: the value is the worth, the gradient is that of what is to be done."""

from dataclasses import dataclass

import pytest
import torch

from manyheads.tasks import classify
from manyheads.threats import Alternating, Constrained, Linf, Objective, Penalised, Standing, ThreatModel
from manyheads.types import Outputs, PerExample, Truth

DIGIT = classify("digit", classes=2)


@dataclass(frozen=True)
class Narrow(Constrained):
    """Raise the first score while the second is not above one."""

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        return self.standing(outputs, truth).worth

    def standing(self, outputs: Outputs, truth: Truth) -> Standing:  # noqa: ARG002 (nothing is true or false)
        goal, unmet = outputs["digit"][:, 0], (1 - outputs["digit"][:, 1]).clamp_max(0)
        return Standing(goal, unmet, torch.where(unmet < 0, -100, goal))

    def anchors(self, outputs: Outputs, truth: Truth) -> Truth:  # noqa: ARG002 (outputs are enough)
        return {"clean scores": outputs["digit"]}

    @property
    def success(self) -> Objective:
        return self


SCORES = [[3.0, 0.5], [3.0, 4.0]]


def pulled(objective: Objective) -> tuple[list[float], list[list[float]]]:
    """Values and gradients: the first example keeps the condition, the second does not."""
    scores = torch.tensor(SCORES, requires_grad=True)
    value = objective({"digit": scores}, {})
    value.sum().backward()
    return value.tolist(), scores.grad.tolist()


def test_goal_and_condition_pull_in_turns() -> None:
    assert pulled(Alternating(Narrow())) == ([3.0, -100.0], [[1.0, 0.0], [0.0, -1.0]])


def test_under_a_penalty_both_pull_at_once() -> None:
    assert pulled(Penalised(Narrow(), weight=5.0)) == ([3.0, -100.0], [[1.0, 0.0], [1.0, -5.0]])


def test_a_constrained_objective_names_goal_condition_and_worth() -> None:
    terms = Narrow().terms({"digit": torch.tensor(SCORES)}, {})
    assert {name: value.tolist() for name, value in terms.items()} == {
        "goal": [3.0, 3.0],
        "unmet": [0.0, -3.0],
        "worth": [3.0, -100.0],
    }


@pytest.mark.parametrize("kind", [Alternating, Penalised])
def test_who_has_won_and_what_is_attacked_the_problem_says(kind: type) -> None:
    assert kind(Narrow()).success == Narrow()
    assert kind(Narrow()).goal == Narrow()


@pytest.mark.parametrize("objective", [Alternating(Narrow()), Penalised(Narrow()), Narrow()])
def test_what_the_problem_must_know_of_the_clean_images_is_noted(objective: Objective) -> None:
    class Pixels(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"digit": image.flatten(1)}

    threat = ThreatModel(name="t", model=Pixels(), tasks=[DIGIT], objective=objective, budget=Linf(0.1))
    image = torch.rand(3, 1, 1, 2, generator=torch.Generator().manual_seed(0))
    loss = threat.loss({"image": image, "label": torch.zeros(3, dtype=torch.int64)})
    assert torch.equal(loss.truth["clean scores"], image.flatten(1))
    assert torch.equal(loss.select(torch.tensor([2])).truth["clean scores"], image[2:].flatten(1))


def test_a_weight_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a condition's weight is zero or above, got -1\.0"):
        Penalised(Narrow(), weight=-1.0)

"""Boundaries: one per wrong class, the nearest in the budget's norm."""

import pytest
import torch

from manyheads.attacks.faces import Face, faces, nearest_face
from manyheads.threats import L1, L2, Budget, Linf, Margin, TargetLead


def test_the_margin_of_a_task_has_a_face_for_each_wrong_class(victim) -> None:
    loss = victim.loss()
    found = torch.stack(list(faces(loss, victim.clean)))
    assert found.shape == (3, 5)
    torch.testing.assert_close(found.amax(0), loss.margin(victim.clean))


@pytest.mark.parametrize("objective", [Margin("digit"), TargetLead("digit")])
def test_any_other_success_is_its_only_face(victim, objective) -> None:
    loss = victim.loss(objective)
    (only,) = faces(loss, victim.clean)
    torch.testing.assert_close(only, loss.margin(victim.clean))


@pytest.mark.parametrize(("budget", "dual"), [(Linf(1.0), 1), (L2(1.0), 2), (L1(1.0), torch.inf)])
def test_the_nearest_face_is_nearest_in_the_dual_norm(victim, budget: Budget, dual: float) -> None:
    loss, image = victim.loss(), victim.clean.clone().requires_grad_()
    values = torch.stack(list(faces(loss, image)))
    slopes = torch.stack([torch.autograd.grad(value.sum(), image, retain_graph=True)[0] for value in values])
    distance = values.abs() / torch.linalg.vector_norm(slopes.flatten(2), dual, dim=2)
    which, rows = distance.argmin(0), torch.arange(5, device=image.device)
    face = nearest_face(loss, victim.clean, budget=budget)
    torch.testing.assert_close(face.gap, values[which, rows].detach())
    torch.testing.assert_close(face.slope, slopes[which, rows])


def test_a_face_is_linear() -> None:
    face = Face(torch.tensor([1.0]), torch.tensor([[[[2.0, -1.0]]]]))
    here, there = torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.5, 0.25]]]])
    assert face.seen_from(there, instead_of=here).tolist() == [1.75]


def test_faces_are_exchanged_example_by_example() -> None:
    one, two = (Face(torch.full((2,), level), torch.full((2, 1, 1, 1), level)) for level in (1.0, 2.0))
    mixed = one.replaced_by(two, where=torch.tensor([False, True]))
    assert mixed.gap.tolist() == mixed.slope.flatten().tolist() == [1.0, 2.0]

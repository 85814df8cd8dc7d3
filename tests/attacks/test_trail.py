"""The trail of a climb: what is remembered of its points."""

import pytest
import torch

from manyheads.attacks.trail import Trail


def test_the_highest_point_is_kept_with_its_gradient(victim) -> None:
    loss = victim.loss()
    trail = Trail.empty(loss, victim.clean)
    values, gradients = zip(*(trail.look(image) for image in (victim.clean, 0.9 * victim.clean)), strict=True)
    which = torch.stack(values).argmax(0)
    rows = torch.arange(len(which), device=which.device)
    assert torch.equal(trail.highest.loss, torch.stack(values)[which, rows])
    assert torch.equal(trail.slope.image, torch.stack(gradients)[which, rows])


def test_without_a_winner_the_highest_comes_back(victim) -> None:
    loss = victim.loss(rows=slice(0, 4))
    trail = Trail.empty(loss, victim.clean[:4])
    nearby = 0.99 * victim.clean[:4]
    assert not bool(loss.won(nearby).any())
    trail.look(nearby)
    assert torch.equal(trail.end(), nearby)


def test_what_is_not_finite_is_refused_at_the_end(victim) -> None:
    loss = victim.loss(lambda outputs, truth: outputs["digit"][:, 0] / 0)  # noqa: ARG005 (an objective's form)
    trail = Trail.empty(loss, victim.clean)
    trail.look(victim.clean)
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        trail.end()


def test_joined_trails_end_where_the_better_one_does(victim) -> None:
    loss = victim.loss()
    whole, parts = Trail.empty(loss, victim.clean), [Trail.empty(loss, victim.clean) for _ in range(2)]
    for part, image in zip(parts, (victim.clean, 0.9 * victim.clean), strict=True):
        part.look(image)
        whole.look(image)
    parts[0].join(parts[1])
    assert torch.equal(parts[0].slope.image, whole.slope.image)
    assert torch.equal(parts[0].end(), whole.end())


def test_what_a_joined_trail_saw_is_refused_too(victim) -> None:
    broken = Trail.empty(victim.loss(lambda outputs, truth: outputs["digit"][:, 0] / 0), victim.clean)  # noqa: ARG005
    broken.look(victim.clean)
    trail = Trail.empty(victim.loss(), victim.clean)
    trail.join(broken)
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        trail.end()

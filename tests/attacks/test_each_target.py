"""One attack aimed at the likeliest wrong classes: which, in which order, and that any wrong class wins."""

from dataclasses import dataclass

import pytest
import torch

from manyheads.attacks import BIM, FAB, Attack, EachTarget, Loss
from manyheads.attacks.faces import faces
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import L2, Budget, ClassLead, Linf
from manyheads.types import Image

DIGIT = classify("digit", classes=4)


@dataclass(frozen=True)
class Note(Attack):
    """Changes nothing and notes what it is aimed at."""

    raised: list[torch.Tensor]
    boundaries: list[torch.Tensor]

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (a stand-in)
        self.raised.append(loss(clean).detach())
        (face,) = faces(loss, clean)
        self.boundaries.append(face.detach())
        return clean


def test_the_likeliest_wrong_classes_come_first(victim) -> None:
    rows = slice(0, 4)  # the last example is won as it is
    note, loss = Note([], []), victim.loss(rows=rows)
    EachTarget(note, DIGIT, objective=ClassLead)(loss, victim.clean[rows], Linf(0.1))
    with torch.no_grad():
        scores, label = victim.model(victim.clean[rows])["digit"], victim.batch["label"][rows, None]
    leads = (scores - scores.gather(1, label)).scatter(1, label, -torch.inf).sort(dim=1, descending=True).values
    torch.testing.assert_close(torch.stack(note.raised, 1), leads[:, :3])
    torch.testing.assert_close(torch.stack(note.boundaries, 1), leads[:, :3])


@pytest.mark.parametrize(("count", "aims"), [(1, 1), (2, 2), (9, 3)])
def test_no_more_classes_than_there_are(victim, count: int, aims: int) -> None:
    note = Note([], [])
    EachTarget(note, DIGIT, count=count)(victim.loss(), victim.clean, Linf(0.1))
    assert len(note.raised) == aims
    assert [len(raised) for raised in note.raised] == [5, 4, 4][:aims]


def test_whoever_ends_in_any_wrong_class_has_won(victim) -> None:
    loss = victim.loss()
    alone = loss.won(EachTarget(BIM(10, 0.02), DIGIT, count=1)(loss, victim.clean, Linf(0.1)))
    several = loss.won(EachTarget(BIM(10, 0.02), DIGIT)(loss, victim.clean, Linf(0.1)))
    assert bool((several | ~alone).all())
    assert int(several.sum()) > 1


def test_a_minimal_attack_goes_to_each_boundary(victim) -> None:
    loss = victim.loss()
    attacked = EachTarget(FAB(10), DIGIT)(loss, victim.clean, L2(3.0))
    assert bool(loss.won(attacked).all())


def test_where_nobody_says_who_has_won_nothing_is_made_up(victim) -> None:
    loss = victim.loss(lambda outputs, truth: outputs["parity"][:, 0])  # noqa: ARG005 (an objective's form)
    attacked = EachTarget(BIM(3, 0.02), DIGIT)(loss, victim.clean, Linf(0.06))
    assert bool(Linf(0.06).contains(attacked, victim.clean).all())


@pytest.mark.parametrize(("count", "classes"), [(0, 4), (3, 1)])
def test_there_is_a_class_to_aim_at(count: int, classes: int) -> None:
    with pytest.raises(ValueError, match=f"got count={count} for task 'digit' with {classes} classes"):
        EachTarget(BIM(1, 0.1), classify("digit", classes=classes), count=count)

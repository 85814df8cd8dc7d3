"""Where the best an adaptive attacker can do is known in closed form, the ensemble does it; and its members."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import BIM, CW, FGSM, PGD, Attack, Restarts
from manyheads.defences import AdaptiveEnsemble, Disagreement, Evasive, adaptive_ensemble
from manyheads.tasks import LabelMap, classify, regroup
from manyheads.threats import Linf, Margin, ThreatModel


class TwoPixels(nn.Module):
    """The first pixel tells one, two or three; the second, odd or even."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        first, second = image.flatten(1).unbind(1)
        number = torch.stack([8 * first - 0.8, 20 * first - 5, 32 * first - 12.8], dim=1)
        return {"number": number, "parity": torch.stack([10 - 20 * second, 20 * second - 10], dim=1)}


ODD = LabelMap(("odd", "even"), (0, 1, 0))
NUMBER, ODDNESS = classify("number", classes=3), regroup("parity", ODD)
# Goal and silence in turns may each cross the whole budget, eight steps of a quarter of its radius.
MEMBERS: dict[str, Callable[[Evasive, float], Attack]] = {
    "ensemble": lambda evasion, eps: adaptive_ensemble(evasion, PGD(20, eps / 4), lesser=(Margin(NUMBER),)),
    "each class": lambda evasion, eps: AdaptiveEnsemble(evasion, PGD(20, eps / 4)),
}


@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_on_linear_heads_it_wins_exactly_from_the_least_budget_that_is_known(make: Callable) -> None:
    # A `one` becomes a `two` at 0.35 and a `three` at 0.65; a `two` passes if the second pixel says even, from 0.5 on.
    pixels = torch.tensor([[0.25, 0.2], [0.25, 0.0], [0.1, 0.45]])
    image = pixels.reshape(3, 1, 1, 2)
    first, second = pixels.unbind(1)
    least = torch.minimum(torch.maximum(0.35 - first, 0.5 - second), 0.65 - first)
    evasion = Evasive(Margin(NUMBER), Disagreement("number", {"parity": ODD}))
    model = TwoPixels()
    for factor, expected in ((0.9, False), (1.15, True)):
        for row, eps in enumerate((least * factor).tolist()):
            aimed = ThreatModel(
                name="t", model=model, tasks=(NUMBER, ODDNESS), objective=evasion, budget=Linf(eps)
            ).loss({"image": image[row : row + 1], "label": torch.tensor([0])})
            attacked = make(evasion, eps)(aimed, image[row : row + 1], Linf(eps))
            assert bool(aimed.won(attacked)) == expected


@pytest.mark.parametrize(
    ("attack", "knowing", "steps"),
    [
        (PGD(4, 0.1), 3, 4),
        (Restarts(PGD(4, 0.1), 3), 3, 4),
        (BIM(4, 0.1), 3, 4),
        (CW(steps=3), 1, None),
        (FGSM(), 3, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_search_brings_the_members_it_has_a_use_for(
    attack: Attack, knowing: int, steps: int | None
) -> None:
    made = adaptive_ensemble(Evasive(Margin("number"), Disagreement("number")), attack, classes=2)
    assert (made.attack, made.classes, len(made.knowing)) == (attack, 2, knowing)
    assert getattr(made.penalty, "steps", None) == steps


def test_a_negative_number_of_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="classes counts the wrong classes that are aimed at, got -1"):
        AdaptiveEnsemble(Evasive(Margin("number"), Disagreement("number")), PGD(), classes=-1)

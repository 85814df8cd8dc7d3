"""Evasion towards noted classes: the same conditions as for any wrong class, of one class alone."""

import pytest
import torch

from manyheads.defences import Disagreement, Evasive, EvasiveTowards, SoftDisagreement
from manyheads.defences.evasive_towards import TOWARDS
from manyheads.threats import FixedClass, Margin, Targeted

RULES = pytest.mark.parametrize("rule", [Disagreement, SoftDisagreement])


@RULES
@pytest.mark.parametrize("wanted", range(4))
def test_towards_one_class_it_is_the_targeted_evasion(relations, random_outputs, rule: type, wanted: int) -> None:
    outputs = random_outputs(0)
    truth = {"digit": torch.zeros_like(outputs["digit"].argmax(1))}
    fixed = Evasive(Targeted("digit", FixedClass(wanted)), rule("digit", relations))
    towards = EvasiveTowards(Evasive(Margin("digit"), rule("digit", relations)))
    noted = {**truth, TOWARDS: truth["digit"] + wanted}
    assert torch.equal(towards(outputs, noted), fixed(outputs, truth))
    for name, term in fixed.terms(outputs, truth).items():
        assert torch.equal(towards.terms(outputs, noted)[name], term)


@RULES
def test_the_nearest_wrong_class_is_what_any_wrong_class_counts(relations, random_outputs, rule: type) -> None:
    outputs = random_outputs(1)
    label = outputs["digit"].argmax(1)
    anything = Evasive(Margin("digit"), rule("digit", relations))
    wrong = [EvasiveTowards(anything)(outputs, {"digit": label, TOWARDS: (label + offset) % 4}) for offset in (1, 2, 3)]
    assert torch.equal(torch.stack(wrong).amax(0), anything(outputs, {"digit": label}))


@RULES
def test_goal_and_condition_are_both_met_exactly_where_it_has_won(relations, random_outputs, rule: type) -> None:
    outputs = random_outputs(2)
    truth = {"digit": torch.arange(64, device=outputs["digit"].device) % 4}
    evasion = Evasive(Margin("digit"), rule("digit", relations))
    terms = evasion.terms(outputs, truth)
    won = evasion(outputs, truth) > 0
    assert 3 < won.sum() < 60
    assert torch.equal((terms["goal"] > 0) & (terms["unmet"] == 0), won)


def test_without_hidden_heads_there_is_no_condition() -> None:
    outputs = {"digit": torch.tensor([[1.0, 3.0, 0.0]])}
    terms = Evasive(Margin("digit"), Disagreement("digit", {})).terms(outputs, {"digit": torch.tensor([0])})
    assert {name: value.tolist() for name, value in terms.items()} == {"goal": [2.0], "unmet": [0.0], "worth": [2.0]}


def test_the_evasion_says_who_has_won() -> None:
    evasion = Evasive(Margin("digit"), Disagreement("digit", {}))
    assert EvasiveTowards(evasion).success == evasion

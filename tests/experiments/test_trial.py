from typing import get_args

from manyheads.attacks import PGD
from manyheads.experiments import Trial
from manyheads.experiments.trial import Blind, Knowledge
from manyheads.threats import Linf
from manyheads.threats.knowledge import KNOWLEDGE


def test_attackers_are_the_threats_that_stand_side_by_side() -> None:
    assert (*get_args(Blind), *get_args(Knowledge)) == KNOWLEDGE


def test_whoever_knows_the_model_runs_a_trial_unless_it_says_otherwise() -> None:
    assert Trial(PGD(), Linf(0.1)).knowledge == get_args(Knowledge)

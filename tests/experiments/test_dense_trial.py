import pytest

from manyheads.attacks import FGSM
from manyheads.experiments import DenseTrial, VulnerabilityPlan
from manyheads.experiments.dense_trial import Attackers
from manyheads.threats import Linf


def test_both_attackers_run_a_trial_one_by_one() -> None:
    assert DenseTrial(FGSM(), Linf(0.1)).attackers == ("main",)
    assert DenseTrial(FGSM(), Linf(0.1), attacked="all").attackers == ("all",)
    assert DenseTrial(FGSM(), Linf(0.1), attacked="both").attackers == ("main", "all")


@pytest.mark.parametrize("attacked", ["all", "both"])
def test_houdini_by_a_multi_task_attacker_is_refused(attacked: Attackers) -> None:
    with pytest.raises(ValueError, match="Houdini's loss speaks of a segmentation alone, but the trial attacks"):
        DenseTrial(FGSM(), Linf(0.1), attacked=attacked, goal="houdini")


def test_a_single_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="covariances are estimated from two draws or more, got draws=1"):
        VulnerabilityPlan(draws=1)

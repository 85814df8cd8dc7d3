"""The attacks of the study of Mao et al. 2020: L∞, steps of one level of an 8-bit image."""

from manyheads.attacks import FGSM, MAO_STEP_SIZE, MIM, PGD, mao_steps
from manyheads.experiments import DenseTrial, VulnerabilityPlan
from manyheads.studies.mao2020_models import Measurements
from manyheads.threats import Linf

BUDGET = Linf(4 / 255)
"""The budget of Tables 2 and 3 and Fig. 7."""

SWEEP = (1 / 255, 2 / 255, 8 / 255, 16 / 255)
"""The other eps of Fig. 5."""

PAIRED = "pgd-50"
"""The trial of Fig. 7."""

SWEPT = "pgd"
"""The trial of Fig. 5 and Table 1: all tasks attacked together, with more steps for a larger budget."""


def paired(examples: int | None) -> Measurements:
    """Attack the main task by FGSM and PGD-50.

    FGSM takes one step and so goes over all test frames, on which the clean scores are taken too.

    Args:
        examples: how many test frames PGD-50 attacks; None for all.
    """
    return Measurements({"fgsm": DenseTrial(FGSM(), BUDGET), PAIRED: _pgd(50, examples)})


def strong(examples: int | None, *, main: str) -> Measurements:
    """Attack the main task by all that Table 2 has: Houdini only where it is the segmentation.

    Args:
        examples: how many test frames each of them attacks but FGSM, which goes over all; None for all.
        main: name of the main task.
    """
    steps = {f"pgd-{count}": _pgd(count, examples) for count in (10, 20, 50, 100)}
    trials = {"fgsm": DenseTrial(FGSM(), BUDGET), **steps}
    trials["mim-100"] = DenseTrial(MIM(steps=100, step_size=MAO_STEP_SIZE), BUDGET, examples=examples)
    if main == "segmentation":
        search = PGD(steps=100, step_size=MAO_STEP_SIZE)
        trials["houdini-100"] = DenseTrial(search, BUDGET, goal="houdini", examples=examples)
    return Measurements(trials)


def joint(examples: int | None) -> Measurements:
    """Attack all tasks together by PGD, over eps.

    Args:
        examples: how many test frames are attacked; None for all.
    """
    search = PGD(steps=mao_steps(BUDGET.eps), step_size=MAO_STEP_SIZE)
    trial = DenseTrial(search, BUDGET, attacked="all", examples=examples)
    return Measurements({SWEPT: trial}, sweep=SWEEP, swept=(SWEPT,))


def vulnerability(examples: int, *, pixels: tuple[int, ...] = ()) -> Measurements:
    """Measure the joint gradient over the tasks and, with numbers of pixels, over these, as Fig. 4 does.

    Args:
        examples: on how many test frames.
        pixels: numbers of output pixels that are drawn, 20 times each; accuracy is under FGSM and PGD.
    """
    search = PGD(steps=mao_steps(BUDGET.eps), step_size=MAO_STEP_SIZE)
    attacks = {"fgsm": FGSM(), SWEPT: search} if pixels else {}
    return Measurements({}, vulnerability=VulnerabilityPlan(examples, BUDGET, draws=20, pixels=pixels, attacks=attacks))


def _pgd(steps: int, examples: int | None) -> DenseTrial:
    return DenseTrial(PGD(steps=steps, step_size=MAO_STEP_SIZE), BUDGET, examples=examples)

"""Recipes for dense tasks: drawn scenes (no download), NYUv2, Cityscapes and Taskonomy, after Mao et al. 2020."""

from dataclasses import replace

from manyheads.attacks import FGSM, MAO_STEP_SIZE, MIM, PGD, mao_steps
from manyheads.experiments import (
    DenseArchitecture,
    DenseExperiment,
    DenseTraining,
    DenseTrial,
    Scenes,
    VulnerabilityPlan,
    with_auxiliaries,
)
from manyheads.experiments.dense_experiment import DenseEncoder
from manyheads.tasks import PAPER_LETTERS
from manyheads.threats import Linf
from manyheads.training import SGD, Adam, Cosine, OneCycle, StepDecay

EPS = 4 / 255
"""The usual budget of dense models, in [0, 1] pixel units."""

SWEEP = (1 / 255, 2 / 255, 8 / 255, 16 / 255)
"""The other budgets over which Mao et al. draw their curves."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's channels, by which encoders are usually fed normalised images."""


def drawn() -> DenseExperiment:
    """Drawn rooms with segmentation, depth and normals, a small network: no download, under a minute on one core."""
    return DenseExperiment(
        name="drawn",
        scenes=Scenes("drawn", size=(48, 64), train_examples=256, test_examples=48, flip=True),
        tasks=_named("sdn"),
        training=DenseTraining(epochs=10, batch_size=16, optimizer=Adam(5e-3), schedule=OneCycle(rise=0.2)),
        trials={"pgd-10": DenseTrial(_pgd(10), Linf(EPS), attacked="both", examples=32)},
    )


def nyuv2() -> DenseExperiment:
    """NYUv2 with 13 classes and five tasks at 64×96 pixels, a small network: minutes on one core."""
    return DenseExperiment(
        name="nyuv2",
        scenes=Scenes("nyuv2", size=(64, 96), classes=13, flip=True),
        tasks=_named("sdneA"),
        weights={**dict.fromkeys(_named("sdneA"), 1.0), "depth": 2.0},
        architecture=_normalised("small_dense_net"),
        training=DenseTraining(epochs=15, batch_size=16, optimizer=Adam(4e-3), schedule=OneCycle(rise=0.2)),
        trials={
            "fgsm": DenseTrial(FGSM(), Linf(EPS)),  # one step: on all test frames, and so the clean scores
            "pgd-10": DenseTrial(_pgd(10), Linf(EPS), attacked="both", examples=64),
        },
        batch_size=32,
    )


def nyuv2_paper() -> DenseExperiment:
    """NYUv2 with all eleven tasks, ResNet-18 and one decoder per task, as Mao et al. 2020 train on Taskonomy: a GPU."""
    main, *auxiliaries = PAPER_LETTERS.values()
    return DenseExperiment(
        name="nyuv2-paper",
        scenes=Scenes("nyuv2", size=(128, 192), classes=13, flip=True),
        tasks=(main, *auxiliaries),
        weights=with_auxiliaries((main, *auxiliaries), share=0.1),
        architecture=_normalised("dense_resnet18"),
        training=DenseTraining(epochs=150, batch_size=32, optimizer=Adam(1e-3), schedule=StepDecay(every=120)),
        trials=_paper_trials(),
        sweep=SWEEP,
        sweep_trials=("pgd",),
        vulnerability=VulnerabilityPlan(pixels=(1, 10, 100, 1000), attacks={"fgsm": FGSM(), "pgd-10": _pgd(10)}),
    )


def taskonomy_paper() -> DenseExperiment:
    """Taskonomy with all eleven tasks as in Mao et al. 2020: ResNet-18 at 256×256 pixels, 150 epochs: a GPU."""
    base = nyuv2_paper()
    return replace(
        base,
        name="taskonomy-paper",
        scenes=Scenes("taskonomy", size=(256, 256), flip=True),
        workers=8,
    )


def cityscapes() -> DenseExperiment:
    """Cityscapes with segmentation and disparity at 112×224 pixels, DRN-D-22: an hour or more without a GPU."""
    tasks = _named("sd")
    return DenseExperiment(
        name="cityscapes",
        scenes=Scenes("cityscapes", size=(112, 224), train_examples=500, test_examples=100, flip=True),
        tasks=tasks,
        weights=with_auxiliaries(tasks, share=0.001),
        architecture=_normalised("drn_d_22"),
        training=DenseTraining(epochs=15, batch_size=8, optimizer=SGD(0.01, weight_decay=1e-4)),
        trials={
            "fgsm": DenseTrial(FGSM(), Linf(EPS), attacked="both", examples=50),
            "pgd-10": DenseTrial(_pgd(10), Linf(EPS), attacked="both", examples=50),
        },
        batch_size=8,
    )


def cityscapes_paper() -> DenseExperiment:
    """Cityscapes as in Mao et al. 2020: segmentation and disparity, DRN-D-22 at 336×680 pixels, 200 epochs: a GPU."""
    base = cityscapes()
    # Their schedule makes the rate exactly zero from epoch 180 on; here it falls to zero at the end.
    training = DenseTraining(epochs=200, batch_size=8, optimizer=SGD(0.01, weight_decay=1e-4), schedule=Cosine())
    houdini = {
        "houdini": DenseTrial(_pgd(100), Linf(EPS), goal="houdini"),
        "houdini in percent": DenseTrial(_pgd(100), Linf(EPS), goal="houdini_percent"),
    }
    return replace(
        base,
        name="cityscapes-paper",
        scenes=Scenes("cityscapes", size=(336, 680), flip=True, crop=(256, 256)),
        training=training,
        trials={**_paper_trials(), **houdini},
        sweep=SWEEP,
        sweep_trials=("pgd",),
        vulnerability=VulnerabilityPlan(
            examples=100, pixels=(1, 10, 100, 1000, 10000), attacks={"fgsm": FGSM(), "pgd-10": _pgd(10)}
        ),
        workers=8,
    )


def _named(letters: str) -> tuple[str, ...]:
    """Names of tasks by the paper's letters, main task first."""
    return tuple(PAPER_LETTERS[letter] for letter in letters)


def _normalised(encoder: DenseEncoder) -> DenseArchitecture:
    mean, std = IMAGENET
    return DenseArchitecture(encoder, mean=mean, std=std)


def _pgd(steps: int) -> PGD:
    return PGD(steps=steps, step_size=MAO_STEP_SIZE)


def _paper_trials() -> dict[str, DenseTrial]:
    """List the paper's attacks at its usual budget, single-task and multi-task; `pgd` has the steps of its rule."""
    attacks = {"fgsm": FGSM(), "pgd": _pgd(mao_steps(EPS)), "mim": MIM(mao_steps(EPS), MAO_STEP_SIZE)}
    attacks |= {f"pgd-{steps}": _pgd(steps) for steps in (10, 20, 50, 100)}
    return {name: DenseTrial(attack, Linf(EPS), attacked="both") for name, attack in attacks.items()}

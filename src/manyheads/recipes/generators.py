"""Recipes for learned attacks on several tasks (MTA), after Guo et al. 2020: classifiers, and one dense model."""

from collections.abc import Mapping
from dataclasses import replace

from manyheads.attacks import FGSM, PGD, Noise
from manyheads.data.office31 import Domain
from manyheads.experiments import (
    Architecture,
    Data,
    DenseArchitecture,
    DenseExperiment,
    DenseTraining,
    DenseTrial,
    Experiment,
    GenerativeExperiment,
    GenerativeTraining,
    GeneratorArchitecture,
    Scenes,
    Training,
    Trial,
)
from manyheads.experiments.dense_experiment import DenseEncoder
from manyheads.threats import Linf
from manyheads.training import SGD, Adam, OneCycle, StepDecay

LEVEL = 1 / 255
"""A step of an 8-bit image."""

DOMAINS: tuple[Domain, ...] = ("amazon", "dslr", "webcam")
"""The tasks on Office-31, in the paper's order."""

ROOM_TASKS = ("segmentation", "depth", "normals")
"""The tasks on NYUv2, in the paper's order."""

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_REFERENCES = {"noise": Noise(), "pgd-10": PGD(steps=10, step_size=LEVEL)}


def digits_mta() -> GenerativeExperiment:
    """Three classifiers of digits attacked by one generator: no download, under a minute on one core."""
    victims = {
        name: Experiment(
            name=f"digits-victims/{name}",
            data=Data("digits", train_examples=800),
            main="digit",
            training=Training(epochs=8, batch_size=50, optimizer=Adam(3e-3), selection=FGSM()),
            trials={"pgd": Trial(PGD(steps=10, step_size=0.03), Linf(0.2), knowledge=("gray-box",), examples=100)},
            seed=seed,
        )
        for seed, name in enumerate(("first", "second", "third"))
    }
    return GenerativeExperiment(
        name="digits-mta",
        victims=victims,
        budget=Linf(0.2),
        generator=GeneratorArchitecture(kind="per_instance", width=8, blocks=2),
        training=GenerativeTraining(epochs=2, batch_size=20, optimizer=Adam(2e-3)),
        references={"noise": Noise(), "pgd-10": PGD(steps=10, step_size=0.03)},
    )


def drawn_mta() -> GenerativeExperiment:
    """Drawn rooms with three dense tasks attacked by one generator: no download, about a minute on one core."""
    victim = DenseExperiment(
        name="drawn-victims/small-dense-net",
        scenes=Scenes("drawn", size=(48, 64), train_examples=256, test_examples=48, flip=True),
        tasks=ROOM_TASKS,
        training=DenseTraining(epochs=8, batch_size=16, optimizer=Adam(5e-3), schedule=OneCycle(rise=0.2)),
        trials={"pgd-10": DenseTrial(PGD(10, LEVEL), Linf(5 * LEVEL), attacked="all", examples=16)},
    )
    return GenerativeExperiment(
        name="drawn-mta",
        victims={"rooms": victim},
        budget=Linf(5 * LEVEL),
        generator=GeneratorArchitecture(width=8, blocks=2),
        training=GenerativeTraining(epochs=4, batch_size=8, optimizer=Adam(1e-3)),
        references={"noise": Noise(), "pgd-10": PGD(10, LEVEL)},
    )


def office31_mta() -> GenerativeExperiment:
    """Office-31's three domains at 64×64 pixels fooled by universal perturbations: minutes on one core."""
    return GenerativeExperiment(
        name="office31-mta",
        victims=_domains(_QUICK_CLASSIFIERS, folder="office31-victims"),
        budget=Linf(10 * LEVEL),
        generator=GeneratorArchitecture(width=20, blocks=6),
        training=GenerativeTraining(epochs=2, batch_size=10, optimizer=Adam(1e-3)),
        references=_REFERENCES,
        reference_examples=200,
    )


def office31_mta_per_instance() -> GenerativeExperiment:
    """Office-31's three domains at 64×64 pixels fooled by a perturbation for each image: minutes on one core."""
    base = office31_mta()
    return replace(
        base,
        name="office31-mta-per-instance",
        generator=GeneratorArchitecture(kind="per_instance", width=12, blocks=6),
    )


def office31_mta_paper() -> GenerativeExperiment:
    """Office-31 as in Guo et al. 2020: images of 224×224 pixels, batches of 10, universal perturbations: a GPU."""
    base = office31_mta()
    return replace(
        base,
        name="office31-mta-paper",
        victims=_domains(_paper_classifiers(), folder="office31-paper-victims"),
        training=replace(base.training, epochs=30, optimizer=Adam(2e-4)),
        reference_examples=None,
    )


def office31_mta_per_instance_paper() -> GenerativeExperiment:
    """Office-31 as in Guo et al. 2020: images of 224×224 pixels, a perturbation for each image: a GPU."""
    base = office31_mta_paper()
    generator = replace(base.generator, kind="per_instance")
    return replace(base, name="office31-mta-per-instance-paper", generator=generator)


def nyuv2_mta() -> GenerativeExperiment:
    """NYUv2's three tasks at 72×96 pixels misled by universal perturbations, and MTAN by the same: a few minutes."""
    victim = _rooms("small_segnet")
    return GenerativeExperiment(
        name="nyuv2-mta",
        victims={"dmtl": victim},
        transfers={"mtan": replace(victim, name="nyuv2-victims/mtan", architecture=DenseArchitecture("small_mtan"))},
        budget=Linf(5 * LEVEL),
        generator=GeneratorArchitecture(width=20, blocks=4),
        training=GenerativeTraining(epochs=2, batch_size=5, optimizer=Adam(1e-3)),
        references=_REFERENCES,
        examples=256,
        reference_examples=96,
    )


def nyuv2_mta_per_instance() -> GenerativeExperiment:
    """NYUv2's three tasks at 72×96 pixels misled by a perturbation for each image: a few minutes on one core."""
    base = nyuv2_mta()
    return replace(
        base,
        name="nyuv2-mta-per-instance",
        generator=GeneratorArchitecture(kind="per_instance", width=12, blocks=6),
    )


def nyuv2_mta_paper() -> GenerativeExperiment:
    """NYUv2 as in Guo et al. 2020: SegNet and MTAN at 288×384 pixels, universal perturbations: a GPU."""
    base = nyuv2_mta()
    training = DenseTraining(epochs=200, batch_size=2, optimizer=Adam(1e-4), schedule=StepDecay(every=100, by=2.0))

    def large(victim: DenseExperiment, architecture: DenseArchitecture) -> DenseExperiment:
        name = f"nyuv2-paper-victims/{victim.name.split('/')[-1]}"
        scenes = replace(victim.scenes, size=(288, 384))
        return replace(victim, name=name, scenes=scenes, architecture=architecture, training=training, batch_size=8)

    victim, other = _rooms("segnet"), base.transfers["mtan"]
    return replace(
        base,
        name="nyuv2-mta-paper",
        victims={"dmtl": large(victim, DenseArchitecture("segnet"))},
        transfers={"mtan": large(other, DenseArchitecture("mtan"))},
        training=replace(base.training, epochs=30, optimizer=Adam(2e-4)),
        examples=None,
        reference_examples=None,
        batch_size=8,
    )


def nyuv2_mta_per_instance_paper() -> GenerativeExperiment:
    """NYUv2 as in Guo et al. 2020: SegNet and MTAN at 288×384 pixels, a perturbation for each image: a GPU."""
    base = nyuv2_mta_paper()
    return replace(
        base,
        name="nyuv2-mta-per-instance-paper",
        generator=replace(base.generator, kind="per_instance", blocks=10),
    )


def _classifier(*, epochs: int, batch_size: int, rate: float) -> Experiment:
    mean, std = _IMAGENET
    return Experiment(
        name="classifier",
        data=Data("office31", size=64, flip=True, crop_padding=6),
        main="object",
        architecture=Architecture("small_resnet", mean=mean, std=std),
        training=Training(
            epochs=epochs,
            batch_size=batch_size,
            optimizer=SGD(rate),
            schedule=OneCycle(rise=0.3),
            selection=FGSM(),
            selection_examples=1000,
        ),
        trials={"pgd": Trial(PGD(10, LEVEL), Linf(5 * LEVEL), knowledge=("gray-box",))},
    )


_QUICK_CLASSIFIERS: Mapping[Domain, Experiment] = {
    "amazon": _classifier(epochs=24, batch_size=32, rate=0.1),
    "dslr": _classifier(epochs=80, batch_size=16, rate=0.05),
    "webcam": _classifier(epochs=50, batch_size=16, rate=0.05),
}


def _paper_classifiers() -> dict[Domain, Experiment]:
    quick = _QUICK_CLASSIFIERS["amazon"]
    large = replace(
        quick,
        data=replace(quick.data, size=224, crop_padding=20),
        architecture=replace(quick.architecture, encoder="resnet18"),
        training=replace(quick.training, epochs=200, batch_size=32, optimizer=SGD(0.02)),
        batch_size=50,
    )
    return dict.fromkeys(DOMAINS, large)


def _domains(classifiers: Mapping[Domain, Experiment], *, folder: str) -> dict[str, Experiment]:
    """Give each domain its classifier, and each classifier its domain."""
    return {
        domain: replace(one, name=f"{folder}/{domain}", data=replace(one.data, domain=domain))
        for domain, one in classifiers.items()
    }


def _rooms(encoder: DenseEncoder) -> DenseExperiment:
    return DenseExperiment(
        name="nyuv2-victims/dmtl",
        scenes=Scenes("nyuv2", size=(72, 96), classes=13, flip=True),
        tasks=ROOM_TASKS,
        weights=dict.fromkeys(ROOM_TASKS, 1.0),
        architecture=DenseArchitecture(encoder),
        training=DenseTraining(
            epochs=10, batch_size=8, optimizer=Adam(2e-3), schedule=OneCycle(rise=0.2), selection_examples=40
        ),
        trials={"pgd-10": DenseTrial(PGD(10, LEVEL), Linf(5 * LEVEL), attacked="all", examples=32)},
        batch_size=32,
    )

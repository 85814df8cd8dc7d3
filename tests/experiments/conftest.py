"""Experiments on forty digits that are carried out in about a second."""

import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from manyheads.attacks import CW, FGSM, PGD, Noise
from manyheads.experiments import (
    Bars,
    Data,
    DenseExperiment,
    DenseTraining,
    DenseTrial,
    Experiment,
    GenerativeExperiment,
    GenerativeTraining,
    GeneratorArchitecture,
    Hardening,
    Outcome,
    Scenes,
    Training,
    Trial,
    VulnerabilityPlan,
    bars,
    run,
)
from manyheads.threats import L2, Linf
from manyheads.training import Adam

Make = Callable[..., Experiment]
MakeDense = Callable[..., DenseExperiment]


@pytest.fixture(scope="session")
def tiny() -> Make:
    """Make an experiment in a folder, without blind attackers and sanity checks; any field can be given."""
    step = PGD(steps=1, step_size=0.1)

    def make(folder: Path, **changes: object) -> Experiment:
        return replace(
            Experiment(
                name="tiny",
                data=Data("digits", train_examples=40),
                main="digit",
                hidden={"parity": "digits/parity", "prime": "digits/prime"},
                training=Training(
                    epochs=2,
                    batch_size=20,
                    optimizer=Adam(3e-3),
                    hardening=Hardening(step, Linf(0.1)),
                    selection=step,
                    selection_examples=10,
                ),
                trials={
                    "pgd untargeted": Trial(step, Linf(0.1), examples=12),
                    "cw": Trial(
                        CW(steps=2, learning_rate=0.05, binary_search_steps=1),
                        L2(float("inf")),
                        goal="margin",
                        examples=4,
                    ),
                },
                blind=(),
                sweep=(0.05,),
                sweep_examples=6,
                sanity_examples=0,
                folder=folder,
            ),
            **changes,
        )

    return make


@pytest.fixture(scope="session")
def quiet() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as shown:
        yield shown


@pytest.fixture(scope="module")
def outcome(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The finished run of the tiny experiment, which a test must leave as it is."""
    return run(tiny(tmp_path_factory.mktemp("runs")), quiet)


@pytest.fixture(scope="session")
def examined(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Outcome]:
    """Finished runs with blind attackers and sanity checks, without and with hidden tasks, to be left as they are."""
    folder = tmp_path_factory.mktemp("examined")
    few: dict[str, object] = {"blind": ("noise", "transfer"), "sanity_examples": 5, "sweep": ()}
    alone = run(tiny(folder, name="alone", hidden={}, **few), quiet)
    return alone, run(tiny(folder, **few), quiet)


@pytest.fixture(scope="session")
def tiny_dense() -> MakeDense:
    """Make an experiment on a few drawn scenes in a folder; any field can be given."""

    def make(folder: Path, **changes: object) -> DenseExperiment:
        return replace(
            DenseExperiment(
                name="tiny",
                scenes=Scenes(size=(16, 24), train_examples=8, test_examples=4, validation_share=0.5),
                tasks=("segmentation", "depth", "autoencoding"),
                training=DenseTraining(epochs=1, batch_size=4),
                trials={
                    "pgd two": DenseTrial(PGD(2, 1 / 255), Linf(4 / 255), attacked="both", examples=3),
                    "fgsm": DenseTrial(FGSM(), Linf(4 / 255)),
                },
                sweep=(1 / 255,),
                sweep_trials=("pgd two",),
                sanity_examples=0,
                vulnerability=VulnerabilityPlan(examples=2, draws=2, pixels=(1, 4), attacks={"fgsm": FGSM()}),
                batch_size=2,
                folder=folder,
            ),
            **changes,
        )

    return make


@pytest.fixture(scope="session")
def dense_outcome(tiny_dense: MakeDense, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The finished run of the tiny dense experiment, which a test must leave as it is."""
    return run(tiny_dense(tmp_path_factory.mktemp("dense")), quiet)


@pytest.fixture(scope="session")
def tiny_generative(tiny: Make, tiny_dense: MakeDense) -> Callable[..., GenerativeExperiment]:
    """Make a generator against two classifiers of digits, or against a model of drawn rooms; any field can be given."""
    step = PGD(steps=1, step_size=0.1)

    def make(folder: Path, *, dense: bool = False, **changes: object) -> GenerativeExperiment:
        trials = {"pgd": Trial(step, Linf(0.1), knowledge=("gray-box",), examples=4)}
        plain = Training(epochs=1, batch_size=20, selection=step, selection_examples=4)
        first = tiny(folder, name="victims/first", hidden={}, training=plain, trials=trials, sweep=())
        trial = {"fgsm": DenseTrial(FGSM(), Linf(4 / 255))}
        tasks = ("segmentation", "depth", "normals")
        rooms = tiny_dense(
            folder, name="victims/rooms", tasks=tasks, trials=trial, sweep=(), sweep_trials=(), vulnerability=None
        )
        victims = (
            {"rooms": rooms} if dense else {"first": first, "second": replace(first, name="victims/second", seed=1)}
        )
        return replace(
            GenerativeExperiment(
                name="tiny-generator",
                victims=victims,
                transfers={"other": replace(rooms, name="victims/other", seed=1)} if dense else {},
                budget=Linf(0.2),
                generator=GeneratorArchitecture(width=2, blocks=1),
                training=GenerativeTraining(batch_size=8),
                references={"noise": Noise()},
                examples=6,
                reference_examples=4,
                folder=folder,
            ),
            **changes,
        )

    return make


@pytest.fixture(scope="session")
def killing() -> SimpleNamespace:
    """Those who kill processes; see `assassin.py`."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("assassin.py"))))

"""Experiments on forty digits that are carried out in about a second."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from manyheads.attacks import CW, PGD
from manyheads.experiments import Bars, Data, Experiment, Hardening, Outcome, Training, Trial, bars, run
from manyheads.threats import L2, Linf
from manyheads.training import Adam

Make = Callable[..., Experiment]


@pytest.fixture(scope="session")
def tiny() -> Make:
    """Make an experiment in a folder; any field can be given."""
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
                sweep=(0.05,),
                sweep_examples=6,
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

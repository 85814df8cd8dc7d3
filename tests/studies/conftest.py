"""A recipe on forty digits that is carried out in half a second."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from manyheads.attacks import PGD
from manyheads.experiments import Bars, Data, Experiment, Hardening, Training, Trial, bars
from manyheads.threats import Linf
from manyheads.training import Adam

STEP = PGD(steps=1, step_size=0.1)


@pytest.fixture(scope="session")
def tiny() -> Callable[[Path], Experiment]:
    """Make the recipe, with its runs in a folder."""
    return lambda folder: Experiment(
        name="digits",
        data=Data("digits", train_examples=40),
        main="digit",
        hidden={"parity": "digits/parity"},
        training=Training(
            epochs=1,
            batch_size=20,
            optimizer=Adam(3e-3),
            hardening=Hardening(STEP, Linf(0.1)),
            selection=STEP,
            selection_examples=10,
        ),
        trials={"pgd untargeted": Trial(STEP, Linf(0.1), examples=8)},
        sanity_examples=2,
        folder=folder,
    )


@pytest.fixture(scope="session")
def quiet() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as shown:
        yield shown

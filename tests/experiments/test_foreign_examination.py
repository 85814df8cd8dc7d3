"""The measurement of a model of somebody's own is checked."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from manyheads.attacks import FGSM
from manyheads.data import Loader, sklearn_digits, take
from manyheads.experiments import Assessment, Bars, ForeignTrial, RunFiles, assess, bars, examine_foreign
from manyheads.models import adapt
from manyheads.reports import Checklist
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("label", classes=10)


class Centroids(nn.Module):
    """Answers with the digit whose mean image is nearest, seen through so many grey levels."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        train = next(iter(Loader(sklearn_digits("train"), batch_size=400)))
        images, labels = train["image"].flatten(1), train["label"]
        self.means = torch.stack([images[labels == digit].mean(0) for digit in range(10)])
        self.levels = levels

    def forward(self, image: Tensor) -> Tensor:
        seen = (image * self.levels).round() / self.levels if self.levels else image
        return -torch.cdist(seen.flatten(1), self.means)


@pytest.fixture
def shown() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as made:
        yield made


def assessment(*, levels: int) -> Assessment:
    model = adapt(Centroids(levels), tasks=[TASK])
    objective = TaskLoss([TASK], {"label": 1.0})
    threat = ThreatModel(name="white-box", model=model, tasks=[TASK], objective=objective, budget=Linf(0.2))
    source = take(sklearn_digits("test"), count=40, seed=0)
    return Assessment(name="mine", model=model, trials=(ForeignTrial("fgsm", threat, FGSM()),), source=source)


def checked(files: RunFiles, shown: Bars, *, levels: int = 0, examples: int = 24) -> Checklist:
    made = assessment(levels=levels)
    facts = assess(made, files, shown, record={})
    return examine_foreign(made, files, shown, tasks=[TASK], facts=facts, examples=examples)


def test_a_model_with_honest_gradients_fails_no_check(shown, tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    assert checked(files, shown).failed("mine") == ()
    assert max(pl.read_parquet(files.sanity)["n"]) == 24
    assert pl.read_parquet(files.surface)["index"].n_unique() == 8


def test_a_model_that_rounds_its_images_is_found_out(shown, tmp_path: Path) -> None:
    failed = " ".join(checked(RunFiles(tmp_path), shown, levels=4).failed("mine"))
    assert "gradients do not vanish: vanished: 100 %" in failed


def test_what_is_on_disk_is_not_checked_again(shown, tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    first = checked(files, shown)
    pl.read_parquet(files.sanity).with_columns(figures=pl.lit("seen")).write_parquet(files.sanity)
    again = checked(files, shown)
    assert list(again.rows) == list(first.rows)
    assert {marks[0].figures for marks in again.rows.values() if marks[0]} == {"seen"}


def test_no_examples_make_no_checks(shown, tmp_path: Path) -> None:
    found = checked(RunFiles(tmp_path), shown, examples=0)
    assert (found.models, found.rows) == ((), {})
    assert not RunFiles(tmp_path).sanity.exists()

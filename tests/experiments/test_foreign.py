"""The measurement of a model that was not trained here."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from rich.console import Console
from torch import nn

from manyheads.attacks import FGSM, Noise
from manyheads.data import InMemory
from manyheads.evaluation import joined
from manyheads.experiments import (
    Assessment,
    Bars,
    ForeignTrial,
    RunFiles,
    assess,
    bars,
    facts_in,
    read_record,
    worst_case,
)
from manyheads.experiments.foreign import claim
from manyheads.models import adapt, seeded
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("label", classes=3)
RECORD = {"weights": "abc", "mean": (0.5,), "folder": Path("anywhere")}


@pytest.fixture
def shown() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as made:
        yield made


@pytest.fixture
def assessment() -> Assessment:
    """A linear model and two attacks on ten random images."""
    images = torch.randint(0, 256, (10, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    own = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), seed=0)
    model = adapt(own, tasks=[TASK])
    objective = TaskLoss([TASK], {"label": 1.0})
    threat = ThreatModel(name="white-box", model=model, tasks=[TASK], objective=objective, budget=Linf(0.3))
    trials = (ForeignTrial("noise", replace(threat, name="noise"), Noise()), ForeignTrial("fgsm", threat, FGSM()))
    source = InMemory(images, torch.arange(10) % 3, ("a", "b", "c"))
    return Assessment(name="mine", model=model, trials=trials, source=source, batch_size=4)


def test_every_trial_leaves_facts_gallery_and_scores(assessment, shown, tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "run")
    facts = assess(assessment, files, shown, record=RECORD)
    assert facts.table.group_by("attack", "threat", "model").len().sort("attack").rows() == [
        ("fgsm", "white-box", "mine", 10),
        ("noise", "noise", "mine", 10),
    ]
    assert facts_in(files).table.sort("attack", "index").equals(facts.table.sort("attack", "index"))
    assert len(list(files.gallery.iterdir())) == 2
    assert set(pl.read_parquet(files.scores)["attack"]) == {"fgsm", "noise"}
    assert read_record(files) == {"weights": "abc", "mean": [0.5], "folder": "anywhere"}


def test_what_is_on_disk_is_not_run_again(assessment, shown, tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    assess(assessment, files, shown, record=RECORD)
    marked = facts_in(files).table.filter(attack="fgsm").with_columns(size=pl.lit(0.125))
    marked.write_parquet(files.facts_of("white-box", trial="fgsm", eps=0.3))
    again = assess(assessment, files, shown, record=RECORD)
    assert set(again.table.filter(attack="fgsm")["size"]) == {0.125}


def test_no_more_examples_are_attacked_than_wanted(assessment, shown, tmp_path: Path) -> None:
    some = replace(assessment, examples=6)
    assert len(some.chosen) == 6
    assert len(replace(assessment, examples=60).chosen) == len(assessment.chosen) == 10
    facts = assess(some, RunFiles(tmp_path), shown, record=RECORD)
    assert facts.table["index"].n_unique() == 6


def test_the_batch_size_decides_no_fact(assessment, shown, tmp_path: Path) -> None:
    tables = [
        assess(replace(assessment, batch_size=size), RunFiles(tmp_path / str(size)), shown, record=RECORD).table
        for size in (3, 10)
    ]
    exact = ["index", "attack", "won", "label.clean", "label.attacked"]
    assert tables[0].select(exact).equals(tables[1].select(exact))


def test_another_measurement_in_the_folder_is_refused(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    claim(files, RECORD)
    claim(files, RECORD)
    with pytest.raises(ValueError, match=r"holds another measurement \(it differs in weights, steps\); give this one"):
        claim(files, RECORD | {"weights": "abd", "steps": 3})


def test_the_folder_of_an_experiment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_text("{}")
    with pytest.raises(ValueError, match="holds an experiment; give this measurement another --name"):
        claim(RunFiles(tmp_path), RECORD)


@pytest.mark.parametrize("content", ["[1]", "{", json.dumps("text")])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "assessment.json").write_text(content)
    with pytest.raises(ValueError, match=r"assessment\.json is damaged .*; delete the folder and measure again"):
        read_record(RunFiles(tmp_path))


def test_an_empty_folder_holds_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no assessment\.json; `manyheads attack` makes one"):
        read_record(RunFiles(tmp_path))
    with pytest.raises(FileNotFoundError, match="holds no facts yet"):
        facts_in(RunFiles(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": ()}, "nothing would attack the model; name at least one attack"),
        ({"examples": 0}, "examples has to be 1 or more, got 0"),
        ({"batch_size": 0}, "batch_size has to be 1 or more, got 0"),
    ],
)
def test_a_measurement_of_nothing_is_refused(assessment, changes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(assessment, **changes)


def test_the_worst_case_is_right_only_where_nothing_made_it_wrong(assessment, shown, tmp_path: Path) -> None:
    facts = assess(replace(assessment, examples=4), RunFiles(tmp_path), shown, record=RECORD)
    parts = []
    for attack, answers in (("noise", [0, 0, 1, 0]), ("fgsm", [0, 1, 0, 0])):
        part = facts.table.filter(attack=attack).with_columns(
            pl.Series("label.truth", [0, 0, 0, 0]),
            pl.Series("label.clean", [0, 0, 0, 1]),
            pl.Series("label.attacked", answers),
        )
        parts.append(replace(facts, table=part))
    worst = worst_case(joined(parts), task="label")
    assert worst["clean"].to_list() == [True, True, True, False]
    assert worst["attacked"].to_list() == [True, False, False, False]
    unknown = replace(facts, table=facts.table.with_columns(pl.lit(None, pl.Int64).alias("label.truth")))
    assert len(worst_case(unknown, task="label")) == 0

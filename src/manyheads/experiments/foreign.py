"""The measurement of a model that was not trained here: trials in, facts and scores out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from torch import Tensor, nn

from manyheads.attacks import Attack
from manyheads.data import Loader, Source, take
from manyheads.evaluation import Facts, evaluate, joined, scores
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.gallery import Gallery
from manyheads.experiments.progress import Bars
from manyheads.threats import ThreatModel

RECORD = "assessment.json"
"""The file that says how the facts beside it were made."""


@dataclass(frozen=True, eq=False)
class ForeignTrial:
    """One attack by one attacker.

    Args:
        name: what reports call the attack.
        threat: who attacks, wanting what, within which budget.
        attack: the search for images.
    """

    name: str
    threat: ThreatModel
    attack: Attack


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessment:
    """A model with what is asked of it.

    Args:
        name: what reports call the model.
        model: any module that maps images to a dict of outputs, as `adapt` makes one.
        trials: what it is put through.
        source: the images.
        examples: how many of them, at most, drawn class by class; None for all.
        seed: decides everything random.
        batch_size: examples per batch; decides no result.
        workers: processes that decode image files ahead; decides no result.

    Raises:
        ValueError: if there is no trial, or a number is below one.
    """

    name: str
    model: nn.Module
    trials: Sequence[ForeignTrial]
    source: Source
    examples: int | None = None
    seed: int = 0
    batch_size: int = 100
    workers: int = 0

    def __post_init__(self) -> None:
        """Refuse to measure nothing."""
        if not self.trials:
            raise ValueError("nothing would attack the model; name at least one attack")
        for name in ("examples", "batch_size"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"{name} has to be 1 or more, got {number}")

    @property
    def chosen(self) -> Source:
        """The images that are attacked."""
        if self.examples is None or self.examples >= len(self.source):
            return self.source
        return take(self.source, count=self.examples, seed=0)

    @property
    def loader(self) -> Loader:
        """Batches of them."""
        return Loader(self.chosen, batch_size=self.batch_size, seed=self.seed, workers=self.workers)


def assess(assessment: Assessment, files: RunFiles, bars: Bars, *, record: Mapping[str, object]) -> Facts:
    """Run every trial, and write facts, galleries and scores.

    Trials whose facts are on disk already are not run again.

    Args:
        assessment: what to run.
        files: where everything goes.
        bars: where progress is shown.
        record: what decides the results, as plain data; a folder with another one is refused.

    Raises:
        ValueError: if the folder holds other results, or an attack cannot be carried out.
    """
    claim(files, record)
    facts = joined([_tried(assessment, files, bars, trial=trial) for trial in assessment.trials])
    keep(files.scores, scores(facts))
    return facts


def claim(files: RunFiles, record: Mapping[str, object]) -> None:
    """Write down what is measured in a folder.

    Raises:
        ValueError: if the folder holds something else.
    """
    path = files.folder / RECORD
    if path.exists():
        found = read_record(files)
        other = [name for name in {**found, **record} if found.get(name) != _plain(record).get(name)]
        if other:
            raise ValueError(
                f"{files.folder} holds another measurement (it differs in {', '.join(other)}); give this one another "
                "--name, or delete that folder"
            )
    elif files.experiment.exists():
        raise ValueError(f"{files.folder} holds an experiment; give this measurement another --name")
    keep(path, (json.dumps(_plain(record), indent=1) + "\n").encode())


def read_record(files: RunFiles) -> dict[str, object]:
    """Read what was measured in a folder.

    Raises:
        FileNotFoundError: if nothing was.
        ValueError: if the file is damaged.
    """
    path = files.folder / RECORD
    if not path.exists():
        raise FileNotFoundError(f"{files.folder} holds no {RECORD}; `manyheads attack` makes one")
    try:
        match json.loads(path.read_text(encoding="utf-8")):
            case dict() as found:
                return found
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged ({error}); delete the folder and measure again") from error
    raise ValueError(f"{path} is damaged (no object); delete the folder and measure again")


def facts_in(files: RunFiles) -> Facts:
    """Read all facts of a folder.

    Raises:
        FileNotFoundError: if there are none.
    """
    paths = sorted(files.facts.glob("*.parquet"))
    if not paths:
        raise FileNotFoundError(f"{files.folder} holds no facts yet; `manyheads attack` makes them")
    return joined([Facts.load(path) for path in paths])


def _plain(record: Mapping[str, object]) -> dict[str, object]:
    """Bring a record into the form in which JSON gives it back."""
    return json.loads(json.dumps(record, default=str))


def _tried(assessment: Assessment, files: RunFiles, bars: Bars, *, trial: ForeignTrial) -> Facts:
    path, pictures = _places(files, trial)
    if path.exists():
        return Facts.load(path)
    gallery = Gallery()
    loader = assessment.loader
    with bars.bar(f"{trial.threat.name} {trial.name} on {assessment.name}") as advance:
        facts = evaluate(
            assessment.model,
            trial.threat,
            trial.attack,
            _shown(loader, advance),
            seed=assessment.seed,
            observe=gallery.observe,
        ).labelled(model=assessment.name, attack=trial.name)
    gallery.save(pictures)
    facts.save(path)
    return facts


def _places(files: RunFiles, trial: ForeignTrial) -> tuple[Path, Path]:
    eps, threat = float(trial.threat.budget.eps), trial.threat.name
    return files.facts_of(threat, trial=trial.name, eps=eps), files.gallery_of(threat, trial=trial.name, eps=eps)


def _shown(loader: Loader, advance: Callable[[float], None]) -> Iterator[Mapping[str, Tensor]]:
    """Move the bar on whenever a batch is done."""
    for done, batch in enumerate(loader, start=1):
        yield batch
        advance(done / len(loader))


def worst_case(facts: Facts, *, task: str) -> pl.DataFrame:
    """Tell of every example whether its answer to a task is right on the clean image, and after every attack.

    The table has the columns `index`, `clean` and `attacked`; examples whose class is unknown are left out. An example
    counts as right under attack only where it was right before and no attack of any attacker made it wrong.

    Args:
        facts: of one model and budget.
        task: a classification task.
    """
    known = facts.table.drop_nulls(f"{task}.truth")
    clean, attacked = (pl.col(f"{task}.truth") == pl.col(f"{task}.{when}") for when in ("clean", "attacked"))
    return known.group_by("index", maintain_order=True).agg(clean=clean.all(), attacked=(clean & attacked).all())

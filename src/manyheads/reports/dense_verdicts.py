"""What the numbers of dense models say in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from manyheads.reports.cells import Cell
from manyheads.reports.dense_results import DenseResults, capital, words
from manyheads.reports.measures import CHANGE, rises
from manyheads.reports.results import Challenge
from manyheads.reports.verdicts import Finding
from manyheads.tasks.metrics import relative_improvement


def dense_findings(
    results: DenseResults, *, mains: Sequence[str], models: Sequence[str] | None = None
) -> tuple[Finding, ...]:
    """Say, for each main task, what is left of it under attack, and what more tasks change.

    Of each threat the attack that does most harm to the first model is named, among those of the size that most attacks
    have. The first model is the one with fewest tasks; all that have more are compared with it.

    Args:
        results: the scores.
        mains: the tasks to speak of.
        models: the models to speak of; None for all.
    """
    found = []
    for main in mains:
        named = [model for model in results.having(main) if model in (models or results.models)]
        if named:
            fewest = len(results.tasks(named[0]))
            richer = [model for model in named[1:] if len(results.tasks(model)) > fewest]
            found.append(_finding(_Subject(results, main=main, models=(named[0], *richer))))
    return tuple(found)


@dataclass(frozen=True)
class _Subject:
    """One task, and the models that are compared by it."""

    results: DenseResults
    main: str
    models: tuple[str, ...]

    @property
    def score(self) -> str:
        return self.results.headline(self.main)

    def clean(self, model: str) -> Cell:
        return self.results.clean(model, task=self.main, score=self.score)

    def attacked(self, model: str, *, threat: str, challenge: Challenge) -> Cell:
        return self.results.attacked(model, task=self.main, score=self.score, threat=threat, challenge=challenge)

    def worst(self, threat: str) -> Challenge | None:
        """Find the most harmful attack on the first model, of the size that most attacks have, small ones first."""
        challenges = self.results.challenges(threat)
        sizes = [one.eps for one in challenges]
        common = max(sorted(set(sizes)), key=sizes.count)
        measured = {
            one: cell.value
            for one in challenges
            if one.eps == common
            and (cell := self.attacked(self.models[0], threat=threat, challenge=one)).value is not None
        }
        sign = 1 if rises(self.score) else -1
        return min(measured, key=lambda one: sign * measured[one], default=None)


def _finding(subject: _Subject) -> Finding:
    first = subject.models[0]
    clean = subject.clean(first)
    text = f"The {words(subject.score)} of {first} is {_worded(clean)} on clean images."
    bars = [("clean", clean)]
    changes = [_change(subject, [(clean, subject.clean(model)) for model in subject.models[1:]], "on clean images")]
    for threat in subject.results.threats:
        challenge = subject.worst(threat)
        if challenge is not None:
            cells = [subject.attacked(model, threat=threat, challenge=challenge) for model in subject.models]
            text += f" The most harmful {threat} attack, {challenge.label}, brings it to {_worded(cells[0])}."
            bars.append((threat, cells[0]))
            where = f"under {challenge.attack} ({threat})"
            changes.append(_change(subject, [(cells[0], cell) for cell in cells[1:]], where))
    told = [change for change in changes if change]
    if told:
        text += f" With more tasks than {first}: " + "; ".join(told) + "."
    direction = "higher" if rises(subject.score) else "lower"
    return Finding(title=f"{capital(words(subject.main))}, {direction} is better", text=text, bars=tuple(bars))


def _change(subject: _Subject, pairs: Sequence[tuple[Cell, Cell]], where: str) -> str:
    """Count how many models are better than the first, and by how much on average; empty where none can be compared."""
    changes = [
        relative_improvement(other.value, baseline=first.value, higher_is_better=rises(subject.score))
        for first, other in pairs
        if first.value and other.value is not None
    ]
    if not changes:
        return ""
    better = sum(change > 0 for change in changes)
    verb = "is" if better == 1 else "are"
    average = CHANGE.write(fmean(changes))
    return f"{where} {better} of {len(changes)} models {verb} better ({average} % on average)"


def _worded(cell: Cell) -> str:
    if cell.value is None:
        return cell.text
    if not cell.interval:
        return f"{cell.with_unit} ({cell.count})"
    return f"{cell.with_unit} ({cell.interval}, {cell.count})"

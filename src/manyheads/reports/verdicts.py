"""What the numbers say in plain words: findings, and cautions where a gray-box gain does not survive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

from manyheads.reports.cells import Cell
from manyheads.reports.results import HEADLINE, Challenge, Results
from manyheads.threats.knowledge import ADAPTIVE, GRAY, NOISE, TRANSFER


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One paragraph about one model, with the numbers that it rests on.

    Args:
        title: the model.
        text: sentences.
        bars: headings and numbers to draw beside the text, in order.
    """

    title: str
    text: str
    bars: tuple[tuple[str, Cell], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Caution:
    """A warning: what is wrong, and every place where it is.

    Args:
        title: what is wrong.
        text: what follows from it, and how to read the numbers.
        items: where, by model: one line per attack, with numbers.
    """

    title: str
    text: str
    items: Mapping[str, tuple[str, ...]]


def findings(results: Results) -> tuple[Finding, ...]:
    """Say, for each training, what the model with most hidden tasks keeps on clean images and under attack.

    The attack is the one that leaves least of it, among those of limited size where there are any.
    """
    models = [richest(results, training) for training in results.trainings]
    return tuple(_finding(results, model) for model in models if model is not None)


def cautions(results: Results) -> tuple[Caution, ...]:
    """List where gray-box numbers mislead, over all models with hidden tasks.

    Compared is accuracy with reject option, for gray-box and for the stronger of white-box and adaptive. A gain over
    the model without hidden tasks counts where the intervals do not touch; it vanishes where the intervals touch again.
    Further kinds: numbers clearly below the gray-box ones, gray-box numbers without adaptive ones, and an adaptive
    attack that did clearly worse than the gray-box one, which it could have copied.
    """
    found: dict[str, dict[str, list[str]]] = {title: {} for title in _KINDS}
    for model in results.models["model"]:
        for challenge in results.challenges if len(results.tasks(model)) > 1 else ():
            for kind, item in _cautions_of(results, model, challenge=challenge):
                found[kind].setdefault(model, []).append(f"{challenge.label}: {item}")
    return tuple(
        Caution(title=title, text=text, items={model: tuple(lines) for model, lines in found[title].items()})
        for title, text in _KINDS.items()
        if found[title]
    )


_VANISHES = "Gray-box gains that vanish once the attacker knows the hidden heads and the rule"
_FALLS = "Gray-box numbers that an attacker who knows more brings down"
_MISSING = "Gray-box numbers without an adaptive attack"
_WEAK = "Adaptive attacks that did worse than gray-box ones"
_KINDS = {
    _VANISHES: (
        "The hidden tasks look like protection only as long as they are unknown. Right or rejected under attack: "
        "gray-box → adaptive or white-box, whichever is lower (without: the same training without hidden tasks)."
    ),
    _FALLS: (
        "Count on the lower number. Right or rejected under attack: gray-box → adaptive or white-box, whichever is "
        "lower."
    ),
    _MISSING: "They say nothing about an attacker who knows the hidden heads and the rule.",
    _WEAK: (
        "Who knows more can always do what the gray-box attacker did: count on the lower number, and attack harder. "
        "Right or rejected under attack: gray-box → adaptive."
    ),
}


def _cautions_of(results: Results, model: str, *, challenge: Challenge) -> Iterator[tuple[str, str]]:
    gray, adaptive = (
        results.attacked(model, challenge=challenge, threat=threat, score=HEADLINE) for threat in (GRAY, ADAPTIVE)
    )
    base = results.lowest(results.baseline(results.training(model)), challenge=challenge)
    known = results.lowest(model, challenge=challenge, threats=_informed(results))
    if gray.n and adaptive.n is None:
        yield _MISSING, f"{gray.text} %"
    if _below(base, gray) and known.n and not _below(base, known):
        yield _VANISHES, f"{gray.text} → {known.text} % (without: {base.text} %)"
    elif _below(known, gray):
        yield _FALLS, f"{gray.text} → {known.text} %"
    if _below(gray, adaptive):
        yield _WEAK, f"{gray.text} → {adaptive.text} %"


def _finding(results: Results, model: str) -> Finding:
    challenge = _strongest(results, model)
    clean = results.clean(model, score=HEADLINE)
    rejected = results.clean(model, score="rejection_rate")
    attacked = {
        threat: results.attacked(model, challenge=challenge, threat=threat, score=HEADLINE)
        for threat in results.threats_of(challenge)
    }
    text = f"On clean images it answers rightly on {_worded(clean)} and rejects {_worded(rejected)}. "
    if len(results.tasks(model)) > 1:
        text += _under_attack(results, model, challenge=challenge)
    else:
        lowest = results.lowest(model, challenge=challenge)
        text += f"It has no hidden tasks. {challenge.label} leaves {_worded(lowest)} of images right."
    return Finding(title=model, text=text, bars=(("clean", clean), *attacked.items()))


def _under_attack(results: Results, model: str, *, challenge: Challenge) -> str:
    gray, adaptive = (
        results.attacked(model, challenge=challenge, threat=threat, score=HEADLINE) for threat in (GRAY, ADAPTIVE)
    )
    known = results.lowest(model, challenge=challenge, threats=_informed(results))
    base = results.baseline(results.training(model))
    text = (
        f"Under {challenge.label}, a gray-box attacker, who does not know the hidden heads, leaves {_worded(gray)} of "
        "images right or rejected; an attacker who knows the hidden heads and the rule "
    )
    text += "was not measured." if adaptive.n is None else f"brings it to {_worded(known)}."
    if base is not None:
        without = results.lowest(base, challenge=challenge)
        text += f" Without hidden tasks the same training keeps {_worded(without)}."
    return text


def _worded(cell: Cell) -> str:
    if cell.value is None:
        return "a share that was not measured" if cell.n is None else "none, since there were none"
    interval = f" ({cell.interval}, n = {cell.n})" if cell.interval else f" (n = {cell.n})"
    return f"{cell.text} %{interval}"


def richest(results: Results, training: str) -> str | None:
    """Name the measured model of a training with most hidden tasks, the first among equals; None without any."""
    names = [name for name in results.models.filter(training=training)["model"] if results.tasks(name)]
    return max(names, key=lambda name: len(results.tasks(name)), default=None)


def _strongest(results: Results, model: str) -> Challenge:
    """Find the attack of limited size that leaves least of a model; of any size where none is limited."""
    limited = [one for one in results.challenges if isfinite(one.eps)]

    def kept(one: Challenge) -> float:
        value = results.lowest(model, challenge=one).value
        return 2.0 if value is None else value

    return min(limited or results.challenges, key=kept)


def _informed(results: Results) -> tuple[str, ...]:
    """Name the threats that know more than gray-box."""
    return tuple(threat for threat in results.threats if threat not in {NOISE, TRANSFER, GRAY})


def _below(lower: Cell, upper: Cell) -> bool:
    """Tell whether one interval lies wholly below the other."""
    return lower.high is not None and upper.low is not None and lower.high < upper.low

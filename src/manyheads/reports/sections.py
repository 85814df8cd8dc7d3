"""The sections of a report, made from what a run or a study left behind."""

from collections.abc import Mapping, Sequence
from math import isfinite

import polars as pl

from manyheads.reports.checklist import Checklist
from manyheads.reports.gain_table import gain_table
from manyheads.reports.gallery import Exhibit
from manyheads.reports.html import Picture, Section
from manyheads.reports.plots import accuracy_over_eps, rejection_bars, to_svg, training_curves
from manyheads.reports.results import HEADLINE, Results
from manyheads.reports.surface_plots import loss_surfaces
from manyheads.reports.tables import Printed, hidden_table, main_table, rejection_table

_THREATS = (
    "Noise is drawn at random; a transfer attacker attacks a model of their own. A gray-box attacker knows every "
    "weight but those of the hidden heads; a white-box attacker attacks all heads at once; an adaptive attacker also "
    "knows the rule of rejection and keeps it silent."
)
_CHECKED = (
    "Where gradients are masked, an attack fails and a model looks robust. These checks look for the traces that "
    "masking leaves; the figures show whether the loss rises along the gradient."
)
_FATES = (
    "One image of every fate that occurred, by threat. The change is amplified by the factor below it; middle grey is "
    "no change."
)


def accuracy_section(results: Results, *, printed: Printed | None = None) -> Section:
    """Make the section of the main task's accuracy under every attack."""
    return Section(
        title="Accuracy under attack",
        text=(_THREATS,),
        tables=(main_table(results, printed=printed),),
    )


def rejection_section(results: Results) -> Section:
    """Make the section of what rejection does: tables, and bars with and without it."""
    pictures = [
        Picture(
            svg=to_svg(rejection_bars(results, challenge, training=training)),
            says=f"Accuracy of {training} models under {challenge.label} with and without rejection; see the tables.",
        )
        for training in results.trainings
        for challenge in results.challenges
    ]
    return Section(
        title="With rejection",
        text=("An input is rejected where the hidden heads contradict the main one.",),
        tables=tuple(rejection_table(results, challenge) for challenge in results.challenges),
        pictures=tuple(pictures),
    )


def hidden_section(results: Results, *, printed: Printed | None = None) -> Section | None:
    """Make the section of the hidden tasks' accuracies; None where no model has hidden tasks."""
    table = hidden_table(results, printed=printed)
    return Section(title="Hidden tasks", tables=(table,)) if table.rows else None


def eps_section(results: Results, *, score: str = HEADLINE) -> Section | None:
    """Make the section of a score over the size of the perturbation; None where no attack has two finite sizes.

    Every model is drawn beside the one of the same training without hidden tasks.
    """
    sizes: dict[tuple[str, str], set[float]] = {}
    for one in results.challenges:
        if isfinite(one.eps):
            sizes.setdefault((one.attack, one.norm), set()).add(one.eps)
    pictures = []
    for attack, norm in (key for key, found in sizes.items() if len(found) > 1):
        for model in (name for name in results.models["model"] if len(results.tasks(name)) > 1):
            base = results.baseline(results.training(model))
            figure = accuracy_over_eps(results, model, baseline=base, attack=attack, norm=norm, score=score)
            says = f"{score.replace('_', ' ')} of {model} under {attack} over the size of the change."
            pictures.append(Picture(svg=to_svg(figure), says=says))
    if not pictures:
        return None
    text = "Dashed: the same training without hidden tasks, under its worst threat. Bands are 95 % intervals."
    return Section(title="Over the size of the perturbation", text=(text,), pictures=tuple(pictures))


def training_section(histories: Mapping[str, pl.DataFrame]) -> Section:
    """Make the section of training curves, one figure per model."""
    pictures = [
        Picture(svg=to_svg(training_curves(history, title=model)), says=f"Losses and validation measures of {model}.")
        for model, history in histories.items()
    ]
    return Section(title="Training", pictures=tuple(pictures))


def gain_section(gains: pl.DataFrame, results: Results) -> Section | None:
    """Make the section of what hidden tasks add; None where there is no model to compare with."""
    return Section(title="What hidden tasks add", tables=(gain_table(gains, results),)) if len(gains) else None


def sanity_section(checks: Checklist, surfaces: Mapping[str, pl.DataFrame]) -> Section | None:
    """Make the section of the sanity checks, with the loss around images of some models; None where none was checked.

    Args:
        checks: what was found.
        surfaces: the loss around some images, by model.
    """
    if not checks.rows:
        return None
    pictures = tuple(
        Picture(
            svg=to_svg(loss_surfaces(surface, title=model)),
            says=f"Loss of {model} around clean images, along the gradient and across it.",
            columns=2,
        )
        for model, surface in surfaces.items()
    )
    return Section(title="Can these numbers be believed?", text=(_CHECKED,), checklists=(checks,), pictures=pictures)


def gallery_section(exhibits: Sequence[Exhibit]) -> Section:
    """Make the section of attacked images."""
    return Section(
        title="Gallery",
        text=(_FATES,),
        exhibits=tuple(exhibits),
    )

"""The sections of a report on dense models."""

from collections.abc import Mapping, Sequence

import polars as pl

from manyheads.reports.dense_gallery import DenseExhibit
from manyheads.reports.dense_plots import dense_training_curves, scores_over_eps
from manyheads.reports.dense_results import DenseResults, words
from manyheads.reports.dense_tables import DensePrinted, dense_table, task_table
from manyheads.reports.html import Picture, Section
from manyheads.reports.pair_matrix import Pairs, pair_table
from manyheads.reports.pair_plots import pair_figure
from manyheads.reports.plots import to_svg
from manyheads.reports.vulnerability_plots import accuracy_over_pixels, norm_over_pixels, norm_over_tasks

_THREATS = (
    "A single-task attack raises the loss of the main task alone; a multi-task attack raises the losses of all tasks "
    "at once. The attacker knows every weight."
)
_MAPS = (
    "The change is amplified by the factor below it; middle grey is no change. The three maps of a row share their "
    "colours. Striped pixels are unknown: no annotation, no value. Directions are shown as red, green and blue = "
    "(n + 1) / 2, with x to the right, y down, z away from the camera."
)


def dense_scores_section(
    results: DenseResults, *, mains: Sequence[str], printed: Mapping[str, DensePrinted] | None = None
) -> Section:
    """Make the section of each main task's score under every attack.

    Args:
        results: the scores.
        mains: the tasks, one table each.
        printed: a paper's numbers, by task.
    """
    known = printed or {}
    tables = [dense_table(results, main=main, printed=known.get(main)) for main in mains]
    return Section(title="Scores under attack", text=(_THREATS,), tables=tuple(tables))


def tasks_section(results: DenseResults, *, models: Sequence[str]) -> Section:
    """Make the section of every score of every task, one table per model."""
    return Section(title="All tasks", tables=tuple(task_table(results, model=model) for model in models))


def dense_eps_section(results: DenseResults, *, mains: Sequence[str]) -> Section | None:
    """Make the section of scores over the size of the perturbation; None where no attack has two sizes."""
    pictures = []
    for threat in results.threats:
        attacks = [one.attack for one in results.challenges(threat)]
        for attack in (name for name in dict.fromkeys(attacks) if attacks.count(name) > 1):
            for main in mains:
                figure = scores_over_eps(results, main=main, threat=threat, attack=attack)
                says = f"{words(main)} under {attack} ({threat}) over the size of the change, model by model."
                pictures.append(Picture(svg=to_svg(figure), says=says))
    if not pictures:
        return None
    text = "At 0 stands the clean image. Bands are the intervals of the tables."
    return Section(title="Over the size of the perturbation", text=(text,), pictures=tuple(pictures))


def vulnerability_section(
    *, pixels: pl.DataFrame | None = None, accuracy: pl.DataFrame | None = None, tasks: pl.DataFrame | None = None
) -> Section | None:
    """Make the section of gradient norms, measured and predicted; None where nothing was measured.

    Args:
        pixels: norms over the number of output pixels, as `manyheads.evaluation.pixel_curve` makes them.
        accuracy: accuracies over the same, as `manyheads.evaluation.pixel_accuracy` makes them.
        tasks: norms over the number of tasks, as `manyheads.evaluation.task_curve` makes them.
    """
    drawn = (
        (pixels, norm_over_pixels, "Norm of the gradient over the number of output pixels, measured and predicted."),
        (accuracy, accuracy_over_pixels, "Accuracy of the attacked pixels over their number."),
        (tasks, norm_over_tasks, "Norm of the joint gradient over the number of tasks, measured and predicted."),
    )
    pictures = [Picture(svg=to_svg(draw(table)), says=says) for table, draw, says in drawn if table is not None]
    if not pictures:
        return None
    text = (
        "The norm of the gradient is what a small perturbation can raise the loss by at most, to first order. The "
        "prediction follows from single gradients and their covariances. Lines are means over random subsets, bands "
        "reach from the lowest to the highest."
    )
    return Section(title="Vulnerability", text=(text,), pictures=tuple(pictures))


def pair_section(pairs: Pairs, *, printed: Pairs | None = None) -> Section:
    """Make the section of the pair matrix: the figure, and one table per evaluation in the order of `pairs`."""
    summaries = [pairs.summary(name) for name in pairs.evaluations]
    if printed is not None:
        summaries += [f"In the paper. {printed.summary(name)}" for name in printed.evaluations]
    picture = Picture(svg=to_svg(pair_figure(pairs, printed=printed)), says="; ".join(summaries), columns=2)
    tables = [pair_table(pairs, evaluation=name, printed=printed) for name in pairs.evaluations]
    return Section(title="Pairs of tasks", text=tuple(summaries), tables=tuple(tables), pictures=(picture,))


def dense_gallery_section(exhibits: Sequence[DenseExhibit]) -> Section | None:
    """Make the section of attacked frames with every head's maps; None where there are none."""
    return Section(title="Gallery", text=(_MAPS,), dense_exhibits=tuple(exhibits)) if exhibits else None


def dense_training_section(histories: Mapping[str, pl.DataFrame]) -> Section | None:
    """Make the section of training curves, one figure per model; None where there are none."""
    pictures = [
        Picture(svg=to_svg(dense_training_curves(history, title=model)), says=f"Losses and validation of {model}.")
        for model, history in histories.items()
    ]
    return Section(title="Training", pictures=tuple(pictures)) if pictures else None

"""Figures of dense models: a task's score over the size of the perturbation, and training curves."""

from collections.abc import Sequence
from math import ceil

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from manyheads.reports.cells import NOT_MEASURED, Cell
from manyheads.reports.dense_results import DenseResults, capital, words
from manyheads.reports.palette import dashes, house_style
from manyheads.reports.plots import draw_history, eps_axis
from manyheads.reports.results import Challenge

_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#000000")
_MARKERS = "os^DvPX"
_ACROSS = 3


@house_style()
def scores_over_eps(
    results: DenseResults, *, main: str, threat: str, attack: str, models: Sequence[str] | None = None
) -> Figure:
    """Draw one task's score over the size of the perturbation, from none: one line per model.

    Args:
        results: the scores.
        main: the task.
        threat: who attacks.
        attack: with which attack.
        models: the lines, in order; None for every model that has the task.

    Raises:
        ValueError: if this threat did not use the attack.

    Reference: Mao et al., ECCV 2020, Fig. 5. Differs from it in: intervals.
    """
    challenges = [one for one in results.challenges(threat) if one.attack == attack]
    if not challenges:
        raise ValueError(f"{threat} was not measured with {attack!r}; there is nothing to draw over eps")
    score = results.headline(main)
    measure = results.measure(main, score=score)
    figure = Figure(figsize=(5.2, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(capital(f"{words(main)}: {attack}, {threat} attack"), loc="left")
    for place, model in enumerate(models or results.having(main)):
        points = [(0.0, results.clean(model, task=main, score=score))]
        points += [(one.eps, _attacked(results, model, main=main, threat=threat, challenge=one)) for one in challenges]
        style = dashes(place) + _MARKERS[place % len(_MARKERS)]
        _line(axes, points, label=model, colour=_LINES[place % len(_LINES)], style=style)
    eps_axis(axes, [0.0, *(one.eps for one in challenges)], norm=challenges[0].norm)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(words(score) + (f", {measure.unit}" if measure.unit else ""))
    figure.legend(loc="outside lower center", ncols=4, fontsize=9)
    return figure


def _attacked(results: DenseResults, model: str, *, main: str, threat: str, challenge: Challenge) -> Cell:
    return results.attacked(model, task=main, score=results.headline(main), threat=threat, challenge=challenge)


def _line(axes: Axes, points: Sequence[tuple[float, Cell]], *, label: str, colour: str, style: str) -> None:
    """Draw the measured points with their band, in their unit; a line without any only stands in the legend."""
    known = [(size, cell) for size, cell in points if cell.value is not None]
    label = label if known else f"{label}: {NOT_MEASURED}"
    scale = points[0][1].measure.scale
    numbers = [scale * (cell.value or 0) for _, cell in known]
    axes.plot([size for size, _ in known], numbers, style, color=colour, label=label, markersize=4)
    banded = [(size, cell.low, cell.high) for size, cell in known if cell.low is not None and cell.high is not None]
    lows, highs = [scale * low for _, low, _ in banded], [scale * high for *_, high in banded]
    axes.fill_between([size for size, *_ in banded], lows, highs, color=colour, alpha=0.15, linewidth=0)


@house_style()
def dense_training_curves(history: pl.DataFrame, *, title: str) -> Figure:
    """Draw a training history: each task's loss first, then every validation measure in a panel of its own.

    Args:
        history: columns `epoch` (from 0), `phase` (`train` or `validation`), `measure` and `value`; measures may have
            any unit.
        title: what was trained.
    """
    measures = history.filter(phase="validation")["measure"].unique(maintain_order=True).to_list()
    rows = ceil((len(measures) + 1) / _ACROSS)
    figure = Figure(figsize=(3.1 * min(_ACROSS, len(measures) + 1), 2.6 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, min(_ACROSS, len(measures) + 1), squeeze=False).ravel().tolist()
    figure.suptitle(title, fontsize=11, fontweight="bold")
    draw_history(panels[0], history.filter(phase="train"), convert=float)
    panels[0].set_title("mean loss in training", fontsize=9, loc="left")
    for axes, measure in zip(panels[1:], measures, strict=False):
        draw_history(axes, history.filter(phase="validation", measure=measure), convert=float)
        axes.get_legend().remove()
        axes.set_title(f"validation: {words(measure)}", fontsize=9, loc="left")
    for axes in panels[len(measures) + 1 :]:
        axes.set_axis_off()
    return figure

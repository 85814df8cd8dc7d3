"""Figures of the pair matrix, coloured as the paper colours it."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from manyheads.reports.cells import NOT_MEASURED
from manyheads.reports.dense_results import words
from manyheads.reports.measures import CHANGE, three_digits
from manyheads.reports.pair_matrix import BASELINE, MEAN, Pairs, evaluation_label
from manyheads.reports.palette import house_style

_GREY, _EDGE = "#c9ced6", "#ffffff"
_COLOURS = "RdBu"
_LEAST_LIMIT = 5.0
_CELL = (0.5, 0.34)
_LABELS = (1.7, 1.5)


@house_style()
def pair_figure(pairs: Pairs, *, printed: Pairs | None = None) -> Figure:
    """Draw the matrix of each evaluation beside each other; below, a paper's, where it is given.

    Rows are main tasks, columns auxiliary tasks, cells the relative improvement in % over the model with the main task
    alone: blue is better, red is worse, grey is the task itself, hatched was not measured. All panels share the
    colours, which end at the 90th percentile of the changes' sizes. The first column is that model's score, the last
    column and the last row are means.

    Reference: Mao et al., ECCV 2020, Fig. 7. Differs from it in: the mean over main tasks, colours that end.
    """
    grids = [("this run", pairs)] + ([("the paper", printed)] if printed is not None else [])
    columns = max(len(one.evaluations) for _, one in grids)
    width = sum(_CELL[0] * (len(pairs.auxiliaries) + 2) + _LABELS[0] for _ in range(columns))
    height = sum(_CELL[1] * (len(one.mains) + 1) + _LABELS[1] for _, one in grids)
    figure = Figure(figsize=(width, height + 0.5), layout="constrained")
    panels = np.asarray(figure.subplots(len(grids), columns, squeeze=False))
    colours = _scale([gain for _, one in grids for name in one.evaluations for gain in one.gains(name)])
    for (source, one), line in zip(grids, panels, strict=True):
        for place, axes in enumerate(line):
            if place < len(one.evaluations):
                title = evaluation_label(one.evaluations[place]) + (f"\n{source}" if len(grids) > 1 else "")
                _draw(axes, one, evaluation=one.evaluations[place], title=title, colours=colours)
            else:
                axes.set_axis_off()
    bar = figure.colorbar(
        colours, ax=panels.ravel().tolist(), location="bottom", fraction=0.04, shrink=0.4, extend="both", aspect=40
    )
    bar.set_label("relative improvement over the main task alone, % (blue: better)", fontsize=9)
    return figure


def _scale(gains: Sequence[float]) -> ScalarMappable:
    """Colours around zero; a few extreme changes do not wash out all others."""
    limit = max(_LEAST_LIMIT, float(np.quantile(np.abs(gains), 0.9))) if gains else _LEAST_LIMIT
    return ScalarMappable(Normalize(-limit, limit), colormaps[_COLOURS])


def _draw(axes: Axes, pairs: Pairs, *, evaluation: str, title: str, colours: ScalarMappable) -> None:
    mains, auxiliaries = pairs.mains, pairs.auxiliaries
    last = len(auxiliaries) + 1
    names = []
    for row, main in enumerate(mains):
        value, unit = pairs.baseline(evaluation, main=main)
        _cell(axes, (0, row), text="" if value is None else three_digits(value), face="white")
        names.append(f"{words(main)} ({unit})" if unit else words(main))
        for column, auxiliary in enumerate(auxiliaries, start=1):
            if auxiliary == main:
                _cell(axes, (column, row), text="", face=_GREY)
            else:
                _gain(axes, (column, row), pairs.gain(evaluation, main=main, auxiliary=auxiliary), colours=colours)
        _gain(axes, (last, row), pairs.over_auxiliaries(evaluation, main=main), colours=colours)
    for column, auxiliary in enumerate(auxiliaries, start=1):
        _gain(axes, (column, len(mains)), pairs.over_mains(evaluation, auxiliary=auxiliary), colours=colours)
    gains = pairs.gains(evaluation)
    _gain(axes, (last, len(mains)), float(np.mean(gains)) if gains else None, colours=colours)
    _frame(axes, rows=[*names, MEAN], columns=[BASELINE, *map(words, auxiliaries), MEAN])
    better = sum(gain > 0 for gain in gains)
    said = f"{better} of {len(gains)} better, mean {CHANGE.write(float(np.mean(gains)))} %" if gains else NOT_MEASURED
    axes.set_title(f"{title}\n{said}", loc="left", fontsize=10)


def _gain(axes: Axes, place: tuple[int, int], gain: float | None, *, colours: ScalarMappable) -> None:
    if gain is None:
        _cell(axes, place, text="", face="white", hatch="////")
        return
    face = tuple(float(part) for part in colours.to_rgba(np.asarray([gain]))[0])
    light = float(np.dot(face[:3], (0.299, 0.587, 0.114))) > 0.5
    _cell(axes, place, text=CHANGE.write(gain), face=face, ink="black" if light else "white")


def _cell(
    axes: Axes,
    place: tuple[int, int],
    *,
    text: str,
    face: str | tuple[float, ...],
    ink: str = "black",
    hatch: str | None = None,
) -> None:
    column, row = place
    edge = "#9ca3af" if hatch else _EDGE
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=1))
    axes.text(
        column,
        row,
        text,
        ha="center",
        va="center",
        fontsize=8,
        color=ink,
    )


def _frame(axes: Axes, *, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Label the cells, and set the means and the baseline apart."""
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylabel("main task")
    axes.set_xlabel("trained together with")
    axes.axhline(len(rows) - 1.5, color="black", linewidth=1.2)
    for border in (0.5, len(columns) - 1.5):
        axes.axvline(border, color="black", linewidth=1.2)

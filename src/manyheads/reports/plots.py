"""Figures: bars with and without rejection, accuracy over the size of the perturbation, training curves."""

from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from math import isfinite

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from manyheads.reports.cells import EMPTY, NOT_MEASURED, Cell
from manyheads.reports.palette import colour, dashes, house_style, marker
from manyheads.reports.results import HEADLINE, Challenge, Results, eps_label
from manyheads.threats.knowledge import ADAPTIVE, GRAY, NOISE, TRANSFER

_BAR = 0.2
_SIZE = (5.2, 3.5)
_BARS = (
    (GRAY, "accuracy", "gray-box, no rejection"),
    (GRAY, "accepted_accuracy", "gray-box, accepted only"),
    (ADAPTIVE, "accuracy", "adaptive, no rejection"),
    (ADAPTIVE, "accepted_accuracy", "adaptive, accepted only"),
)


@house_style()
def rejection_bars(results: Results, challenge: Challenge, *, training: str) -> Figure:
    """Draw the main accuracy under one attack with and without rejection, gray-box and adaptive side by side.

    Per task combination: all images (pale), and only those accepted (full colour). Whiskers are 95 % intervals.

    Reference: Hyun & Park, IEEE Access 2024, Figs. 3 and 4. Differs from it in: the adaptive bars and the whiskers.
    """
    figure, axes = _panel(f"{training}: {challenge.label}")
    for place, (threat, score, label) in enumerate(_BARS):
        cells = [
            results.attacked(
                results.model(combination, training=training), challenge=challenge, threat=threat, score=score
            )
            for combination in results.combinations
        ]
        face = colour(threat, threats=results.threats)
        _draw_bars(axes, cells, offset=(place - 1.5) * _BAR, label=label, face=face, pale=score == "accuracy")
    labels = [combination.replace("+", "\n+") for combination in results.combinations]
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    _percent_axis(axes, "main accuracy, %")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    return figure


@house_style()
def accuracy_over_eps(
    results: Results, model: str, *, attack: str, norm: str, baseline: str | None = None, score: str = HEADLINE
) -> Figure:
    """Draw a score of a model over the size of the perturbation: one line per threat, with its 95 % interval.

    A dashed line shows the worst threat's score of `baseline`. Where the adaptive threat was not measured, the legend
    says so. Unbounded attacks have no place on the axis and are left out.

    Raises:
        ValueError: if this attack was not measured at any finite size.
    """
    found = [one for one in results.challenges if (one.attack, one.norm) == (attack, norm) and isfinite(one.eps)]
    challenges = sorted(found, key=lambda one: one.eps)
    if not challenges:
        raise ValueError(f"{attack!r} in {norm} was not measured at any finite eps; nothing can be drawn over eps")
    figure, axes = _panel(f"{model}: {attack}")
    for threat in _swept(results, challenges):
        points = [(one.eps, results.attacked(model, challenge=one, threat=threat, score=score)) for one in challenges]
        style = "-" + marker(threat, threats=results.threats)
        _draw_line(axes, points, label=threat, style=style, color=colour(threat, threats=results.threats))
    if baseline is not None:
        points = [(one.eps, results.lowest(baseline, challenge=one, score=score)) for one in challenges]
        _draw_line(axes, points, label=baseline, style="--", color="black")
    eps_axis(axes, [one.eps for one in challenges], norm=norm)
    _percent_axis(axes, f"{score.replace('_', ' ')}, %")
    figure.legend(loc="outside lower center", ncols=4, fontsize=9)
    return figure


def _swept(results: Results, challenges: Sequence[Challenge]) -> tuple[str, ...]:
    """Name the threats to draw over eps: blind ones only where they were measured at several sizes."""
    counted = Counter(threat for one in challenges for threat in results.threats_of(one))
    return tuple(threat for threat in results.threats if counted[threat] > 1 or threat not in {NOISE, TRANSFER})


@house_style()
def training_curves(history: pl.DataFrame, *, title: str) -> Figure:
    """Draw a training history: each task's loss on the left, the validation measures, in %, on the right.

    Args:
        history: columns `epoch` (from 0), `phase` (`train` or `validation`), `measure` and `value`; validation values
            are shares in [0, 1].
        title: what was trained.
    """
    figure = Figure(figsize=(6.2, 3.0), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    figure.suptitle(title, fontsize=11, fontweight="bold")
    draw_history(losses, history.filter(phase="train"), convert=lambda value: value)
    losses.set_ylabel("mean loss in training")
    losses.set_ylim(bottom=0)
    draw_history(accuracies, history.filter(phase="validation"), convert=lambda share: 100 * share)
    _percent_axis(accuracies, "validation, %")
    return figure


@house_style()
def to_svg(figure: Figure) -> bytes:
    """Write a figure as SVG with real text; the same figure gives the same bytes."""
    file = BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing)
    return file.getvalue()


@house_style()
def to_png(figure: Figure, *, dots_per_inch: int = 150) -> bytes:
    """Write a figure as PNG."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=dots_per_inch, metadata={"Software": "manyheads"})
    return file.getvalue()


def _panel(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    return figure, axes


def _percent_axis(axes: Axes, label: str) -> None:
    axes.set_ylim(0, 105)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel(label)


def _whiskers(cells: Sequence[Cell]) -> list[list[float]]:
    """Lengths below and above, in percent points; zero where a cell has no interval."""
    spans = [(cell.value or 0.0, cell.low, cell.high) for cell in cells]
    below = [0.0 if low is None else 100 * max(0.0, value - low) for value, low, _ in spans]
    above = [0.0 if high is None else 100 * max(0.0, high - value) for value, _, high in spans]
    return [below, above]


def _draw_bars(axes: Axes, cells: Sequence[Cell], *, offset: float, label: str, face: str, pale: bool) -> None:
    """Draw one bar per combination; where there is no number, say why in its place."""
    places = [place for place, cell in enumerate(cells) if cell.value is not None]
    known = [cells[place] for place in places]
    axes.bar(
        [place + offset for place in places],
        [100 * (cell.value or 0) for cell in known],
        width=0.9 * _BAR,
        label=label,
        color=(face, 0.35) if pale else face,
        edgecolor=face,
        yerr=_whiskers(known),
        error_kw={"ecolor": "#111827", "elinewidth": 1, "capsize": 2},
    )
    for place, cell in enumerate(cells):
        if cell.value is None:
            text = EMPTY if cell.n == 0 else NOT_MEASURED
            axes.text(place + offset, 2, text, rotation=90, ha="center", va="bottom", fontsize=8, color=face)


def _draw_line(axes: Axes, points: Sequence[tuple[float, Cell]], *, label: str, style: str, color: str) -> None:
    """Draw the measured points with their band; a line without any only stands in the legend."""
    known = [(size, cell) for size, cell in points if cell.value is not None]
    sizes = [size for size, _ in known]
    label = label if known else f"{label}: {NOT_MEASURED}"
    axes.plot(sizes, [100 * (cell.value or 0) for _, cell in known], style, color=color, label=label, markersize=5)
    banded = [(size, cell.low, cell.high) for size, cell in known if cell.low is not None and cell.high is not None]
    lows, highs = [100 * low for _, low, _ in banded], [100 * high for *_, high in banded]
    axes.fill_between([size for size, *_ in banded], lows, highs, color=color, alpha=0.15, linewidth=0)


def eps_axis(axes: Axes, sizes: Sequence[float], *, norm: str) -> None:
    """Put a tick at every size, and its number where there is room for it."""
    room = (sizes[-1] - sizes[0]) * 0.13
    labels, last = [], float("-inf")
    for size in sizes:
        labels.append(eps_label(size) if size - last >= room else "")
        last = size if labels[-1] else last
    axes.set_xticks(sizes, labels)
    axes.set_xlabel("largest change of a pixel (ε, L∞)" if norm == "Linf" else f"size of the change (ε, {norm})")


def draw_history(axes: Axes, rows: pl.DataFrame, *, convert: Callable[[float], float]) -> None:
    """Draw every measure of a history over its epochs, converted to what the axis shows."""
    for place, measure in enumerate(rows["measure"].unique(maintain_order=True)):
        lines = rows.filter(measure=measure).sort("epoch")
        epochs = [epoch + 1 for epoch in lines["epoch"]]
        axes.plot(
            epochs, [convert(value) for value in lines["value"]], dashes(place) + "o", label=measure, markersize=3
        )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(rows):
        axes.legend(fontsize=9)
    else:
        axes.text(0.5, 0.5, NOT_MEASURED, ha="center", va="center", transform=axes.transAxes, color="#6b7280")

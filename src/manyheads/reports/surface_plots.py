"""Figures of the loss around images: along the gradient, and across it."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from manyheads.reports.palette import house_style

_MAPS = 3
"""How many images have a map of their own."""

_LEVELS = 10


@house_style()
def loss_surfaces(surface: pl.DataFrame, *, title: str) -> Figure:
    """Draw the loss along the gradient for every image, and maps of it for the first three.

    On the left, thin lines are images; the broad ones are their means along the gradient and along a random direction.
    Where the gradient means anything, the first rises to the right faster than the second.

    Args:
        surface: as `manyheads.evaluation.loss_surface` makes it.
        title: the model.

    Raises:
        ValueError: if there is no image.
    """
    if not len(surface):
        raise ValueError("there is no image to draw the loss around; compute a surface of at least one example")
    images = surface["index"].unique(maintain_order=True).to_list()[:_MAPS]
    figure = Figure(figsize=(5.6 + 2.1 * len(images), 3.0), layout="constrained")
    panels = figure.subplots(1, 1 + len(images), width_ratios=[2.2, *[1] * len(images)], squeeze=False)[0]
    figure.suptitle(f"{title}: loss around clean images", fontsize=11, fontweight="bold")
    _draw_lines(panels[0], surface)
    for place, (axes, index) in enumerate(zip(panels[1:], images, strict=True)):
        _draw_map(axes, surface.filter(index=index), heading=f"image {index}", first=place == 0)
    return figure


def _draw_lines(axes: Axes, surface: pl.DataFrame) -> None:
    middle = surface["along"].abs().min()
    ahead = surface.filter(pl.col("across").abs() == middle).sort("along")
    aside = surface.filter(pl.col("along").abs() == middle).sort("across")
    for _, image in ahead.group_by("index", maintain_order=True):
        axes.plot(image["along"], image["loss"], color="#d55e00", alpha=0.3, linewidth=0.8)
    for rows, way, style, label in (
        (ahead, "along", "-", "mean, along the gradient"),
        (aside, "across", "--", "mean, random direction"),
    ):
        mean = rows.group_by(way, maintain_order=True).agg(pl.col("loss").mean())
        color = "#d55e00" if style == "-" else "#6b7280"
        axes.plot(mean[way], mean["loss"], style, color=color, linewidth=2.2, label=label)
    axes.set_xlabel("step, in units of ε")
    axes.set_ylabel("attacked loss")
    axes.legend(fontsize=8)


def _draw_map(axes: Axes, image: pl.DataFrame, *, heading: str, first: bool) -> None:
    grid = image.pivot(on="across", index="along", values="loss", sort_columns=False)
    steps = grid["along"].to_list()
    across = [float(name) for name in grid.columns[1:]]
    values = grid.drop("along").to_numpy().T
    if values.max() > values.min():
        axes.contourf(steps, across, values, levels=_LEVELS, cmap="cividis")
    else:
        axes.text(0.5, 0.5, "flat", ha="center", va="center", transform=axes.transAxes)
    axes.set_title(heading, fontsize=9)
    axes.grid(visible=False)
    axes.set_xlabel("along")
    axes.set_aspect("equal")
    if first:
        axes.set_ylabel("across")
    else:
        axes.set_yticks([])

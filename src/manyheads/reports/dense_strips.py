"""Strips: one head's maps of a frame beside each other: truth, prediction before and after the attack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from manyheads.reports.dense_maps import (
    Scale,
    balanced,
    classes_picture,
    directions_picture,
    hex_colour,
    image_picture,
    quantity_picture,
    spanning,
)
from manyheads.reports.dense_results import words
from manyheads.reports.gallery import png_uri
from manyheads.tasks.angular_metrics import angles

Maps = tuple[Tensor, Tensor, Tensor]
"""Truth, prediction before and after: classes (height, width), or floats (channels, height, width)."""

_COLOURS = {
    "depth": "viridis",
    "euclidean_depth": "viridis",
    **dict.fromkeys(("texture_edges", "occlusion_edges", "keypoints2d", "keypoints3d", "reshading"), "gray"),
}
_CHANNELS = {"curvature": ("larger", "smaller")}


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Three maps of one head beside each other, ready to be shown.

    Args:
        title: the task, in words.
        pictures: truth, prediction before and after, as data URIs.
        quality: how good both predictions are on this frame; empty where nothing is known.
        legend: names and colours of the classes that occur.
        scale: the colour bar of a quantity.
    """

    title: str
    pictures: tuple[str, str, str]
    quality: tuple[str, str]
    legend: tuple[tuple[str, str], ...] = ()
    scale: Scale | None = None


def strips(maps: Maps, *, task: str, names: Sequence[str] = (), unit: str = "") -> list[Strip]:
    """Draw one head's maps: classes, directions and images whole, quantities channel by channel.

    Args:
        maps: truth, prediction before and after, of one frame.
        task: name of the task; it decides how a map is drawn.
        names: names of the classes; one without is shown by number.
        unit: unit of a quantity.
    """
    if not maps[0].is_floating_point():
        return [_classes(maps, task=task, names=names)]
    truth, before, after = (one.float() for one in maps)
    maps = (truth, before, after)
    if task == "normals":
        return [Strip(title=words(task), pictures=_drawn(directions_picture, maps), quality=_both(_angle, maps))]
    if task == "autoencoding":
        return [Strip(title=words(task), pictures=_drawn(image_picture, maps), quality=_both(_error(unit), maps))]
    return [_quantity(maps, channel, task=task, unit=unit) for channel in range(len(truth))]


def _quantity(maps: Maps, channel: int, *, task: str, unit: str) -> Strip:
    shown = (maps[0][channel], maps[1][channel], maps[2][channel])
    if task == "curvature":
        scale = balanced(shown, colours="PuOr_r", unit=unit)
    else:
        scale = spanning(shown, colours=_COLOURS.get(task, "viridis"), unit=unit)
    names = _CHANNELS.get(task, tuple(str(number) for number in range(len(maps[0]))))
    title = words(task) + (f", {names[channel]}" if len(maps[0]) > 1 else "")
    pictures = _drawn(lambda one: quantity_picture(one, scale=scale), shown)
    return Strip(title=title, pictures=pictures, quality=_both(_error(unit), shown), scale=scale)


def _classes(maps: Maps, *, task: str, names: Sequence[str]) -> Strip:
    found = sorted({int(number) for one in maps for number in one.unique().tolist() if number >= 0})
    legend = tuple((names[number] if number < len(names) else str(number), hex_colour(number)) for number in found)
    return Strip(title=words(task), pictures=_drawn(classes_picture, maps), quality=_both(_right, maps), legend=legend)


def _drawn(draw: Callable[[Tensor], Tensor], maps: Maps) -> tuple[str, str, str]:
    truth, before, after = (png_uri(draw(one)) for one in maps)
    return truth, before, after


def _both(judge: Callable[[Tensor, Tensor], str], maps: Maps) -> tuple[str, str]:
    truth, before, after = maps
    return judge(before, truth), judge(after, truth)


def _right(predicted: Tensor, truth: Tensor) -> str:
    known = truth >= 0
    return f"{100 * float((predicted == truth)[known].float().mean()):.0f} % right" if known.any() else ""


def _angle(predicted: Tensor, truth: Tensor) -> str:
    known = truth.isfinite().all(0)
    found = angles(predicted[None], truth=truth[None])[0][known]
    return f"{float(found.mean()):.1f}° off" if known.any() else ""


def _error(unit: str) -> Callable[[Tensor, Tensor], str]:
    def judge(predicted: Tensor, truth: Tensor) -> str:
        known = truth.isfinite()
        error = float((predicted - truth)[known].abs().mean())
        return f"{error:.3g}{' ' * bool(unit)}{unit} off" if known.any() else ""

    return judge

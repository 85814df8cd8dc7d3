from itertools import product

import polars as pl
import pytest

from manyheads.reports import loss_surfaces, to_svg

STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def surface(count: int, *, slope: float = 2.0) -> pl.DataFrame:
    """Planes that rise along the gradient alone, each from its own height."""
    rows = [(10 + i, a, b, i + slope * a) for i, (a, b) in product(range(count), product(STEPS, STEPS))]
    return pl.DataFrame(rows, schema=["index", "along", "across", "loss"], orient="row")


def test_every_image_is_a_line_and_the_means_are_broad() -> None:
    lines = loss_surfaces(surface(5), title="m").axes[0].get_lines()
    assert len(lines) == 5 + 2
    assert list(lines[1].get_xdata()) == list(STEPS)
    assert list(lines[1].get_ydata()) == [1 + 2 * step for step in STEPS]
    ahead, aside = lines[5:]
    assert list(ahead.get_ydata()) == [2 + 2 * step for step in STEPS]
    assert list(aside.get_ydata()) == [2.0] * 5


def test_the_first_images_have_maps() -> None:
    figure = loss_surfaces(surface(5), title="m")
    assert [axes.get_title() for axes in figure.axes[1:]] == ["image 10", "image 11", "image 12"]
    assert len(loss_surfaces(surface(1), title="m").axes) == 2


def test_a_flat_surface_says_so() -> None:
    figure = loss_surfaces(surface(1, slope=0.0), title="m")
    assert [text.get_text() for text in figure.axes[1].texts] == ["flat"]


def test_the_same_surface_gives_the_same_figure() -> None:
    first, again, other = (to_svg(loss_surfaces(surface(2, slope=one), title="m")) for one in (1.0, 1.0, 2.0))
    assert first == again != other


def test_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no image to draw the loss around"):
        loss_surfaces(surface(1).clear(), title="m")

"""Attributes measure what they say, image by image."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manyheads.tasks import Attribute, Brightness, Colourfulness, Slant, balance

ATTRIBUTES = [Brightness((0.4, 0.5)), Colourfulness((0.4, 0.5)), Slant((-0.05, 0.05))]


def line(*, columns_per_row: float, size: int = 41) -> torch.Tensor:
    """A bright straight stroke through the middle, leaning right by so many columns per row upwards."""
    down = torch.arange(size) - size // 2
    image = torch.zeros(1, 1, size, size)
    image[0, 0, down + size // 2, (size // 2 - columns_per_row * down).round().long()] = 1.0
    return image


def test_brightness_is_the_mean_pixel() -> None:
    image = torch.tensor([[[[0.0, 1.0]], [[0.5, 0.1]]]])
    assert Brightness().measure(image).tolist() == pytest.approx([0.4])


def test_colourfulness_is_the_mean_spread_of_the_channels() -> None:
    image = torch.tensor([[[[0.0, 1.0]], [[0.5, 0.7]], [[0.2, 0.9]]]])
    assert Colourfulness().measure(image).tolist() == pytest.approx([(0.5 + 0.3) / 2])


def test_grey_has_no_colour() -> None:
    assert Colourfulness().measure(torch.rand(2, 1, 4, 4).expand(2, 3, 4, 4)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("lean", [-1.0, -0.5, 0.0, 0.25, 1.0])
def test_slant_is_the_lean_of_a_stroke(lean: float) -> None:
    assert Slant().measure(line(columns_per_row=lean)).item() == pytest.approx(lean, abs=0.02)


def test_slant_ignores_where_the_stroke_stands_and_how_bright_it_is() -> None:
    stroke = line(columns_per_row=0.5, size=21)
    moved = torch.nn.functional.pad(0.3 * stroke, (0, 9, 7, 0))
    assert Slant().measure(moved).item() == pytest.approx(Slant().measure(stroke).item(), abs=1e-4)


@pytest.mark.parametrize("row", range(9))
def test_an_image_without_height_stands_upright(row: int) -> None:
    image = torch.zeros(2, 1, 9, 9)
    image[0, 0, row] = torch.rand(9, generator=torch.Generator().manual_seed(row))
    assert Slant().measure(image).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: type(attribute).__name__)
def test_an_image_keeps_its_level_in_any_batch(attribute: Attribute) -> None:
    image = torch.rand(16, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    alone = [int(attribute(one[None])) for one in image]
    assert attribute(image).tolist() == alone
    assert set(alone) <= {0, 1, 2}
    assert len(set(alone)) > 1


@given(st.floats(0, 1, width=32))
def test_a_level_counts_the_thresholds_reached(pixel: float) -> None:
    level = Brightness((0.25, 0.5, 0.75))(torch.full((1, 1, 1, 1), pixel))
    assert level.tolist() == [math.floor(min(pixel, 0.99) * 4)]


def test_levels_are_named_by_their_bounds() -> None:
    assert Brightness((0.25, 0.5)).levels == ("brightness below 0.25", "brightness 0.25 to 0.5", "brightness from 0.5")


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_balanced_thresholds_spread_the_images_evenly(levels: int) -> None:
    image = torch.rand(60, 1, 2, 2, generator=torch.Generator().manual_seed(1))
    attribute = balance(Brightness(), image, levels=levels)
    assert attribute(image).bincount().tolist() == [60 // levels] * levels


@pytest.mark.parametrize("thresholds", [(), (0.5, 0.5), (0.6, 0.2), (float("nan"), 0.3)])
def test_thresholds_that_do_not_rise_are_refused(thresholds) -> None:
    with pytest.raises(ValueError, match="thresholds must be at least one number, rising"):
        Brightness(thresholds)


def test_one_channel_has_no_colour() -> None:
    with pytest.raises(ValueError, match="colourfulness needs images with several channels"):
        Colourfulness()(torch.zeros(2, 1, 3, 3))


def test_one_level_is_no_attribute() -> None:
    with pytest.raises(ValueError, match="at least 2 levels, got 1"):
        balance(Brightness(), torch.rand(4, 1, 2, 2), levels=1)


def test_equal_images_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="too much alike for 3 levels"):
        balance(Brightness(), torch.full((4, 1, 2, 2), 0.5), levels=3)

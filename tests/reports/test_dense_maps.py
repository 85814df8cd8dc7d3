import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manyheads.reports.dense_maps import (
    Scale,
    balanced,
    class_colour,
    classes_picture,
    directions_picture,
    hatched,
    hex_colour,
    image_picture,
    quantity_picture,
    spanning,
)

NAN = float("nan")
STRIPES = {(0.98, 0.86, 0.92), (0.76, 0.42, 0.6)}


def colours(picture):
    """Every colour that occurs."""
    return {tuple(round(part, 4) for part in pixel) for pixel in picture.flatten(1).T.tolist()}


def test_known_pixels_are_left_alone_and_unknown_ones_have_both_stripes():
    picture, known = torch.rand(3, 8, 8), torch.zeros(8, 8, dtype=torch.bool)
    known[:, :2] = True
    shown = hatched(picture, known=known)
    assert (shown[:, known] == picture[:, known]).all()
    assert colours(shown[:, :, 2:]) == STRIPES


def test_no_class_has_the_colour_of_a_stripe_or_of_another_class():
    chosen = [class_colour(number) for number in range(150)]
    assert len({hex_colour(number) for number in range(60)}) == 60
    assert len(set(chosen)) == 150
    distance = torch.cdist(torch.tensor(chosen), torch.tensor(sorted(STRIPES)))
    assert float(distance.min()) > 0.05


def test_classes_are_coloured_by_the_palette():
    picture = classes_picture(torch.tensor([[0, 2], [2, -1]]))
    assert picture[:, 0, 0].tolist() == pytest.approx(class_colour(0))
    assert picture[:, 1, 0].tolist() == pytest.approx(class_colour(2))
    assert colours(picture[:, 1:, 1:]) <= STRIPES


def test_a_map_without_any_known_class_is_all_stripes():
    assert colours(classes_picture(torch.full((6, 6), -1))) == STRIPES


def test_directions_are_brought_to_length_one():
    normal = torch.tensor([[0.0, 3.0], [0.0, 0.0], [-2.0, 0.0]])[:, None]
    assert torch.allclose(directions_picture(normal)[:, 0].T, torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.5, 0.5]]))


@pytest.mark.parametrize("draw", [directions_picture, image_picture])
def test_a_pixel_with_an_unknown_channel_is_unknown(draw):
    values = torch.ones(3, 6, 6)
    values[1] = NAN
    assert colours(draw(values)) == STRIPES


def test_an_image_is_cut_to_its_range():
    assert image_picture(torch.tensor([-1.0, 0.25, 2.0])[:, None, None]).flatten().tolist() == [0.0, 0.25, 1.0]


def test_quantities_run_through_the_colours():
    picture = quantity_picture(torch.tensor([[-5.0, 0.0, 1.0, 9.0]]), scale=Scale(low=0.0, high=1.0, colours="gray"))
    assert picture[0, 0].tolist() == pytest.approx([0.0, 0.0, 1.0, 1.0])


def test_an_unknown_quantity_is_never_shown_as_a_value():
    picture = quantity_picture(torch.full((6, 6), NAN), scale=Scale(low=0.0, high=1.0, colours="viridis"))
    assert colours(picture) == STRIPES


def test_a_scale_spans_the_truth_and_says_where_others_leave_it():
    scale = spanning([torch.tensor([[1.0, 3.0, NAN]]), torch.tensor([[0.5, 3.0, 2.0]])], colours="viridis", unit="m")
    assert (scale.low, scale.high, scale.ends) == (1.0, 3.0, ("≤ 1.00 m", "3.00 m"))
    assert scale.bar.startswith("data:image/png;base64,")


@pytest.mark.parametrize("truth", [[NAN, NAN], [2.0, 2.0]])
def test_a_flat_or_unknown_truth_takes_the_scale_of_all(truth):
    scale = spanning([torch.tensor([truth]), torch.tensor([[1.0, 4.0]])], colours="gray", unit="")
    assert (scale.low, scale.high, scale.ends) == (1.0, 4.0, ("1.00", "4.00"))


@pytest.mark.parametrize(("value", "ends"), [(NAN, (0.0, 1.0)), (2.0, (2.0, 3.0))])
def test_maps_without_any_range_have_a_scale(value, ends):
    scale = spanning([torch.full((2, 2), value)] * 3, colours="gray", unit="")
    assert (scale.low, scale.high) == ends


def test_a_balanced_scale_is_around_zero_and_leaves_extremes_out():
    truth = torch.cat([torch.linspace(-1, 1, 1000), torch.tensor([500.0])])[None]
    scale = balanced([truth, -truth, truth], colours="PuOr_r", unit="1/m")
    assert scale.low == -scale.high
    assert 0.9 < scale.high < 1.1
    assert scale.ends[1].startswith("≥ ")


@pytest.mark.parametrize("value", [NAN, 0.0])
def test_a_balanced_scale_of_nothing_is_that_of_one(value):
    scale = balanced([torch.full((2, 2), value)] * 3, colours="PuOr_r", unit="")
    assert (scale.low, scale.high) == (-1.0, 1.0)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=20))
def test_every_picture_is_one(values):
    one = torch.tensor([values])
    for make in (spanning, balanced):
        picture = quantity_picture(one, scale=make([one], colours="viridis", unit=""))
        assert picture.shape == (3, 1, len(values))
        assert ((picture >= 0) & (picture <= 1)).all()

"""Planes are fitted exactly, and not across the end of a surface."""

import numpy as np
import pytest
import torch
from torch import Tensor

from manyheads.tasks.neighbourhood import Neighbourhood

FOCAL = torch.tensor([[50.0, 60.0]])


def around(inverse_depth: Tensor, *, window: int = 5) -> Neighbourhood:
    return Neighbourhood(inverse_depth, FOCAL, window, 80.0)


@pytest.fixture
def flat() -> Tensor:
    return torch.full((1, 1, 9, 11), 0.5)


@pytest.mark.parametrize("window", [3, 5, 7])
def test_an_affine_field_is_fitted_exactly_up_to_the_border(flat: Tensor, window: int) -> None:
    row, column = torch.meshgrid(torch.arange(9.0), torch.arange(11.0), indexing="ij")
    field = torch.stack([2 + 0.5 * column - 0.25 * row, 3 * row])[None]
    value, across, down = around(flat, window=window).fit(field)
    torch.testing.assert_close(value, field)
    torch.testing.assert_close(across, torch.tensor([0.5, 0.0]).view(1, 2, 1, 1).expand_as(field))
    torch.testing.assert_close(down, torch.tensor([-0.25, 3.0]).view(1, 2, 1, 1).expand_as(field))


def test_the_fit_agrees_with_least_squares_by_numpy(flat: Tensor) -> None:
    rng = torch.Generator().manual_seed(0)
    field = torch.rand(1, 1, 9, 11, generator=rng)
    field[0, 0, 4, 5] = field[0, 0, 6, 7] = field[0, 0, 3, 3] = torch.nan
    fit = around(flat).fit(field)
    down, across = np.mgrid[-2:3, -2:3].reshape(2, -1)
    window = field[0, 0, 2:7, 4:9].numpy().ravel()  # around row 4, column 6
    known = ~np.isnan(window)
    design = np.stack([np.ones(25), across, down], axis=1)
    expected = np.linalg.lstsq(design[known], window[known])[0]
    assert [part[0, 0, 4, 6].item() for part in fit] == pytest.approx(expected, rel=1e-5)


def test_a_step_in_depth_is_not_stepped_across(flat: Tensor) -> None:
    flat[..., 5:] = 0.25
    field = torch.zeros_like(flat)
    field[..., 5:] = 7
    value, across, down = around(flat).fit(field)
    assert torch.equal(value, field)
    assert not across.any()
    assert not down.any()


def test_the_steepest_surface_does_not_depend_on_the_resolution() -> None:
    steep = (0.5 * (0.01 * torch.arange(40.0)).exp()).expand(1, 1, 9, 40)  # 1 percent per pixel: 27 degrees
    fine, coarse = steep, steep[..., ::2]
    kept = [
        Neighbourhood(each, FOCAL / factor, 3, slant).fit(each).across.isnan().all().item()
        for slant in (20.0, 35.0)
        for each, factor in ((fine, 1), (coarse, 2))
    ]
    assert kept == [True, True, False, False]


def test_what_is_unknown_stays_unknown_and_its_neighbours_do_without_it(flat: Tensor) -> None:
    flat[0, 0, 4, 5] = torch.nan
    value = around(flat).fit(flat).value
    assert torch.equal(value.isnan(), flat.isnan())


def test_too_little_around_or_all_on_a_line_is_unknown(flat: Tensor) -> None:
    lone, line = flat.clone(), flat.clone()
    lone[..., 3:] = lone[..., 2:, :] = torch.nan  # six pixels in the corner
    line[..., 1:] = torch.nan
    assert around(lone).fit(lone).value.isnan().all()
    assert around(line, window=3).fit(line).across.isnan().all()
    uneven = torch.rand(1, 1, 9, 11, generator=torch.Generator().manual_seed(0))
    diagonal = around(flat, window=3).fit(uneven.where(torch.eye(9, 11) == 1, torch.nan))
    assert diagonal.across.isnan().all()


def test_examples_do_not_see_each_other() -> None:
    depths = torch.rand(3, 1, 7, 8, generator=torch.Generator().manual_seed(0)) + 1
    focal = torch.tensor([[20.0, 20.0], [30.0, 10.0], [5.0, 9.0]])
    together = Neighbourhood(depths, focal, 3, 80.0).fit(depths).value
    alone = [Neighbourhood(depths[k : k + 1], focal[k : k + 1], 3, 80.0).fit(depths[k : k + 1]).value for k in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), equal_nan=True)


@pytest.mark.parametrize("window", [1, 4])
def test_a_window_without_a_middle_is_refused(flat: Tensor, window: int) -> None:
    with pytest.raises(ValueError, match=f"odd side of at least 3 pixels, got {window}"):
        around(flat, window=window)


@pytest.mark.parametrize("slant", [0.0, 90.0])
def test_a_surface_that_cannot_be_seen_is_refused(flat: Tensor, slant: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 90 degrees"):
        Neighbourhood(flat, FOCAL, 3, slant)

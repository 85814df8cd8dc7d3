"""Texture edges and key points agree with scikit-image and SciPy, and with what is drawn."""

from collections.abc import Mapping

import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.filters import sobel
from sklearn.metrics import roc_auc_score
from torch import Tensor

from manyheads.tasks import keypoints2d_of, texture_edges_of
from manyheads.tasks.texture import brightness_of


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))


def test_texture_edges_agree_with_scikit_image_inside_the_picture(image: Tensor) -> None:
    grey = brightness_of(image)
    smooth = gaussian_filter(grey[0, 0].double().numpy(), 1.3, mode="nearest")
    found = texture_edges_of(image, sigma=1.3, clip=1.0)[0, 0]
    expected = torch.from_numpy(sobel(smooth) / 2).float()
    torch.testing.assert_close(found[1:-1, 1:-1], expected[1:-1, 1:-1], rtol=1e-4, atol=1e-6)


def test_texture_edges_are_clipped_at_one(image: Tensor) -> None:
    raw, clipped = texture_edges_of(image, clip=1.0), texture_edges_of(image)
    torch.testing.assert_close(clipped, (raw / 0.08).clamp(max=1))
    assert clipped.max() == 1


def test_2d_keypoints_are_the_determinant_of_the_hessian(image: Tensor) -> None:
    grey = brightness_of(image)[0, 0].double().numpy()
    down, across, mixed = (
        gaussian_filter(grey, 1.5, order=order, mode="nearest") for order in ((2, 0), (0, 2), (1, 1))
    )
    expected = torch.from_numpy(abs(down * across - mixed**2) * 1.5**4).float()
    found = keypoints2d_of(image, scales=(1.5,), clip=1.0)[0, 0]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


def test_a_blob_has_the_documented_strength_at_its_middle() -> None:
    place = torch.arange(41.0) - 20
    bell = 0.3 * (-(place[:, None].square() + place.square()) / (2 * 2.4**2)).exp()
    found = keypoints2d_of(bell.view(1, 1, 41, 41), clip=1.0)[0, 0]
    assert found[20, 20].item() == pytest.approx(0.3**2 / 16, rel=0.02)
    assert found.argmax() == 20 * 41 + 20


def test_a_straight_edge_is_no_2d_keypoint() -> None:
    image = torch.zeros(1, 1, 20, 20)
    image[..., 10:] = 1
    assert keypoints2d_of(image).max() < 0.02
    assert texture_edges_of(image, clip=1.0)[0, 0, 10].argmax() in (9, 10)


def test_edges_and_keypoints_find_those_of_drawn_rooms(rooms: Mapping[str, Tensor]) -> None:
    edges, keypoints = texture_edges_of(rooms["image"]), keypoints2d_of(rooms["image"])
    assert roc_auc_score(rooms["texture_edges"].flatten() > 0, edges.flatten()) > 0.9
    assert roc_auc_score(rooms["keypoints2d"].flatten() > 0.5, keypoints.flatten()) > 0.85


def test_an_image_of_one_colour_has_neither(image: Tensor) -> None:
    flat = torch.full_like(image, 0.4)
    assert texture_edges_of(flat).max() < 1e-5
    assert keypoints2d_of(flat).max() < 1e-5


def test_brightness_weighs_colours_as_the_eye_does() -> None:
    primaries = torch.eye(3).view(3, 3, 1, 1)
    assert brightness_of(primaries).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
    grey = torch.rand(1, 1, 2, 2)
    assert torch.equal(brightness_of(grey), grey)


def test_an_image_of_two_channels_has_no_brightness() -> None:
    with pytest.raises(ValueError, match="an image of 1 or 3 channels, got 2"):
        brightness_of(torch.zeros(1, 2, 3, 3))

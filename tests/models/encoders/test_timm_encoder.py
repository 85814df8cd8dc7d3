"""timm's networks serve as encoders where timm is installed, and say what is missing where it is not."""

import importlib

import pytest
import torch

from manyheads.models import DenseResNet18, MultiTaskModel, PixelDecoder, TimmEncoder


@pytest.fixture
def timm():
    """The library; it skips where it is absent, or where torchvision, which it imports, was built for another torch."""
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"timm cannot be imported: {error}")


@pytest.mark.usefixtures("timm")
@pytest.mark.parametrize(
    ("name", "stage", "features", "stride", "options"),
    [
        ("resnet18", -1, 512, 32, {}),
        ("resnet18", 1, 64, 4, {"in_chans": 1}),
        ("mobilenetv3_small_100", -1, 576, 32, {}),
        ("swin_tiny_patch4_window7_224", 1, 192, 8, {"img_size": (64, 96)}),
    ],
)
def test_the_map_has_the_features_and_stride_that_the_encoder_says(name, stage, features, stride, options) -> None:
    encoder = TimmEncoder(name, stage=stage, **options).eval()
    assert (encoder.features, encoder.stride) == (features, stride)
    image = torch.rand(2, options.get("in_chans", 3), 64, 96)
    assert encoder(image).shape == (2, features, 64 // stride, 96 // stride)


@pytest.mark.usefixtures("timm")
def test_the_second_opinion_on_resnet18_has_as_many_parameters() -> None:
    ours, theirs = DenseResNet18(), TimmEncoder("resnet18")
    assert sorted(p.shape for p in ours.parameters()) == sorted(p.shape for p in theirs.parameters())


@pytest.mark.usefixtures("timm")
def test_the_encoder_serves_in_a_model_with_its_own_normalisation() -> None:
    encoder = TimmEncoder("resnet18", stage=2)
    heads = {"depth": PixelDecoder(encoder.features, channels=1, scale=encoder.stride)}
    model = MultiTaskModel(encoder, heads, mean=encoder.mean, std=encoder.std)
    assert model(torch.rand(2, 3, 32, 32))["depth"].shape == (2, 1, 32, 32)
    assert encoder.mean == (0.485, 0.456, 0.406)


@pytest.mark.usefixtures("timm")
def test_an_image_with_odd_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32, got 64×90"):
        TimmEncoder("resnet18")(torch.rand(1, 3, 64, 90))


@pytest.mark.parametrize("failure", [ImportError("No module named 'timm'"), RuntimeError("operator does not exist")])
def test_a_missing_library_names_the_extra(monkeypatch, failure: Exception) -> None:
    def absent(name: str, *_others: object, **_named: object) -> None:
        assert name == "timm"
        raise failure

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ImportError, match=rf"import failed \({failure}\); pip install 'manyheads\[timm\]'"):
        TimmEncoder("resnet18")

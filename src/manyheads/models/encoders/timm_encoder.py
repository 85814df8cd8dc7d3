"""Any of timm's networks as an encoder of dense tasks."""

import importlib
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.stride import check_sides
from manyheads.types import Image


class TimmEncoder(nn.Module):
    """One feature map of a network of the `timm` library; needs the extra of that name.

    Its `stride` says by how much the map is coarser than the image, so which decoder fits. Published weights were
    trained on normalised pixels: hand `mean=encoder.mean, std=encoder.std` to `MultiTaskModel`.

    Args:
        name: of the network, as `timm.list_models()` has it.
        stage: which of its feature maps to return; -1 is the last and coarsest, 0 the finest.
        options: handed on to `timm.create_model`, such as `pretrained=True` or `in_chans=1`. Networks that take one
            image size only are told it here (`img_size=(height, width)`).

    Raises:
        ImportError: if timm cannot be imported.

    Reference: Wightman, PyTorch Image Models, https://github.com/huggingface/pytorch-image-models.
    """

    stride: int
    features: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __init__(self, name: str, *, stage: int = -1, **options: Any) -> None:  # noqa: ANN401 (they are timm's)
        super().__init__()
        self.backbone = _timm().create_model(name, features_only=True, out_indices=(stage,), **options)
        (self.stride,) = self.backbone.feature_info.reduction()
        (self.features,) = self.backbone.feature_info.channels()
        self.mean = tuple(self.backbone.pretrained_cfg["mean"])
        self.std = tuple(self.backbone.pretrained_cfg["std"])
        self._channels_come_last = getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"

    def forward(self, image: Image) -> Float[Tensor, "batch features map_height map_width"]:
        """Return the feature map.

        Raises:
            ValueError: if a side of the image is no multiple of the map's stride.
        """
        check_sides(image, stride=self.stride)
        (features,) = self.backbone(image)
        return features.movedim(-1, 1) if self._channels_come_last else features


def _timm() -> Any:  # noqa: ANN401 (a module of a library that may be absent)
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:  # torchvision, which timm imports, fails so beside a torch not its own
        raise ImportError(
            f"TimmEncoder needs timm, whose import failed ({error}); pip install 'manyheads[timm]', "
            "with a torchvision built for this torch"
        ) from error

"""Wide residual networks."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.types import Image


class PreActivationBlock(nn.Module):
    """Two times batch-norm, ReLU, 3×3 convolution, added to the input.

    Where shapes differ, the input passes the first batch-norm and ReLU, then a 1×1 convolution.

    Args:
        before: channels of the input.
        after: channels of the output.
        stride: by how much the first convolution shrinks the image.
    """

    def __init__(self, *, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.activation = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU())
        self.path = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
        )
        self.projection = nn.Conv2d(before, after, 1, stride=stride, bias=False) if before != after else None

    def forward(
        self, image: Float[Tensor, "batch before height width"]
    ) -> Float[Tensor, "batch after height_after width_after"]:
        """Return the sum of path and shortcut."""
        active = self.activation(image)
        shortcut = image if self.projection is None else self.projection(active)
        return self.path(active) + shortcut


class WideResNet(nn.Module):
    """A wide residual network for images of about 32 pixels, WRN-`depth`-`widen`; by default WRN-34-10, 640 features.

    Args:
        channels: of the image.
        depth: number of layers, 4 more than a multiple of 6.
        widen: how many times wider than 16, 32 and 64 channels the three stages are.

    Raises:
        ValueError: if there is no network of this depth.

    Reference: Zagoruyko & Komodakis, BMVC 2016, without dropout; convolutions are initialised by He's normal rule
    (fan-out).
    """

    features: int

    def __init__(self, channels: int = 3, *, depth: int = 34, widen: int = 10) -> None:
        super().__init__()
        if depth < 10 or depth % 6 != 4:
            raise ValueError(f"a wide ResNet's depth is 10, 16, 22, 28, 34 ..., got {depth}")
        self.features = 64 * widen
        self.stem = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        blocks: list[nn.Module] = []
        before = 16
        for stage in range(3):
            after = 16 * 2**stage * widen
            for block in range((depth - 4) // 6):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(PreActivationBlock(before=before, after=after, stride=stride))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Image) -> Float[Tensor, "batch features"]:
        """Return the features of each image, of any size."""
        return self.pool(self.blocks(self.stem(image)))

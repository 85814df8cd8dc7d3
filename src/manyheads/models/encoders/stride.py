"""The check of encoders whose maps must line up with the image again after decoding."""

from manyheads.types import Image


def check_sides(image: Image, *, stride: int) -> None:
    """Refuse images whose sides the encoder cannot divide without a rest.

    Args:
        image: what the encoder is given.
        stride: how many pixels apart two neighbours of the encoder's coarsest map are.

    Raises:
        ValueError: if height or width is no multiple of `stride`.
    """
    height, width = image.shape[2:]
    if height % stride or width % stride:
        fitting = f"{_below(height, stride=stride)}×{_below(width, stride=stride)}"
        raise ValueError(
            f"this encoder shrinks the image {stride} times, so both sides must be multiples of {stride}, "
            f"got {height}×{width}; crop or resize it, to {fitting} for example"
        )


def _below(side: int, *, stride: int) -> int:
    return max(side - side % stride, stride)

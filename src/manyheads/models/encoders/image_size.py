"""The check of encoders that end in linear layers and so fit one image size only."""

from manyheads.types import Image


def check_size(image: Image, *, size: int) -> None:
    """Refuse images of another size.

    Raises:
        ValueError: if height or width is not `size`.
    """
    if tuple(image.shape[2:]) != (size, size):
        found = "×".join(str(side) for side in image.shape[2:])
        raise ValueError(
            f"this encoder was built for {size}×{size} pixels, got {found}; resize, or build it with size="
        )

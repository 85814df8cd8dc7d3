"""NYU Depth V2: indoor scenes, seen by a Kinect."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from manyheads.data.errors import part, wrong
from manyheads.data.files import images_in
from manyheads.data.frame_files import (
    EIGHT_BITS,
    SIXTEEN_BITS,
    UNKNOWN_CLASS,
    Size,
    StreamedFrames,
    nearest,
    read_numbers,
    read_picture,
    resized_intrinsics,
)
from manyheads.data.frames import hold
from manyheads.data.source import Source

CLASSES_40 = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture", "counter",
    "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor mat", "clothes", "ceiling", "books",
    "refridgerator", "television", "paper", "towel", "shower curtain", "box", "whiteboard", "person", "night stand",
    "toilet", "sink", "lamp", "bathtub", "bag", "otherstructure", "otherfurniture", "otherprop",
)  # fmt: skip
"""The 40 classes of Gupta et al., CVPR 2013, in the order of their numbers, in their spelling."""

CLASSES_13 = (
    "bed", "books", "ceiling", "chair", "floor", "furniture", "objects", "picture", "sofa", "table", "tv", "wall",
    "window",
)  # fmt: skip
"""The 13 classes of Couprie et al., ICLR 2013, in alphabetical order."""

_INTO_13 = (
    "wall", "floor", "furniture", "bed", "chair", "sofa", "table", "wall", "window", "furniture", "picture",
    "furniture", "window", "table", "furniture", "window", "furniture", "objects", "objects", "floor", "objects",
    "ceiling", "books", "furniture", "tv", "objects", "objects", "objects", "objects", "objects", "objects",
    "furniture", "objects", "objects", "objects", "objects", "objects", "objects", "furniture", "objects",
)  # fmt: skip

KINECT = (518.8579, 519.4696, 325.5824, 253.7362)
"""Focal lengths and centre (fx, fy, cx, cy) of the colour camera for 640×480 pixels, from the authors' toolbox."""

_KINECT_SIZE = (480, 640)
_DEPTH_UNIT = 0.01
_ORIGIN = "cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html (nyu_depth_v2_labeled.mat, written out frame by frame)"


_FOLDERS = ("image", "label40", "depth")


class _Record(NamedTuple):
    image: Path
    classes: Path
    depth: Path


def nyuv2(
    root: Path, *, split: Literal["train", "test"], classes: Literal[13, 40] = 13, size: Size | None = None
) -> Source:
    """Read NYU Depth V2's labelled frames: 795 and 654 of indoor scenes, all decoded into memory.

    Annotations: `segmentation`, -1 where nothing is labelled; `depth` in metres, NaN where unknown; `intrinsics` (fx,
    fy, cx, cy in pixels). Images are resized bilinearly; classes and depths are picked, never mixed.

    Args:
        root: the folder that holds `train` and `val` (the official split's test frames), each with `image`, `label40`
            and `depth`, or one that holds it as `nyuv2`. `label40` has the 40 classes from 1, 0 for none; `depth` has
            centimetres in 16 bits, 0 for unknown. The frames are whole ones, of 640×480 pixels or evenly smaller.
        split: which split.
        classes: the 40 classes, or their 13 groups.
        size: height and width in pixels to which frames are resized; None to keep the first one's.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
        ValueError: if there is no such split, or there are no such classes.
    """
    base = Path(root) / "nyuv2" if (Path(root) / "nyuv2").is_dir() else Path(root)
    folder = base / part({"train": "train", "test": "val"}, name=split)
    names = part({"13": CLASSES_13, "40": CLASSES_40}, name=str(classes))
    numbers = part({"13": [CLASSES_13.index(name) for name in _INTO_13], "40": list(range(40))}, name=str(classes))
    records = _list(folder)
    wanted = size or read_picture(records[0].image, size=None).file_size
    read = _Reader(torch.tensor([UNKNOWN_CLASS, *numbers]), wanted)
    return hold(StreamedFrames(records, read, class_names=names, size=wanted))


@dataclass(frozen=True, eq=False)
class _Reader:
    """Decodes frames; `table` has the class of every number in the files."""

    table: Int64[Tensor, " numbers"]
    size: Size

    def __call__(self, record: _Record) -> dict[str, Tensor]:
        """Decode one."""
        picture = read_picture(record.image, size=self.size)
        depth = read_numbers(record.depth, modes=SIXTEEN_BITS, size=picture.file_size, origin=_ORIGIN)
        classes = read_numbers(record.classes, modes=EIGHT_BITS, size=picture.file_size, origin=_ORIGIN)
        if int(classes.max()) >= len(self.table):
            wanted = f"numbers 0 to {len(self.table) - 1}"
            raise wrong(record.classes, wanted=wanted, found=f"up to {int(classes.max())}", origin=_ORIGIN)
        return {
            "image": picture.image,
            "segmentation": self.table[nearest(classes, size=self.size)],
            "depth": nearest(torch.where(depth > 0, depth * _DEPTH_UNIT, torch.nan), size=self.size)[None],
            "intrinsics": resized_intrinsics(KINECT, old=_KINECT_SIZE, new=self.size),
        }


def _list(folder: Path) -> list[_Record]:
    """List a split's frames, by number."""
    found = {name: images_in(folder / name) for name in _FOLDERS}
    frames = {name: {path.stem: path for path in paths} for name, paths in found.items()}
    if not frames["image"]:
        raise wrong(folder / "image", wanted="the images of this split", found="none", origin=_ORIGIN)
    for name, paths in frames.items():
        odd = sorted(paths.keys() ^ frames["image"].keys())
        if odd:
            found_here = f"{len(odd)} of them there or here alone, such as {odd[0]}"
            raise wrong(folder / name, wanted="the frames of image, by name", found=found_here, origin=_ORIGIN)
    return [_Record(*(frames[name][stem] for name in _FOLDERS)) for stem in sorted(frames["image"])]

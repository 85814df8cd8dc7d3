"""Cityscapes: street scenes, seen by a stereo camera on a car."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float32, Int64
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
from manyheads.data.source import Source

STREET_CLASSES = {
    "road": 7, "sidewalk": 8, "building": 11, "wall": 12, "fence": 13, "pole": 17, "traffic light": 19,
    "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23, "person": 24, "rider": 25, "car": 26, "truck": 27,
    "bus": 28, "train": 31, "motorcycle": 32, "bicycle": 33,
}  # fmt: skip
"""The 19 classes of the benchmark, in the order of their labels, with their numbers in the files (`labelIds`)."""

StreetAnnotation = Literal["segmentation", "disparity", "depth", "intrinsics"]
"""What frames of Cityscapes are annotated with."""

_ORIGIN = "www.cityscapes-dataset.com (leftImg8bit, gtFine, disparity, camera)"
_NUMBERS = 34
_ENDINGS = {"gtFine": "gtFine_labelIds.png", "disparity": "disparity.png", "camera": "camera.json"}
_NEEDS = {
    "segmentation": {"gtFine"},
    "disparity": {"disparity"},
    "depth": {"disparity", "camera"},
    "intrinsics": {"camera"},
}


class _Record(NamedTuple):
    image: Path
    city: str

    def beside(self, kind: str) -> Path:
        """Name the file of another kind of the same frame."""
        split = self.image.parents[1]
        name = self.image.name.removesuffix("leftImg8bit.png") + _ENDINGS[kind]
        return split.parents[1] / kind / split.name / self.city / name


def cityscapes(
    root: Path,
    *,
    split: Literal["train", "val"],
    annotations: Collection[StreetAnnotation] | None = None,
    size: Size = (336, 680),
) -> Source:
    """Read Cityscapes: 2975 and 500 finely labelled frames of 1024×2048 pixels, decoded whenever they are asked for.

    Annotations: `segmentation`, -1 where the benchmark ignores; `disparity` in pixels of the full-sized frame, NaN
    where unknown; `depth` in metres, which is baseline * fx / disparity, NaN where that is unknown or zero;
    `intrinsics` (fx, fy, cx, cy in pixels of the resized frame). Images are resized bilinearly; the others are picked,
    never mixed. Frames of one city are a group.

    Args:
        root: the folder that holds `leftImg8bit`, and `gtFine`, `disparity` and `camera` as far as they are needed, or
            one that holds it as `cityscapes`.
        split: which split; the test frames' labels are not published.
        annotations: which; None for all whose folders are there (`camera` and `disparity` give the depth).
        size: height and width in pixels to which frames are resized; as in the paper, it may change their shape.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
        ValueError: if there is no such split or annotation.
    """
    base = Path(root) / "cityscapes" if (Path(root) / "cityscapes").is_dir() else Path(root)
    folder = base / "leftImg8bit" / part({"train": "train", "val": "val"}, name=split)
    records = [_Record(path, city.name) for city in _cities(folder) for path in images_in(city)]
    strange = [record.image for record in records if not record.image.name.endswith("_leftImg8bit.png")]
    if strange or not records:
        found = strange[0].name if strange else "none"
        raise wrong(folder, wanted="images CITY/*_leftImg8bit.png", found=found, origin=_ORIGIN)
    if annotations is None:
        there = {kind for kind in _ENDINGS if (base / kind).is_dir()}
        asked = tuple(name for name, kinds in _NEEDS.items() if kinds <= there)
    else:
        asked = tuple(dict.fromkeys(annotations))
    needed = set[str]().union(*(part(_NEEDS, name=name) for name in asked))
    missing = [path for record in records for kind in sorted(needed) if not (path := record.beside(kind)).is_file()]
    if missing:
        found = f"no such file ({len(missing)} are missing in all)"
        raise wrong(missing[0], wanted=f"a file for {', '.join(asked)}", found=found, origin=_ORIGIN)
    cities = sorted({record.city for record in records})
    groups = [cities.index(record.city) for record in records]
    return StreamedFrames(records, _Reader(asked, size), class_names=tuple(STREET_CLASSES), size=size, groups=groups)


def _cities(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


@dataclass(frozen=True)
class _Reader:
    """Decodes frames with what is asked for."""

    annotations: tuple[str, ...]
    size: Size

    def __call__(self, record: _Record) -> dict[str, Tensor]:
        """Decode one."""
        picture = read_picture(record.image, size=self.size)
        made = {name: _MAKERS[name](record, old=picture.file_size, new=self.size) for name in self.annotations}
        return {"image": picture.image, **made}


def _segmentation(record: _Record, *, old: Size, new: Size) -> Int64[Tensor, "height width"]:
    path = record.beside("gtFine")
    numbers = read_numbers(path, modes=EIGHT_BITS, size=old, origin=_ORIGIN)
    if int(numbers.max()) >= _NUMBERS:
        wanted = f"numbers 0 to {_NUMBERS - 1} (labelIds)"
        raise wrong(path, wanted=wanted, found=f"up to {int(numbers.max())}", origin=_ORIGIN)
    table = torch.full((_NUMBERS,), UNKNOWN_CLASS)
    table[list(STREET_CLASSES.values())] = torch.arange(len(STREET_CLASSES))
    return table[nearest(numbers, size=new)]


def _disparity(record: _Record, *, old: Size, new: Size) -> Float32[Tensor, "1 height width"]:
    """In the files it is 256 times the disparity, and 1 more; 0 is unknown."""
    numbers = read_numbers(record.beside("disparity"), modes=SIXTEEN_BITS, size=old, origin=_ORIGIN)
    return nearest(torch.where(numbers > 0, (numbers - 1) / 256, torch.nan), size=new)[None]


def _depth(record: _Record, *, old: Size, new: Size) -> Float32[Tensor, "1 height width"]:
    camera, disparity = _camera(record), _disparity(record, old=old, new=new)
    return torch.where(disparity > 0, camera.baseline * camera.intrinsics[0] / disparity, torch.nan)


def _intrinsics(record: _Record, *, old: Size, new: Size) -> Float32[Tensor, "4"]:
    return resized_intrinsics(_camera(record).intrinsics, old=old, new=new)


_MAKERS = {"segmentation": _segmentation, "disparity": _disparity, "depth": _depth, "intrinsics": _intrinsics}


class _Camera(NamedTuple):
    """Metres between the two eyes, and the left one's fx, fy, cx, cy in pixels of the full-sized frame."""

    baseline: float
    intrinsics: tuple[float, float, float, float]


def _camera(record: _Record) -> _Camera:
    path = record.beside("camera")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        inner = content["intrinsic"]
        fx, fy, cx, cy = (float(inner[name]) for name in ("fx", "fy", "u0", "v0"))
        return _Camera(float(content["extrinsic"]["baseline"]), (fx, fy, cx, cy))
    except (KeyError, TypeError, ValueError) as error:
        wanted = "JSON with intrinsic fx, fy, u0, v0 and extrinsic baseline"
        raise wrong(path, wanted=wanted, found=f"something else ({error!r})", origin=_ORIGIN) from error

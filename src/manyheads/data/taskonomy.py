"""Taskonomy: indoor scenes, rendered from scans of buildings, with an annotation for every task."""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from manyheads.data.errors import part, wrong
from manyheads.data.frame_files import Size, StreamedFrames, read_picture
from manyheads.data.source import Source
from manyheads.data.taskonomy_planes import DECODERS, MASKED, ORIGIN, unknown_depth

INDOOR_CLASSES = (
    "background", "bottle", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "microwave",
    "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase",
)  # fmt: skip
"""The 17 classes: those of COCO that were looked for, and none of them."""

IndoorAnnotation = Literal[
    "segmentation", "depth", "euclidean_depth", "normal", "texture_edges", "occlusion_edges", "keypoints2d",
    "keypoints3d", "curvature", "reshading",
]  # fmt: skip
"""What frames of Taskonomy are annotated with."""

_FOLDERS = {
    "segmentation": "segment_semantic",
    "depth": "depth_zbuffer",
    "euclidean_depth": "depth_euclidean",
    "normal": "normal",
    "texture_edges": "edge_texture",
    "occlusion_edges": "edge_occlusion",
    "keypoints2d": "keypoints2d",
    "keypoints3d": "keypoints3d",
    "curvature": "principal_curvature",
    "reshading": "reshading",
}
_MASKS = ("depth_euclidean", "depth_zbuffer")
_NAME = re.compile(r"point_(\d+)_view_(\d+)_domain_\w+\.png")


class _Record(NamedTuple):
    image: Path
    files: dict[str, Path]
    depth: Path | None


def taskonomy(
    root: Path, *, buildings: Collection[str], annotations: Collection[IndoorAnnotation], size: Size = (256, 256)
) -> Source:
    """Read frames of Taskonomy, 512×512 pixels in the files, decoded whenever they are asked for.

    Depths are metres, `curvature` is in a unit of the data set's own (`taskonomy_planes.FLAT`), edges and key points
    are scaled and clipped to 0 to 1 as in the paper (`taskonomy_planes.FULL_SCALE`; the paper goes on to -1 to 1, and
    blurs occlusion edges). What is unknown is NaN, or -1 in `segmentation`; annotations of shape are unknown wherever
    the depth is, which is read for that. Images and heat maps are resized bilinearly, the others picked, never mixed.
    Frames of one building are a group.

    Args:
        root: the folder of the files `FOLDER/BUILDING/point_P_view_V_domain_D.png`, where the folder is `rgb`,
            `depth_zbuffer`, `normal` ...; or `FOLDER/taskonomy/BUILDING/...`, or `BUILDING/FOLDER/...`; or one that
            holds it as `taskonomy`.
        buildings: the names of the buildings; `split_buildings` reads them from the official tables.
        annotations: which; only their files are read, and depths as a mask.
        size: height and width in pixels to which frames are resized.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
        ValueError: if there is no such annotation, or no building is asked for.
    """
    asked = {name: part(_FOLDERS, name=name) for name in annotations}
    if not buildings:
        raise ValueError("at least one building is needed, got none")
    base = Path(root) / "taskonomy" if (Path(root) / "taskonomy").is_dir() else Path(root)
    records: list[_Record] = []
    groups: list[int] = []
    for number, building in enumerate(sorted(set(buildings))):
        records += _list(base, building, asked=asked)
        groups += [number] * (len(records) - len(groups))
    return StreamedFrames(records, _Reader(size), class_names=INDOOR_CLASSES, size=size, groups=groups)


def split_buildings(table: Path, *, split: Literal["train", "val", "test"]) -> tuple[str, ...]:
    """Names of the buildings of one split, from one of the official tables, such as `train_val_test_tiny.csv`.

    Args:
        table: the file, with the columns id, train, val and test, of which each row has a 1 in one.
        split: which split.

    Raises:
        DataError: if the table is missing or of another form.
        ValueError: if there is no such split.
    """
    column = part({"train": "train", "val": "val", "test": "test"}, name=split)
    try:
        with Path(table).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise wrong(table, wanted="a table of splits", found="no such file", origin=ORIGIN) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise wrong(table, wanted="a table in text", found=f"something else ({error})", origin=ORIGIN) from error
    names = tuple(row["id"] for row in rows if {"id", column} <= row.keys() and row[column] == "1")
    if not names:
        found = f"the columns {', '.join(map(str, rows[0]))}, and no such row" if rows else "no rows"
        raise wrong(table, wanted=f"the columns id and {column}, and rows with 1 there", found=found, origin=ORIGIN)
    return names


@dataclass(frozen=True)
class _Reader:
    """Decodes frames."""

    size: Size

    def __call__(self, record: _Record) -> dict[str, Tensor]:
        """Decode one."""
        picture = read_picture(record.image, size=self.size)
        old, new = picture.file_size, self.size
        entries = {name: DECODERS[name](path, old=old, new=new) for name, path in record.files.items()}
        if record.depth is not None:
            unknown = unknown_depth(record.depth, old=old, new=new)
            for name in MASKED & entries.keys():
                entries[name] = entries[name].masked_fill(unknown, torch.nan)
        return {"image": picture.image, **entries}


def _list(base: Path, building: str, *, asked: dict[str, str]) -> list[_Record]:
    """List a building's frames with their files, by point and view."""
    images = _views(_folder(base, building, kind="rgb"))
    if not images:
        folder = _folder(base, building, kind="rgb")
        wanted = "images point_P_view_V_domain_rgb.png"
        raise wrong(folder, wanted=wanted, found="none" if folder.is_dir() else "no such folder", origin=ORIGIN)
    files = {kind: _views(_folder(base, building, kind=kind)) for kind in asked.values()}
    mask = next((kind for kind in _MASKS if _folder(base, building, kind=kind).is_dir()), _MASKS[0])
    if MASKED & asked.keys():
        files[mask] = _views(_folder(base, building, kind=mask))
    for kind, found in files.items():
        missing = sorted(images.keys() - found.keys())
        if missing:
            wanted = f"a file for each of {len(images)} images"
            number = f"none for {len(missing)}, such as point {missing[0][0]}, view {missing[0][1]}"
            raise wrong(_folder(base, building, kind=kind), wanted=wanted, found=number, origin=ORIGIN)
    return [
        _Record(
            path,
            {name: files[kind][view] for name, kind in asked.items()},
            files[mask][view] if MASKED & asked.keys() else None,
        )
        for view, path in sorted(images.items())
    ]


def _folder(base: Path, building: str, *, kind: str) -> Path:
    """Find a building's folder of one kind of file, in whatever layout."""
    first, *others = (base / kind / building, base / kind / "taskonomy" / building, base / building / kind)
    return next((path for path in (first, *others) if path.is_dir()), first)


def _views(folder: Path) -> dict[tuple[int, int], Path]:
    """Files by point and view."""
    paths = folder.iterdir() if folder.is_dir() else ()
    found = ((_NAME.fullmatch(path.name), path) for path in paths)
    return {(int(name[1]), int(name[2])): path for name, path in found if name is not None}

"""GTSRB: German traffic signs."""

import csv
from pathlib import Path
from typing import Literal

from manyheads.data.errors import part, wrong
from manyheads.data.files import Listing, images_in, load
from manyheads.data.source import Source

SIGNS = (
    "Speed limit (20km/h)", "Speed limit (30km/h)", "Speed limit (50km/h)", "Speed limit (60km/h)",
    "Speed limit (70km/h)", "Speed limit (80km/h)", "End of speed limit (80km/h)", "Speed limit (100km/h)",
    "Speed limit (120km/h)", "No passing", "No passing for vehicles over 3.5 metric tons",
    "Right-of-way at the next intersection", "Priority road", "Yield", "Stop", "No vehicles",
    "Vehicles over 3.5 metric tons prohibited", "No entry", "General caution", "Dangerous curve to the left",
    "Dangerous curve to the right", "Double curve", "Bumpy road", "Slippery road", "Road narrows on the right",
    "Road work", "Traffic signals", "Pedestrians", "Children crossing", "Bicycles crossing", "Beware of ice/snow",
    "Wild animals crossing", "End of all speed and passing limits", "Turn right ahead", "Turn left ahead",
    "Ahead only", "Go straight or right", "Go straight or left", "Keep right", "Keep left", "Roundabout mandatory",
    "End of no passing", "End of no passing by vehicles over 3.5 metric tons",
)  # fmt: skip
"""The 43 signs, in the order of their labels."""

_ORIGIN = "benchmark.ini.rub.de (German Traffic Sign Recognition Benchmark; mirrored by torchvision's datasets.GTSRB)"


def gtsrb(root: Path, *, split: Literal["train", "test"], size: int = 32, cache: Path | None = None) -> Source:
    """Read GTSRB: 43 signs; the frames of one track (one sign, filmed once) belong together and are never split.

    Images are taken whole, with the margin around the sign, and resized to a square.

    Args:
        root: the folder that holds `GTSRB/Training`, `GTSRB/Final_Test/Images` and `GT-final_test.csv`, or one that
            holds it as `gtsrb`.
        split: which split.
        size: side length in pixels to which images are resized.
        cache: folder for decoded images; None to keep them in memory only.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
        ValueError: if there is no such split.
    """
    base = next((one for one in (Path(root), Path(root) / "gtsrb") if (one / "GTSRB").is_dir()), Path(root))
    listing = part({"train": _training, "test": _test}, name=split)(base)
    return load(listing, size=size, cache=cache)


def _training(base: Path) -> Listing:
    folder = base / "GTSRB" / "Training"
    if not folder.is_dir():
        raise wrong(folder, wanted="the folder of the training images", found="no such folder", origin=_ORIGIN)
    names = [f"{label:05d}" for label in range(len(SIGNS))]
    strange = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name not in names)
    if strange:
        raise wrong(folder, wanted="folders 00000 to 00042", found=f"also {', '.join(strange)}", origin=_ORIGIN)
    paths, labels, tracks = [], [], []
    for label, name in enumerate(names):
        found = images_in(folder / name)
        if not found:
            raise wrong(folder / name, wanted=f"images of the sign '{SIGNS[label]}'", found="none", origin=_ORIGIN)
        paths += found
        labels += [label] * len(found)
        tracks += [label * 100_000 + _track(path) for path in found]
    return Listing(paths, labels, SIGNS, _ORIGIN, groups=tracks)


def _track(path: Path) -> int:
    """Read the track's number off a file name, `TRACK_FRAME.ppm`."""
    track, _, frame = path.stem.partition("_")
    if not (track.isdecimal() and len(track) == 5 and frame.isdecimal()):
        raise wrong(path, wanted="the name TRACK_FRAME.ppm, such as 00003_00012.ppm", found=path.name, origin=_ORIGIN)
    return int(track)


def _test(base: Path) -> Listing:
    tables = (base / "GT-final_test.csv", base / "GTSRB" / "GT-final_test.csv")
    table = next((one for one in tables if one.exists()), None)
    if table is None:
        wanted = "the table of the test images' classes (it is published apart from them)"
        raise wrong(tables[0], wanted=wanted, found="no such file", origin=_ORIGIN)
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise wrong(table, wanted="a table in text", found=f"something else ({error})", origin=_ORIGIN) from error
    if not rows or not {"Filename", "ClassId"} <= set(rows[0]):
        found = f"the columns {list(rows[0])}" if rows else "no rows"
        raise wrong(table, wanted="rows with the columns Filename and ClassId", found=found, origin=_ORIGIN)
    strange = [row["ClassId"] for row in rows if row["ClassId"] not in _CLASS_IDS]
    if strange:
        raise wrong(table, wanted="classes 0 to 42", found=f"a class {strange[0]!r}", origin=_ORIGIN)
    folder = base / "GTSRB" / "Final_Test" / "Images"
    paths = [folder / row["Filename"] for row in rows]
    present = images_in(folder)
    if set(present) != set(paths) or len(present) != len(paths):
        found = f"{len(present)} images, {len(set(present) - set(paths))} of them not in the table"
        raise wrong(folder, wanted=f"the {len(paths)} images of {table.name}", found=found, origin=_ORIGIN)
    return Listing(paths, [int(row["ClassId"]) for row in rows], SIGNS, _ORIGIN)


_CLASS_IDS = frozenset(str(label) for label in range(len(SIGNS)))

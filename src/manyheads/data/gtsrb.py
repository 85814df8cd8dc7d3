"""GTSRB: German traffic signs."""

import csv
from pathlib import Path
from typing import Literal

from manyheads.data.errors import wrong
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
SOURCE = "benchmark.ini.rub.de (German Traffic Sign Recognition Benchmark; mirrored by torchvision's datasets.GTSRB)"


def gtsrb(root: Path, *, split: Literal["train", "test"], size: int = 32, cache: Path | None = None) -> Source:
    """Read GTSRB: 43 signs; the frames of one track (one sign, filmed once) belong together and are never split.

    Args:
        root: the folder that holds `GTSRB/Training`, `GTSRB/Final_Test/Images` and `GT-final_test.csv`, or one that
            holds it as `gtsrb`.
        split: which split.
        size: side length in pixels to which images are resized.
        cache: folder for decoded images; None to keep them in memory only.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
    """
    base = next((one for one in (Path(root), Path(root) / "gtsrb") if (one / "GTSRB").is_dir()), Path(root))
    listing = _training(base / "GTSRB" / "Training") if split == "train" else _test(base)
    return load(listing, size=size, cache=cache)


def _training(folder: Path) -> Listing:
    if not folder.is_dir():
        raise wrong(folder, wanted="the folder of the training images", found="no such folder", source=SOURCE)
    paths, labels, tracks = [], [], []
    for label in range(len(SIGNS)):
        own = folder / f"{label:05d}"
        found = images_in(own) if own.is_dir() else []
        if not found:
            raise wrong(own, wanted=f"images of the sign '{SIGNS[label]}'", found="none", source=SOURCE)
        paths += found
        labels += [label] * len(found)
        tracks += [label * 100_000 + int(path.stem.split("_")[0]) for path in found]
    return Listing(paths, labels, SIGNS, tracks)


def _test(base: Path) -> Listing:
    table = next((one for one in (base / "GT-final_test.csv", base / "GTSRB" / "GT-final_test.csv") if one.exists()), None)
    if table is None:
        path = base / "GT-final_test.csv"
        raise wrong(path, wanted="the table of the test images' classes", found="no such file", source=SOURCE)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    if not rows or not {"Filename", "ClassId"} <= set(rows[0]):
        found = f"the columns {list(rows[0])}" if rows else "no rows"
        raise wrong(table, wanted="rows with the columns Filename and ClassId", found=found, source=SOURCE)
    labels = [int(row["ClassId"]) for row in rows]
    if not all(0 <= label < len(SIGNS) for label in labels):
        raise wrong(table, wanted="classes 0 to 42", found=f"{min(labels)} to {max(labels)}", source=SOURCE)
    folder = base / "GTSRB" / "Final_Test" / "Images"
    return Listing([folder / row["Filename"] for row in rows], labels, SIGNS)

"""Every data set in its official layout with a few random images, and what makes a recipe tiny."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from scipy.io import savemat

from manyheads.attacks import CW, PGD
from manyheads.data.office31 import CATEGORIES
from manyheads.experiments import AnyAttack, Bars, Experiment, Trial, bars
from manyheads.tasks import maps

GENERATOR = np.random.default_rng(0)
LABELS = np.arange(40) % 10


def random_bytes(*shape: int) -> np.ndarray:
    return GENERATOR.integers(0, 256, shape, dtype=np.uint8)


def write_images(folder: Path, *, names: list[str], size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(random_bytes(size, size, 3)).save(folder / name)


def write_idx(folder: Path) -> None:
    folder.mkdir(parents=True)
    for stem in ("train", "t10k"):
        for name, array in (("images-idx3", random_bytes(40, 28, 28)), ("labels-idx1", LABELS.astype(np.uint8))):
            head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{stem}-{name}-ubyte").write_bytes(head + array.tobytes())


def write_svhn(folder: Path) -> None:
    folder.mkdir()
    for split in ("train", "test"):
        savemat(folder / f"{split}_32x32.mat", {"X": random_bytes(32, 32, 3, 40), "y": LABELS[:, None] + 1})


def write_gtsrb(root: Path) -> None:
    for label in range(43):
        names = [f"0000{track}_00000.ppm" for track in range(2)]
        write_images(root / "GTSRB" / "Training" / f"{label:05d}", names=names, size=32)
    names = [f"{number:05d}.ppm" for number in range(5)]
    write_images(root / "GTSRB" / "Final_Test" / "Images", names=names, size=32)
    rows = "".join(f"{name};8;8;1;1;7;7;{label}\n" for label, name in enumerate(names))
    (root / "GT-final_test.csv").write_text(f"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n{rows}")


def write_cifar10(folder: Path) -> None:
    folder.mkdir()
    records = random_bytes(10_000, 3073)
    records[:, 0] = np.arange(10_000) % 10
    for name in ("data_batch_1", "test_batch"):
        records.tofile(folder / f"{name}.bin")


def write_tiny_imagenet(root: Path) -> None:
    ids = maps.about("tiny_imagenet/origin").classes
    for wnid in ids:
        write_images(root / "train" / wnid / "images", names=[f"{wnid}_0.JPEG"], size=64)
    write_images(root / "val" / "images", names=["val_0.JPEG", "val_1.JPEG"], size=64)
    (root / "wnids.txt").write_text("\n".join(ids))
    (root / "words.txt").write_text("".join(f"{wnid}\tsome name\n" for wnid in ids))
    rows = "".join(f"val_{number}.JPEG\t{ids[number]}\t0\t1\t2\t3\n" for number in range(2))
    (root / "val" / "val_annotations.txt").write_text(rows)


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few images of every data set; class folders of one's own are in `image_folder`."""
    root = tmp_path_factory.mktemp("data")
    write_idx(root / "MNIST" / "raw")
    write_idx(root / "FashionMNIST" / "raw")
    write_svhn(root / "SVHN")
    write_gtsrb(root / "gtsrb")
    write_cifar10(root / "cifar-10-batches-bin")
    write_tiny_imagenet(root / "tiny-imagenet-200")
    for name in CATEGORIES:
        names = [f"frame_{number:04d}.jpg" for number in range(5)]
        write_images(root / "office31" / "amazon" / "images" / name, names=names, size=20)
    for name in ("ant", "bee"):
        names = [f"{number}.png" for number in range(10)]
        write_images(root / "image_folder" / name, names=names, size=40)
    return root


@pytest.fixture(scope="session")
def quiet() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as shown:
        yield shown


def one_step(attack: AnyAttack) -> AnyAttack:
    return replace(attack, steps=1, **({"binary_search_steps": 1} if isinstance(attack, CW) else {}))


@pytest.fixture(scope="session")
def shrunk() -> Callable[[Experiment], Experiment]:
    """Make a recipe take one step on four images and attack two, with all its attackers."""

    def shrink(recipe: Experiment) -> Experiment:
        hardening = recipe.training.hardening
        training = replace(
            recipe.training,
            epochs=1,
            batch_size=4,
            hardening=replace(hardening, attack=one_step(hardening.attack)),
            selection=PGD(steps=1, step_size=0.01),
            selection_examples=2,
        )
        trials: dict[str, Trial] = {
            name: replace(trial, attack=one_step(trial.attack), examples=2) for name, trial in recipe.trials.items()
        }
        return replace(
            recipe,
            data=replace(recipe.data, train_examples=4),
            training=training,
            trials=trials,
            sweep=recipe.sweep[:1],
            sweep_examples=2,
            sanity_examples=0,
        )

    return shrink

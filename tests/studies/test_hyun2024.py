from dataclasses import replace
from pathlib import Path

import pytest

from manyheads import recipes
from manyheads.experiments import Experiment
from manyheads.studies import hyun2024
from manyheads.studies.printed_numbers import PrintedTables

ROOT = Path("data")
DATA = tuple(hyun2024.NAMES)
MARKS = {
    "mnist": "MNIST/raw/train-images-idx3-ubyte.gz",
    "svhn": "SVHN/train_32x32.mat",
    "gtsrb": "GTSRB/Training",
    "cifar10": "cifar-10-batches-bin",
    "tiny_imagenet": "tiny-imagenet-200",
}


def test_the_study_has_the_paper_s_five_data_sets() -> None:
    assert DATA == ("mnist", "svhn", "gtsrb", "cifar10", "tiny_imagenet")
    assert tuple(hyun2024.QUICK) == tuple(hyun2024.PAPER) == DATA


@pytest.mark.parametrize("profile", ["quick", "paper"])
@pytest.mark.parametrize("data", DATA)
def test_each_data_set_has_eight_models(data: str, profile: str, tmp_path: Path) -> None:
    study = hyun2024.study(data, profile=profile, data_root=ROOT, folder=tmp_path)
    recipe = recipes.RECIPES[data if profile == "quick" else f"{data}_paper"]()
    richest = study.members[-1]
    assert study.folder == tmp_path / f"hyun2024-{profile}" / data
    assert len(study.members) == 8
    assert {one.run.parent for one in study.members} == {study.folder}
    assert {one.data_root for one in study.members} == {ROOT}
    assert (richest.training, richest.hidden, richest.trials) == (recipe.training, recipe.hidden, recipe.trials)
    assert hyun2024.NAMES[data] in study.title
    assert profile in study.title


@pytest.mark.parametrize("data", DATA)
def test_the_paper_s_numbers_of_all_models_stand_beside(data: str) -> None:
    study = hyun2024.study(data, profile="quick", data_root=ROOT)
    hidden = tuple(study.members[-1].hidden)
    combinations = {"main", *(f"main+{name}" for name in hidden), "main+" + "+".join(hidden)}
    attacks = {"clean", *study.members[0].trials}
    assert {key[0] for key in study.printed.main} == combinations
    assert {key[0] for key in study.printed.hidden} == combinations - {"main"}
    assert {key[1] for key in study.printed.main} == {"plain", "hardened"}
    assert {key[2] for key in study.printed.main} == attacks == {key[2] for key in study.printed.hidden}


def test_plain_training_is_shorter_in_the_quick_profile_only() -> None:
    quick, paper = (hyun2024.study("gtsrb", profile=one, data_root=ROOT).members for one in ("quick", "paper"))
    assert [one.training.epochs for one in quick] == [5] * 4 + [8] * 4
    assert {one.training.epochs for one in paper} == {200}


def test_seeds_have_folders_of_their_own() -> None:
    first, second = (hyun2024.study("mnist", profile="quick", data_root=ROOT, seed=seed) for seed in (0, 2))
    assert first.folder == Path("runs/hyun2024-quick/mnist")
    assert second.folder == Path("runs/hyun2024-quick-seed2/mnist")
    assert {one.seed for one in second.members} == {2}


def test_the_data_sets_of_a_folder_are_found_in_the_paper_s_order(tmp_path: Path) -> None:
    for name in ("gtsrb", "mnist"):
        (tmp_path / MARKS[name]).mkdir(parents=True)
    assert hyun2024.present(tmp_path) == ("mnist", "gtsrb")


@pytest.mark.parametrize("data", DATA)
def test_every_data_set_can_be_found(tmp_path: Path, data: str) -> None:
    (tmp_path / MARKS[data]).mkdir(parents=True)
    assert hyun2024.present(tmp_path) == (data,)


@pytest.mark.real_data
def test_real_data_is_found(real_data: Path) -> None:
    assert {"mnist", "gtsrb", "tiny_imagenet"} <= set(hyun2024.present(real_data))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds none of the study's data sets; wanted are MNIST, SVHN, GTSRB"):
        hyun2024.present(tmp_path)
    with pytest.raises(ValueError, match=r"nowhere is no folder; wanted are MNIST"):
        hyun2024.present(tmp_path / "nowhere")


def test_numbers_stand_beside_members_of_the_study_only() -> None:
    study = hyun2024.study("mnist", profile="quick", data_root=ROOT)
    own = replace(recipes.mnist(), name="hyun2024")
    assert hyun2024.printed_beside(study.members) == study.printed
    assert hyun2024.printed_beside(study.members[:6]).main.keys() >= {("main+parity", "plain", "clean")}
    assert hyun2024.printed_beside([own]) == PrintedTables({}, {})
    assert hyun2024.printed_beside([*study.members, Experiment("mine")]) == PrintedTables({}, {})

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from manyheads.attacks import FGSM, PGD
from manyheads.data import Flip, RandomCrop
from manyheads.experiments import Bars, DenseExperiment, DenseHardening, DenseTrial, RunFiles, Scenes
from manyheads.experiments.dense_stages import (
    DenseWorkshop,
    _augmentations,
    attack_dense,
    open_dense_workshop,
    train_dense,
)
from manyheads.threats import Linf
from manyheads.training import SGD, Constant

Make = Callable[..., DenseExperiment]


def workshop(experiment: DenseExperiment) -> DenseWorkshop:
    return open_dense_workshop(experiment, RunFiles(experiment.run))


def test_a_workshop_has_all_that_a_run_needs(tiny_dense: Make, tmp_path: Path) -> None:
    shop = workshop(tiny_dense(tmp_path))
    assert [task.name for task in shop.tasks] == list(shop.experiment.tasks)
    assert [len(batch["image"]) for batch in shop.loader(shop.splits.test)] == [2, 2]
    assert [len(batch["image"]) for batch in shop.loader(shop.splits.test, examples=3)] == [2, 1]
    assert [len(batch["image"]) for batch in shop.loader(shop.splits.test, examples=99)] == [2, 2]
    assert list(tmp_path.iterdir()) == []


def test_a_task_without_weight_is_not_trained(tiny_dense: Make, quiet: Bars, tmp_path: Path) -> None:
    one = tiny_dense(tmp_path, weights={"segmentation": 1.0, "depth": 0.0, "autoencoding": 1.0})
    shop = workshop(replace(one, training=replace(one.training, optimizer=SGD(0.1, weight_decay=0.0))))
    before = {name: value.clone() for name, value in shop.model.named_parameters()}
    trained = train_dense(shop, quiet)
    unchanged = {name.split(".")[1] for name, value in trained.named_parameters() if torch.equal(value, before[name])}
    assert "depth" in unchanged
    assert not unchanged & {"segmentation", "autoencoding"}


def test_twice_the_weight_is_twice_the_step(tiny_dense: Make, quiet: Bars, tmp_path: Path) -> None:
    def moved(name: str, weight: float) -> torch.Tensor:
        one = tiny_dense(tmp_path, name=name, tasks=("depth", "autoencoding"), vulnerability=None)
        training = replace(one.training, batch_size=8, optimizer=SGD(0.01, 0.0, 0.0), schedule=Constant())
        shop = workshop(replace(one, training=training, weights={"depth": 1.0, "autoencoding": weight}))
        final = "heads.autoencoding"
        before = torch.cat([value.flatten().clone() for key, value in shop.model.named_parameters() if final in key])
        model = train_dense(shop, quiet)
        return torch.cat([value.flatten() for key, value in model.named_parameters() if final in key]) - before

    assert torch.allclose(moved("double", 2.0), 2 * moved("single", 1.0), atol=1e-6)


@pytest.mark.parametrize("ramp", [0.0, 0.5])
def test_hardening_trains_on_attacked_frames(tiny_dense: Make, quiet: Bars, tmp_path: Path, ramp: float) -> None:
    one = tiny_dense(tmp_path)
    hardening = DenseHardening(PGD(2, 0.1), Linf(0.2), ramp=ramp)
    losses = []
    for name, chosen in (("plain", None), ("hardened", hardening)):
        shop = workshop(replace(one, name=name, training=replace(one.training, hardening=chosen)))
        train_dense(shop, quiet)
        history = pl.read_parquet(shop.files.history)
        losses.append(history.filter(phase="train")["value"].sum())
        assert set(history.filter(phase="validation")["measure"]) == {
            *("selection", "segmentation miou", "depth absolute_error", "autoencoding l1"),
        }
    assert losses[1] > losses[0]


def test_frames_are_cropped_then_mirrored_for_training(tiny_dense: Make, quiet: Bars, tmp_path: Path) -> None:
    scenes = Scenes(size=(24, 32), train_examples=4, test_examples=2, flip=True, crop=(16, 24))
    shop = workshop(tiny_dense(tmp_path, scenes=scenes))
    assert train_dense(shop, quiet)(torch.rand(1, 3, 24, 32))["depth"].shape == (1, 1, 24, 32)
    assert [type(one) for one in _augmentations(shop.experiment)] == [RandomCrop, Flip]


@pytest.mark.parametrize("search", ["plain", "fast"])
def test_a_fast_trial_is_run_on_a_copy_of_the_model(tiny_dense: Make, quiet: Bars, tmp_path: Path, search: str) -> None:
    trials = {"fgsm": DenseTrial(FGSM(), Linf(0.02), search=search)}
    one = tiny_dense(tmp_path, trials=trials, sweep=(), sweep_trials=())
    shop, asked = workshop(one), []
    shop.model.register_forward_hook(lambda *call: asked.append(call[0]))  # a copy takes the hook along
    attack_dense(shop, shop.model, quiet)
    assert shop.model in asked
    assert any(module is not shop.model for module in asked) == (search == "fast")

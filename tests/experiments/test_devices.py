from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from manyheads.data import Crop, sklearn_digits, take
from manyheads.experiments import (
    DenseExperiment,
    Devices,
    Experiment,
    GenerativeExperiment,
    RunFiles,
    differences,
)
from manyheads.experiments.dense_stages import open_dense_workshop
from manyheads.experiments.devices import alone_on, loader_of, place_of, share_of
from manyheads.experiments.stages import open_workshop


def test_one_process_needs_nobody_else() -> None:
    fabric = Devices(devices=3, accelerator="cpu").alone()
    assert (fabric.device.type, fabric.world_size) == ("cpu", 1)
    assert alone_on(fabric) is fabric
    assert place_of(fabric) == place_of(Fabric(accelerator="cpu", devices=1))
    assert share_of(7, fabric) == 7


def test_several_processes_are_started_afresh() -> None:
    strategy = Devices(devices=2, accelerator="cpu").together().strategy
    assert isinstance(strategy, DDPStrategy)
    assert (strategy.num_processes, strategy._start_method) == (2, "spawn")


def test_each_process_is_given_its_part_of_the_images(
    tiny: Callable[..., Experiment],
    tiny_dense: Callable[..., DenseExperiment],
    tmp_path: Path,
) -> None:
    first = Devices(devices=2, accelerator="cpu").together()  # not launched: so it is the first of two
    shops = [
        open_workshop(one := tiny(tmp_path, batch_size=5), RunFiles(one.run), fabric=first),
        open_dense_workshop(two := tiny_dense(tmp_path, batch_size=4), RunFiles(two.run), fabric=first),
    ]
    for shop in shops:
        test = take(shop.splits.test, count=4, seed=0)
        (batch,) = shop.loader(test)
        assert batch["index"].tolist() == test.fetch(torch.arange(4))["index"].tolist()[::2]
    assert sum(len(batch["index"]) for batch in shops[0].whole(shops[0].splits.validation)) == len(
        shops[0].splits.validation
    )


def test_a_loader_says_what_the_experiment_and_the_process_say(tiny: Callable[..., Experiment], tmp_path: Path) -> None:
    second = Devices(devices=2, accelerator="cpu").together()
    experiment, source = tiny(tmp_path, seed=5, workers=3), sklearn_digits("test")
    plain = loader_of(source, second, experiment=experiment, batch_size=7)
    assert (plain.source, plain.batch_size, plain.seed, plain.workers) == (source, 4, 5, 3)
    assert (plain.shuffle, plain.augment, plain.place) == (False, (), place_of(second))
    mixed = loader_of(source, second, experiment=experiment, batch_size=7, shuffle=True, augment=(Crop(1),))
    assert (mixed.shuffle, mixed.augment) == (True, (Crop(1),))


def test_precision_is_that_of_training() -> None:
    assert Devices(accelerator="cpu", precision="bf16-mixed").alone().strategy.precision.precision == "bf16-mixed"


def test_no_process_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least one process has to work, got fabric\.devices=0"):
        Devices(devices=0)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot work with fabric\.devices=99 and fabric\.accelerator=cuda"):
        Devices(devices=99, accelerator="cuda").together()


def test_a_training_batch_that_cannot_be_shared_evenly_is_refused(
    tiny: Callable[..., Experiment], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"training\.batch_size=20 does not allow; take 18"):
        tiny(tmp_path, fabric=Devices(3))


def test_so_is_a_dense_one(tiny_dense: Callable[..., DenseExperiment], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"training\.batch_size=4 does not allow; take 8"):
        tiny_dense(tmp_path, fabric=Devices(8))


def test_victims_work_on_the_devices_of_their_generator(
    tiny_generative: Callable[..., GenerativeExperiment], tmp_path: Path
) -> None:
    experiment = tiny_generative(tmp_path, fabric=Devices(2))
    assert [victim.fabric for victim in experiment.victim_runs.values()] == [Devices(2), Devices(2)]
    with pytest.raises(ValueError, match=r"training\.batch_size=8 does not allow; take 6"):
        replace(experiment, fabric=Devices(3))


def test_devices_make_no_other_experiment_but_precision_does(
    tiny_generative: Callable[..., GenerativeExperiment], tiny: Callable[..., Experiment], tmp_path: Path
) -> None:
    for one in (tiny(tmp_path), tiny_generative(tmp_path)):
        assert differences(one, replace(one, fabric=Devices(2, accelerator="cpu"))) == ()
        (found,) = differences(one, replace(one, fabric=Devices(precision="bf16-mixed")))
        assert found == "fabric.precision: 32-true, not bf16-mixed"

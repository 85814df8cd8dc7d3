from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from manyheads.experiments import DenseArchitecture, DenseExperiment, in_letters, make_dense_tasks
from manyheads.experiments.dense_experiment import DenseEncoder
from manyheads.experiments.dense_materials import loss_weights, make_dense_model
from manyheads.models import MultiTaskModel

Make = Callable[..., DenseExperiment]
ROOM = ("floor", "wall", "ball")


def model_of(experiment: DenseExperiment, *, size: tuple[int, int]) -> MultiTaskModel:
    tasks = make_dense_tasks(experiment, class_names=ROOM)
    return make_dense_model(experiment, tasks=tasks, image_shape=(3, *size))


def test_tasks_are_made_in_order_with_the_classes_of_the_frames(tiny_dense: Make) -> None:
    tasks = make_dense_tasks(tiny_dense(Path("runs"), tasks=("normals", "segmentation")), class_names=ROOM)
    assert [(task.name, task.channels, task.class_names) for task in tasks] == [
        ("normals", 3, ()),
        ("segmentation", 3, ROOM),
    ]


@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        (DenseArchitecture("small_dense_net"), (16, 24)),
        (DenseArchitecture("dense_resnet18"), (32, 64)),
        (DenseArchitecture("drn_d_22"), (16, 24)),
        (DenseArchitecture("drn_d_22", shared_tail=True), (16, 24)),
        (DenseArchitecture("drn_d_105", shared_tail=True), (8, 16)),
        (DenseArchitecture("small_segnet"), (17, 22)),
        (DenseArchitecture("small_segnet", shared_tail=True), (16, 24)),
        (DenseArchitecture("segnet"), (8, 8)),
        (DenseArchitecture("small_mtan"), (17, 22)),
        (DenseArchitecture("mtan"), (8, 8)),
    ],
)
def test_every_encoder_answers_every_task_at_the_size_of_the_image(
    tiny_dense: Make, architecture: DenseArchitecture, size: tuple[int, int]
) -> None:
    model = model_of(tiny_dense(Path("runs"), architecture=architecture), size=size)
    with torch.no_grad():
        outputs = model.eval()(torch.rand(1, 3, *size))
    assert {name: output.shape for name, output in outputs.items()} == {
        "segmentation": (1, 3, *size),
        "depth": (1, 1, *size),
        "autoencoding": (1, 3, *size),
    }


def test_a_shared_tail_belongs_to_no_head(tiny_dense: Make) -> None:
    private, shared = (
        model_of(tiny_dense(Path("runs"), architecture=DenseArchitecture("drn_d_22", tail)), size=(16, 16))
        for tail in (False, True)
    )
    assert shared.parameter_counts().private["depth"] == 513
    assert private.parameter_counts().private["depth"] > 1_000_000


def test_a_shared_decoder_of_segnet_leaves_two_convolutions_to_each_head(tiny_dense: Make) -> None:
    architecture = DenseArchitecture("small_segnet", shared_tail=True)
    model = model_of(tiny_dense(Path("runs"), architecture=architecture), size=(16, 16))
    assert model.parameter_counts().private["depth"] == (9 * 8 * 8 + 8) + (8 + 1)


@pytest.mark.parametrize("encoder", ["small_dense_net", "dense_resnet18", "small_mtan", "mtan"])
def test_a_shared_tail_of_another_network_is_refused(tiny_dense: Make, encoder: DenseEncoder) -> None:
    with pytest.raises(ValueError, match=f"only dilated networks and SegNet have a tail to share, {encoder} has none"):
        tiny_dense(Path("runs"), architecture=DenseArchitecture(encoder, shared_tail=True))


def test_initial_weights_depend_on_the_seed_alone(tiny_dense: Make) -> None:
    one, same, other = (model_of(tiny_dense(Path("runs"), seed=seed), size=(16, 24)) for seed in (3, 3, 4))
    name = "encoder.fine.0.weight"
    assert torch.equal(one.state_dict()[name], same.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])


def test_normalisation_is_the_model_s_first_layer(tiny_dense: Make) -> None:
    architecture = DenseArchitecture(mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 3.0))
    model = model_of(tiny_dense(Path("runs"), architecture=architecture), size=(16, 24))
    assert model.normalise.mean.flatten().tolist() == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("encoder", "size", "crop"),
    [("small_dense_net", (16, 20), None), ("dense_resnet18", (48, 64), None), ("drn_d_22", (16, 24), (12, 16))],
)
def test_sides_that_do_not_suit_the_encoder_are_refused(
    tiny_dense: Make, encoder: DenseEncoder, size: tuple[int, int], crop: tuple[int, int] | None
) -> None:
    one = tiny_dense(Path("runs"), architecture=DenseArchitecture(encoder))
    with pytest.raises(ValueError, match=f"{encoder} needs sides that are multiples of (8|32), got frames of"):
        model_of(replace(one, scenes=replace(one.scenes, crop=crop)), size=size)


def test_losses_are_averaged_unless_weights_are_given(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    assert loss_weights(one) == pytest.approx({"segmentation": 1 / 3, "depth": 1 / 3, "autoencoding": 1 / 3})
    weights = {"segmentation": 1.0, "depth": 0.5, "autoencoding": 0.0}
    assert loss_weights(replace(one, weights=weights)) == weights


def test_a_combination_is_called_by_the_paper_s_letters(tiny_dense: Make) -> None:
    assert in_letters(tiny_dense(Path("runs"), tasks=("depth", "segmentation", "autoencoding"))) == "d s A"

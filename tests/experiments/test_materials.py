"""What an experiment's words become: data, tasks, model, rule."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import DataError
from manyheads.defences import Disagreement, SoftDisagreement
from manyheads.experiments import READERS, Architecture, Data, Experiment, Rejection, lies_in
from manyheads.experiments.experiment import DataName, Encoder
from manyheads.experiments.materials import make_model, make_rejector, make_tasks, open_data, relations

Make = Callable[..., Experiment]
DIGITS = tuple("0123456789")


def numbers_of(source) -> set[int]:
    return set(source.fetch(torch.arange(len(source)))["index"].tolist())


def test_a_domain_of_what_has_none_is_refused(tiny: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"digits has no domains; leave --data\.domain out"):
        open_data(tiny(tmp_path, data=Data("digits", domain="dslr")))


def test_every_data_set_that_can_be_named_has_a_reader() -> None:
    assert {"digits", *READERS} == set(get_args(DataName))


def test_the_splits_are_disjoint_and_sized_as_wanted(tiny: Make) -> None:
    splits = open_data(tiny(Path("runs"), data=Data("digits", validation_share=0.25)))
    assert (len(splits.train) + len(splits.validation), len(splits.test)) == (1258, 539)
    assert len(splits.validation) == round(0.25 * 1258)
    assert not numbers_of(splits.train) & numbers_of(splits.validation)
    assert not (numbers_of(splits.train) | numbers_of(splits.validation)) & numbers_of(splits.test)


def test_fewer_training_examples_leave_the_validation_split_as_it_was(tiny: Make) -> None:
    few, all_of_them = (open_data(tiny(Path("runs"), data=Data("digits", train_examples=n))) for n in (30, None))
    assert len(few.train) == 30
    assert numbers_of(few.train) < numbers_of(all_of_them.train)
    assert numbers_of(few.validation) == numbers_of(all_of_them.validation)


def test_the_seed_decides_who_is_held_out(tiny: Make) -> None:
    first, again, other = (open_data(tiny(Path("runs"), seed=seed)) for seed in (0, 0, 1))
    assert numbers_of(first.validation) == numbers_of(again.validation) != numbers_of(other.validation)
    assert numbers_of(first.train) == numbers_of(again.train) != numbers_of(other.train)
    assert numbers_of(first.test) == numbers_of(other.test)


def test_data_without_a_folder_is_refused(tiny: Make) -> None:
    with pytest.raises(ValueError, match="mnist is read from a folder; say which with --data-root DIR"):
        open_data(tiny(Path("runs"), data=Data("mnist")))


def test_a_folder_for_the_digits_is_refused(tiny: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the digits come with scikit-learn, .*; leave --data-root out"):
        open_data(tiny(Path("runs"), data_root=tmp_path))


@pytest.mark.parametrize("data", ["digits", "mnist", "cifar10", "svhn", "fashion_mnist"])
def test_a_size_for_images_that_have_their_own_is_refused(tiny: Make, tmp_path: Path, data: str) -> None:
    with pytest.raises(ValueError, match=rf"the images of {data} have a size of their own; leave --data\.size out"):
        open_data(tiny(Path("runs"), data=Data(data, size=16, root=tmp_path)))


@pytest.mark.parametrize("short", [True, False])
def test_a_folder_is_read_at_the_wanted_size_wherever_it_is_given(tiny: Make, tmp_path: Path, short: bool) -> None:  # noqa: FBT001
    for label, name in enumerate(("ant", "bee")):
        (tmp_path / name).mkdir()
        for number in range(10):
            pixels = np.full((9, 9, 3), 20 * number + label, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    places = {"data_root": tmp_path} if short else {}
    data = Data("image_folder", size=12, root=None if short else tmp_path, validation_share=0.25)
    splits = open_data(tiny(Path("runs"), data=data, **places))
    assert splits.train.image_shape == splits.test.image_shape == (3, 12, 12)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (12, 4, 4)


@pytest.mark.parametrize("data", sorted(READERS))
def test_an_absent_folder_is_an_error_of_the_data(tiny: Make, tmp_path: Path, data: str) -> None:
    with pytest.raises(DataError, match="nowhere"):
        open_data(tiny(Path("runs"), data=Data(data, root=tmp_path / "nowhere")))


@pytest.mark.parametrize(
    ("data", "landmark"),
    [
        ("mnist", "MNIST/raw/train-images-idx3-ubyte.gz"),
        ("mnist", "t10k-labels-idx1-ubyte"),
        ("fashion_mnist", "FashionMNIST/raw/train-labels-idx1-ubyte"),
        ("svhn", "SVHN/train_32x32.mat"),
        ("svhn", "test_32x32.mat"),
        ("gtsrb", "gtsrb/GTSRB/Training/00000/a.ppm"),
        ("cifar10", "cifar-10-batches-bin/data_batch_1.bin"),
        ("cifar10", "cifar-10-batches-py/test_batch"),
        ("cifar10", "data_batch_3.bin"),
        ("tiny_imagenet", "tiny-imagenet-200/wnids.txt"),
        ("tiny_imagenet", "wnids.txt"),
        ("office31", "amazon/images/mug/a.jpg"),
    ],
)
def test_a_part_of_a_data_set_is_seen(tmp_path: Path, data: str, landmark: str) -> None:
    assert not lies_in(tmp_path, data=data)
    (tmp_path / landmark).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / landmark).touch()
    assert lies_in(tmp_path, data=data)
    assert not lies_in(tmp_path / "nowhere", data=data)


def test_mnist_is_not_taken_for_fashion_mnist(tmp_path: Path) -> None:
    (tmp_path / "FashionMNIST" / "raw").mkdir(parents=True)
    (tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte").touch()
    assert lies_in(tmp_path, data="fashion_mnist")
    assert not lies_in(tmp_path, data="mnist")


@pytest.mark.parametrize("data", ["image_folder", "digits", "mnits"])
def test_a_data_set_without_landmarks_is_refused(tmp_path: Path, data: str) -> None:
    with pytest.raises(ValueError, match=f"no data set '{data}' is known by its files; known: mnist, "):
        lies_in(tmp_path, data=data)


def test_hidden_tasks_follow_the_main_one_in_their_order(tiny: Make) -> None:
    hidden = {"prime": "digits/prime", "parity": "mnist/parity"}
    tasks = make_tasks(tiny(Path("runs"), hidden=hidden), class_names=DIGITS)
    assert [task.name for task in tasks] == ["digit", "prime", "parity"]
    assert tasks[0].class_names == DIGITS
    assert list(relations(tasks)) == ["prime", "parity"]
    assert relations(tasks)["parity"].groups == (0, 1) * 5


def test_a_hidden_task_may_come_from_a_file(tiny: Make, tmp_path: Path) -> None:
    path = tmp_path / "size.toml"
    path.write_text('[groups]\nbig = ["ox"]\nsmall = ["ant", "bee"]\n')
    _, size = make_tasks(tiny(Path("runs"), hidden={"size": str(path)}), class_names=("ant", "bee", "ox"))
    assert size.class_names == ("big", "small")
    assert relations([size])["size"].groups == (1, 1, 0)


def test_an_absent_file_of_a_map_is_named(tiny: Make, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"size\.toml: no such file"):
        make_tasks(tiny(Path("runs"), hidden={"size": str(tmp_path / "size.toml")}), class_names=DIGITS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("parity", r"'parity' is neither a file that ends in \.toml nor one of cifar10/habitat, "),
        ("digits/party", r"did you mean 'digits/parity'\?"),
        ("cifar10/kind", r"its list of classes is not that of the data set"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused(tiny: Make, given: str, message: str) -> None:
    wanted = "the hidden task 'odd' cannot be made for the 10 classes of digits: .*"
    with pytest.raises(ValueError, match=wanted + message):
        make_tasks(tiny(Path("runs"), hidden={"odd": given}), class_names=DIGITS)


def test_every_encoder_that_can_be_named_is_built(tiny: Make) -> None:
    shapes = {"lenet": (1, 28, 28), "small_conv_net": (1, 8, 8)}
    names = [name for name in get_args(Encoder) if name not in {"wide_resnet", "alexnet"}]  # those take seconds
    assert len(names) == 4
    for name in names:
        experiment = tiny(Path("runs"), architecture=Architecture(name))
        tasks = make_tasks(experiment, class_names=DIGITS)
        shape = shapes.get(name, (3, 32, 32))
        model = make_model(experiment, tasks=tasks, image_shape=shape).eval()
        with torch.no_grad():
            found = model(torch.zeros(2, *shape))
        assert {task: tuple(output.shape) for task, output in found.items()} == {
            "digit": (2, 10),
            "parity": (2, 2),
            "prime": (2, 2),
        }
        assert name.replace("_", "") == type(model.encoder).__name__.lower()


def test_the_seed_decides_the_initial_weights(tiny: Make) -> None:
    def weights(seed: int):
        experiment = tiny(Path("runs"), seed=seed)
        tasks = make_tasks(experiment, class_names=DIGITS)
        return make_model(experiment, tasks=tasks, image_shape=(1, 8, 8)).heads["digit"].weight

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_the_model_normalises_as_the_architecture_says(tiny: Make) -> None:
    experiment = tiny(Path("runs"), architecture=Architecture(mean=(0.25,), std=(0.5,)))
    model = make_model(experiment, tasks=make_tasks(experiment, class_names=DIGITS), image_shape=(1, 8, 8))
    assert model.normalise(torch.full((1, 1, 8, 8), 0.75)).unique().tolist() == [1.0]


@pytest.mark.parametrize(("rule", "kind"), [("count", Disagreement), ("surprise", SoftDisagreement)])
def test_the_rule_guards_the_main_task_by_all_hidden_ones(tiny: Make, rule: str, kind: type) -> None:
    experiment = tiny(Path("runs"), rejection=Rejection(rule=rule))
    rejector = make_rejector(experiment, tasks=make_tasks(experiment, class_names=DIGITS))
    assert type(rejector) is kind
    assert (rejector.main, list(rejector.hidden)) == ("digit", ["parity", "prime"])

"""One encoder pass serves all heads; normalisation is a layer of the model; shared and private are counted."""

import pytest
import torch
from torch import nn

from manyheads.models import MultiTaskModel, Normalise, SmallConvNet, SmallResNet, linear_heads, seeded
from manyheads.tasks import LabelMap, classify, regroup

TASKS = [classify("digit", classes=10), regroup("parity", LabelMap(("even", "odd"), (0, 1) * 5))]


class Counting(nn.Module):
    """An encoder that counts how often it is asked."""

    features = 4

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return image.flatten(1)


def small(seed: int = 0, **normalisation) -> MultiTaskModel:
    """A small two-headed model."""
    return seeded(lambda: MultiTaskModel(SmallConvNet(), linear_heads(TASKS, features=128), **normalisation), seed=seed)


def images(count: int, *shape: int) -> torch.Tensor:
    """Images of uniform noise."""
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(count))


def test_every_head_answers() -> None:
    outputs = small()(images(3, 1, 8, 8))
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {"digit": (3, 10), "parity": (3, 2)}


def test_heads_answer_from_the_same_features() -> None:
    model, image = small(), images(3, 1, 8, 8)
    features = model.encoder(image)
    assert torch.equal(model(image)["digit"], model.heads["digit"](features))
    assert torch.equal(model(image)["parity"], model.heads["parity"](features))


def test_the_encoder_runs_once_for_all_heads() -> None:
    encoder = Counting()
    MultiTaskModel(encoder, {"first": nn.Linear(4, 2), "second": nn.Linear(4, 3)})(images(5, 1, 2, 2))
    assert encoder.calls == 1


def test_an_answer_does_not_depend_on_batch_mates_in_eval_mode() -> None:
    model = MultiTaskModel(SmallResNet(width=4), linear_heads(TASKS, features=16)).eval()
    image = images(4, 3, 16, 16)
    for name, output in model(image).items():
        alone = torch.cat([model(one[None])[name] for one in image])
        torch.testing.assert_close(output, alone, rtol=1e-5, atol=1e-6)


def test_batch_norm_counts_in_train_mode_only() -> None:
    model = MultiTaskModel(SmallResNet(width=4), linear_heads(TASKS, features=16))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.eval()(images(4, 3, 16, 16))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    model.train()(images(4, 3, 16, 16))
    changed = {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}
    assert changed == {name for name in before if "running" in name or "num_batches" in name}


def test_normalisation_is_the_first_layer() -> None:
    plain, normalised = small(), small(mean=[0.25], std=[0.5])
    image = images(3, 1, 8, 8)
    torch.testing.assert_close(normalised(image), plain((image - 0.25) / 0.5))


def test_normalisation_works_channel_by_channel() -> None:
    normalise = Normalise(mean=[0.0, 0.5, 1.0], std=[1.0, 2.0, 4.0])
    assert normalise(torch.ones(1, 3, 1, 1)).flatten().tolist() == [1.0, 0.25, 0.0]


def test_normalisation_is_kept_with_the_weights_and_not_trained() -> None:
    model = small(mean=[0.25], std=[0.5])
    assert model.state_dict()["normalise.mean"].item() == 0.25
    assert not [name for name, _ in model.named_parameters() if "normalise" in name]
    assert not [name for name in small().state_dict() if "normalise" in name]


def test_shared_and_private_parameters_are_counted() -> None:
    counts = small().parameter_counts()
    assert counts.private == {"digit": 128 * 10 + 10, "parity": 128 * 2 + 2}
    assert counts.shared == (16 * 9 + 16) + (32 * 16 * 9 + 32) + (512 * 128 + 128)
    assert counts.total == sum(parameter.numel() for parameter in small().parameters())
    assert str(counts) == "72,012 parameters: shared 70,464; private: digit 1,290, parity 258"


def test_what_two_heads_have_in_common_is_shared() -> None:
    tail = nn.Linear(4, 3)
    heads = {"first": nn.Sequential(tail, nn.Linear(3, 2)), "second": nn.Sequential(tail, nn.Linear(3, 1))}
    counts = MultiTaskModel(nn.Flatten(), heads).parameter_counts()
    assert (counts.shared, counts.private) == (15, {"first": 8, "second": 4})


@pytest.mark.parametrize("name", ["road sign", "type", "keys", "training", "1", "a.b"])
def test_a_name_that_no_head_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no head can be called {name!r}"):
        MultiTaskModel(Counting(), {name: nn.Linear(4, 2)})


def test_a_head_for_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="head 'digit' takes 64 features, but the encoder returns 128"):
        MultiTaskModel(SmallConvNet(), linear_heads(TASKS, features=64))


def test_a_model_without_heads_is_refused() -> None:
    with pytest.raises(ValueError, match="a model needs at least one head"):
        MultiTaskModel(SmallConvNet(), {})


@pytest.mark.parametrize("half", [{"mean": [0.5]}, {"std": [0.5]}])
def test_half_a_normalisation_is_refused(half) -> None:
    with pytest.raises(ValueError, match="give mean and std together"):
        small(**half)


def test_a_normalisation_of_uneven_length_is_refused() -> None:
    with pytest.raises(ValueError, match="for the same channels, got 3 and 1 numbers"):
        Normalise(mean=[0.5, 0.5, 0.5], std=[0.5])


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan")])
def test_a_standard_deviation_of_zero_is_refused(std: float) -> None:
    with pytest.raises(ValueError, match="std must be above zero in every channel"):
        Normalise(mean=[0.5], std=[std])


def test_an_image_with_other_channels_is_not_broadcast() -> None:
    with pytest.raises(ValueError, match="this model normalises 1 channels, the image has 3"):
        small(mean=[0.25], std=[0.5])(images(2, 3, 8, 8))

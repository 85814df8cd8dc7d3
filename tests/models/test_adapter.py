"""Somebody's own model with any form of outputs: the same answers, by the tasks' names."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import Adapted, HeadView, adapt
from manyheads.tasks import LabelMap, classify, depth, regroup, segment

DIGIT = classify("digit", classes=10)
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1) * 5))
BOTH = (DIGIT, PARITY)


class Named(NamedTuple):
    parity: Tensor
    digit: Tensor


class Other(NamedTuple):
    first: Tensor
    second: Tensor


@dataclass
class Answer:
    """Like the outputs of Hugging Face's classifiers before they became dicts."""

    logits: Tensor
    hidden_states: tuple[Tensor, ...] = ()


class Own(nn.Module):
    """Two linear heads, returned in a form of one's own."""

    def __init__(self, form: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.form = form
        self.digit, self.parity = nn.Linear(16, 10), nn.Linear(16, 2)

    def forward(self, image: Tensor) -> object:
        features = image.flatten(1)
        return self.form(self.digit(features), self.parity(features))


@pytest.fixture
def image() -> Tensor:
    """Three images of uniform noise."""
    return torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "form",
    [
        lambda digit, parity: (digit, parity),
        lambda digit, parity: [digit, parity],
        lambda digit, parity: {"parity": parity, "digit": digit, "features": "left alone"},
        lambda digit, parity: Named(parity=parity, digit=digit),
        Other,
        lambda digit, parity: SimpleNamespace(digit=digit, parity=parity, loss=None),
    ],
    ids=["tuple", "list", "dict", "named tuple", "named tuple by place", "object"],
)
def test_outputs_of_any_form_go_by_the_tasks_names(image: Tensor, form) -> None:
    own = Own(form)
    outputs = adapt(own, tasks=BOTH)(image)
    assert list(outputs) == ["digit", "parity"]
    assert torch.equal(outputs["digit"], own.digit(image.flatten(1)))
    assert torch.equal(outputs["parity"], own.parity(image.flatten(1)))


@pytest.mark.parametrize(
    "form",
    [
        lambda digit, _: digit,
        lambda digit, _: (digit,),
        lambda digit, parity: {"digit": digit, "parity": parity},
        lambda digit, parity: Answer(digit, (parity,)),
        lambda digit, parity: OrderedDict(loss=parity, logits=digit),
    ],
    ids=["tensor", "tuple", "dict", "dataclass", "logits of a dict"],
)
def test_a_lone_task_takes_the_tensor_its_name_or_the_logits(image: Tensor, form) -> None:
    own = Own(form)
    outputs = adapt(own, tasks=[DIGIT])(image)
    assert list(outputs) == ["digit"]
    assert torch.equal(outputs["digit"], own.digit(image.flatten(1)))


@pytest.mark.parametrize(
    ("form", "entries"),
    [
        (lambda digit, parity: (parity, "more", digit), {"digit": 2, "parity": 0}),
        (lambda digit, parity: {"a": parity, "b": digit}, {"digit": "b", "parity": "a"}),
        (lambda digit, parity: Other(parity, digit), {"digit": 1, "parity": "first"}),
    ],
    ids=["places", "names", "both"],
)
def test_entries_say_which_output_answers_which_task(image: Tensor, form, entries) -> None:
    own = Own(form)
    outputs = adapt(own, tasks=BOTH, entries=entries)(image)
    assert torch.equal(outputs["digit"], own.digit(image.flatten(1)))
    assert torch.equal(outputs["parity"], own.parity(image.flatten(1)))


def test_pixels_are_normalised_inside(image: Tensor) -> None:
    own = Own(lambda digit, _: digit)
    outputs = adapt(own, tasks=[DIGIT], mean=[0.25], std=[0.5])(image)
    assert torch.equal(outputs["digit"], own((image - 0.25) / 0.5))


def test_an_adapted_model_shares_weights_and_modes_and_can_be_viewed(image: Tensor) -> None:
    own = Own(lambda digit, parity: (digit, parity)).eval()
    model = adapt(own, tasks=BOTH)
    assert isinstance(model, Adapted)
    assert not model.training
    assert torch.equal(HeadView(model, PARITY)(image), own.parity(image.flatten(1)))
    assert {id(one) for one in model.parameters()} == {id(one) for one in own.parameters()}
    model.train()
    assert own.training


def test_a_task_of_every_pixel_keeps_its_plane() -> None:
    dense = nn.Conv2d(1, 4, 1)
    outputs = adapt(dense, tasks=[segment(classes=4)])(torch.zeros(2, 1, 6, 8))
    assert [output.shape for output in outputs.values()] == [(2, 4, 6, 8)]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda digit, _: digit, r"returns 1 output, but has to answer 2 tasks \(digit, parity\); say with entries"),
        (lambda digit, parity: (digit, parity, digit), "returns 3 outputs, but has to answer 2 tasks"),
        (lambda digit, parity: {"digit": digit, "even": parity}, "returns outputs called digit, even, but has to"),
        (lambda digit, parity: {"digit": digit, "parity": [parity]}, "answer to task 'parity' is a tensor, got list"),
        (
            lambda digit, parity: (parity, digit),
            r"task 'digit' needs scores of shape \(3, 10\), the model returns \(3, 2\)",
        ),
        (lambda digit, parity: (digit[:2], parity), r"needs scores of shape \(3, 10\), the model returns \(2, 10\)"),
        (lambda digit, parity: (digit[..., None], parity), r"the model returns \(3, 10, 1\)"),
        (lambda digit, parity: (digit.argmax(1), parity), r"holds torch.int64; return scores \(logits\), not classes"),
        (lambda _, __: None, "or an object with such fields; got NoneType"),
        (lambda _, __: "digit", "or an object with such fields; got str"),
        (lambda _, __: (), "or an object with such fields; got tuple"),
    ],
)
def test_outputs_that_are_no_answers_are_refused(image: Tensor, form, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adapt(Own(form), tasks=BOTH)(image)


def test_a_map_for_a_task_without_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"task 'depth' needs scores of shape \(2, 1, height, width\)"):
        adapt(nn.Conv2d(1, 3, 1), tasks=[depth()])(torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"digit": 0, "parity": 2}, "'parity' is to be answered by output 2, but the model returns 2 outputs"),
        ({"digit": -1, "parity": 0}, "'digit' is to be answered by output -1, but"),
        ({"digit": "a", "parity": 0}, "'digit' is to be answered by the output 'a', but the model returns 2 outputs"),
    ],
)
def test_entries_that_the_outputs_lack_are_refused(image: Tensor, entries, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adapt(Own(lambda digit, parity: (digit, parity)), tasks=BOTH, entries=entries)(image)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": ()}, "each once; got none"),
        ({"tasks": (DIGIT, DIGIT)}, "each once; got digit, digit"),
        ({"tasks": BOTH, "entries": {"digit": 0}}, "tasks: digit, parity; entries: digit"),
        ({"tasks": BOTH, "mean": [0.5]}, "give mean and std together"),
        ({"tasks": BOTH, "std": [0.5]}, "give mean and std together"),
    ],
)
def test_what_cannot_be_adapted_is_refused(settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adapt(nn.Identity(), **settings)

"""The first look at somebody's own model."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from manyheads.data import InMemory
from manyheads.experiments import Probe, probe
from manyheads.models import adapt
from manyheads.tasks import classify

TASK = classify("label", classes=4)


class Own(nn.Module):
    """A linear model with something behind it."""

    def __init__(self, behind) -> None:
        super().__init__()
        self.linear, self.behind = nn.Linear(9, 4), behind
        torch.nn.init.eye_(self.linear.weight)

    def forward(self, image: Tensor) -> Tensor:
        return self.behind(self.linear(image.flatten(1)))


@pytest.fixture
def source() -> InMemory:
    """Six random images of four classes."""
    images = torch.randint(0, 256, (6, 1, 3, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return InMemory(images, torch.arange(6) % 4, ("a", "b", "c", "d"))


@pytest.fixture
def look(source):
    def looked(behind, **changes) -> Probe:
        model = adapt(Own(behind), tasks=[TASK])
        batch = source.fetch(torch.arange(6))
        batch["image"] = batch["image"].float() / 255
        settings = {"tasks": [TASK], "source": source, "name": "mine", "gradient": nullcontext()}
        return probe(model, batch, **(settings | changes))

    return looked


def test_a_plain_model_is_without_blame(look) -> None:
    assert look(lambda scores: scores - 1) == Probe(n=6, probabilities=False, silent=0, answers=True)


def test_probabilities_are_seen(look) -> None:
    assert look(lambda scores: scores.softmax(1)).probabilities


def test_images_without_a_gradient_are_counted(look) -> None:
    assert look(lambda scores: scores * (torch.arange(6) > 1)[:, None]).silent == 2


def test_a_model_that_answers_at_random_is_seen(look) -> None:
    assert not look(lambda scores: scores + torch.rand(6, 4)).answers


def test_no_gradient_is_asked_for_where_none_is_wanted(look) -> None:
    assert look(lambda scores: scores.detach(), gradient=None).silent is None


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        (lambda scores: scores.detach(), "the answers to 'label' carry no gradient: the model detaches them"),
        (lambda _: nn.Parameter(torch.ones(6, 4)), "the answers to 'label' do not depend on the image"),
        (lambda scores: scores / 0, "the answers to 'label' hold NaN or infinity on clean images of mine"),
        (
            lambda scores: scores[:, :3],
            r"does not go with the images of mine \(1 × 3 × 3 pixels in \[0, 1\], 4 classes\): task 'label' needs",
        ),
    ],
    ids=["detached", "constant", "infinite", "classes"],
)
def test_a_model_that_cannot_be_attacked_is_refused(look, behind, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        look(behind)


def test_the_model_is_left_as_found(look) -> None:
    seen = []
    look(lambda scores: (seen.append(torch.is_grad_enabled()), scores)[1])
    assert seen == [True, True]

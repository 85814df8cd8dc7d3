"""One head seen as a model of its own: same answers, same gradients, same modes."""

import importlib

import pytest
import torch
from torch import nn

from manyheads.models import HeadView, MultiTaskModel, SmallConvNet, SmallResNet, linear_heads, seeded
from manyheads.tasks import LabelMap, classify, regroup

DIGIT = classify("digit", classes=10)
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1) * 5))


class Anything(nn.Module):
    """Somebody else's model with a dict of outputs."""

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"depth": image.mean(1, keepdim=True), "edges": image}


@pytest.fixture
def model() -> MultiTaskModel:
    """A small two-headed model."""
    return seeded(lambda: MultiTaskModel(SmallConvNet(), linear_heads([DIGIT, PARITY], features=128)), seed=1)


@pytest.fixture
def image() -> torch.Tensor:
    """Four images of uniform noise."""
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("task", [DIGIT, "digit", PARITY, "parity"])
def test_a_view_answers_and_differentiates_like_its_head(model, image, task) -> None:
    name = getattr(task, "name", task)
    seen, direct = image.clone().requires_grad_(), image.clone().requires_grad_()
    answer, expected = HeadView(model, task)(seen), model(direct)[name]
    assert torch.equal(answer, expected)
    (gradient,) = torch.autograd.grad(answer.square().sum(), seen)
    (wanted,) = torch.autograd.grad(expected.square().sum(), direct)
    assert torch.equal(gradient, wanted)
    assert wanted.abs().sum() > 0


def test_a_view_shares_weights_and_modes(model) -> None:
    view = HeadView(model.eval(), "digit")
    assert not view.training
    view.train()
    assert model.training
    assert {id(parameter) for parameter in view.parameters()} == {id(parameter) for parameter in model.parameters()}


def test_looking_at_a_model_does_not_thaw_a_frozen_layer() -> None:
    model = MultiTaskModel(SmallResNet(width=4), linear_heads([DIGIT], features=16))
    model.encoder.eval()
    HeadView(model, "digit")
    assert model.training
    assert not model.encoder.training


def test_any_model_with_a_dict_of_outputs_can_be_viewed(image) -> None:
    assert torch.equal(HeadView(Anything(), "edges")(image), image)


def test_a_head_that_the_model_lacks_is_refused_at_once(model) -> None:
    with pytest.raises(ValueError, match="the model has no head 'prime'; its heads: digit, parity"):
        HeadView(model, "prime")


def test_an_output_that_a_foreign_model_lacks_is_refused(image) -> None:
    with pytest.raises(ValueError, match="the model has no head 'normals'; its heads: depth, edges"):
        HeadView(Anything(), "normals")(image)


# Foolbox 3.3 still imports a SciPy module by its old name
@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")
def test_another_librarys_attack_takes_a_view(model, image) -> None:
    foolbox = importlib.import_module("foolbox")
    view = HeadView(model.eval(), "digit")
    label = model(image)["digit"].argmax(1).detach()
    attack = foolbox.attacks.LinfPGD(abs_stepsize=0.05, steps=10, random_start=False)
    _, attacked, _ = attack(foolbox.PyTorchModel(view, bounds=(0, 1)), image, label, epsilons=0.3)
    loss = nn.CrossEntropyLoss()
    assert loss(view(attacked), label) > loss(view(image), label) + 0.01

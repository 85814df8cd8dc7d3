"""One head seen as a model of its own: same answers, same gradients, same modes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import LastIteratePGD
from manyheads.models import HeadView, MultiTaskModel, SmallConvNet, SmallResNet, linear_heads, seeded
from manyheads.tasks import LabelMap, classify, regroup
from manyheads.threats import Linf, TaskLoss, ThreatModel

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


Attacked = Callable[[HeadView, Tensor, Tensor], Tensor]
"""Runs ten steps of PGD within 0.3 on a view."""


def by_foolbox(view: HeadView, image: Tensor, label: Tensor) -> Tensor:
    library = pytest.importorskip("foolbox", reason="pip install 'manyheads[second-opinion]'")
    attack = library.attacks.LinfPGD(abs_stepsize=0.05, steps=10, random_start=False)
    return attack(library.PyTorchModel(view, bounds=(0, 1), device=image.device), image, label, epsilons=0.3)[1]


def by_art(view: HeadView, image: Tensor, label: Tensor) -> Tensor:
    reason = "pip install 'manyheads[second-opinion]'"
    estimators = pytest.importorskip("art.estimators.classification", reason=reason)
    evasion = pytest.importorskip("art.attacks.evasion", reason=reason)
    shape = tuple(image.shape[1:])
    around = {"input_shape": shape, "nb_classes": DIGIT.channels, "clip_values": (0.0, 1.0), "device_type": "cpu"}
    classifier = estimators.PyTorchClassifier(model=view, loss=nn.CrossEntropyLoss(), **around)
    attack = evasion.ProjectedGradientDescent(classifier, eps=0.3, eps_step=0.05, max_iter=10, verbose=False)
    return torch.from_numpy(attack.generate(x=image.cpu().numpy(), y=label.cpu().numpy()))


def by_torchattacks(view: HeadView, image: Tensor, label: Tensor) -> Tensor:
    reason = "torchattacks is not there, or no torchvision for this torch, which it imports"
    library = pytest.importorskip("torchattacks", reason=reason, exc_type=(ImportError, RuntimeError))
    return library.PGD(view, eps=0.3, alpha=0.05, steps=10, random_start=False)(image, label)


@pytest.mark.filterwarnings("ignore")  # they import what others have deprecated
@pytest.mark.parametrize("theirs", [by_foolbox, by_art, by_torchattacks], ids=lambda one: one.__name__)
def test_another_librarys_attack_takes_a_view(model, image, theirs: Attacked) -> None:
    view = HeadView(model.eval(), "digit")
    label = model(image)["digit"].argmax(1).detach()
    attacked = theirs(view, image, label)
    loss = nn.CrossEntropyLoss()
    assert loss(view(attacked), label) > loss(view(image), label) + 0.01
    task_loss = TaskLoss([DIGIT], {"digit": 1.0})
    threat = ThreatModel(name="theirs", model=model, tasks=[DIGIT], objective=task_loss, budget=Linf(0.3))
    ours = LastIteratePGD(10, 0.05, random_start=False)(threat.loss({"label": label}), image, Linf(0.3))
    torch.testing.assert_close(attacked, ours, atol=1e-5, rtol=0)

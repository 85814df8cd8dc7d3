"""Threat models: what an attack sees of a model, and in which state the model is left."""

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import Acceleration
from manyheads.tasks import LabelMap, Task, classify, regroup
from manyheads.tasks.metrics import Accuracy
from manyheads.threats import Linf, Loss, Margin, Objective, Targeted, TaskLoss, ThreatModel, in_eval_mode
from manyheads.types import Outputs, PerExample, Truth

DIGIT = classify("digit", classes=3)
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1, 0)))
TASKS = (DIGIT, PARITY)
LABEL = torch.tensor([0, 1, 2, 1])


class Pixels(nn.Module):
    """Takes the first three pixels as scores, through dropout and batch norm that show the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout, self.norm = nn.Dropout(0.9), nn.BatchNorm2d(1, affine=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        scores = self.norm(self.dropout(image)).flatten(1)
        return {"digit": scores[:, :3], "parity": scores[:, 2:4]}


class Plain:
    """An objective that knows nothing of success."""

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:  # noqa: ARG002 (the truth does not matter)
        return outputs["digit"].sum(1)


class Reduced:
    """An objective that mixes the examples."""

    def __call__(self, outputs: Outputs, truth: Truth) -> Tensor:  # noqa: ARG002 (the truth does not matter)
        return outputs["digit"].mean()


@pytest.fixture
def image() -> Tensor:
    """Four images whose pixels are scores."""
    return torch.rand(4, 1, 2, 2, generator=torch.Generator().manual_seed(0))


def threat(objective, *, success: Objective | None = None, tasks: tuple[Task, ...] = TASKS) -> ThreatModel:
    model = Pixels().eval()
    return ThreatModel(
        name="gray-box", model=model, tasks=tasks, objective=objective, budget=Linf(0.1), success=success
    )


def test_a_loss_is_the_objective_of_the_models_outputs(image) -> None:
    objective = TaskLoss(TASKS, {"digit": 1.0, "parity": 2.0})
    attacked = threat(objective)
    loss = attacked.loss({"label": LABEL})
    expected = objective(attacked.model(image), {"digit": LABEL, "parity": torch.tensor([0, 1, 0, 1])})
    torch.testing.assert_close(loss(image), expected)
    assert loss.outputs(image).keys() == {"digit", "parity"}


@pytest.mark.parametrize(
    ("objective", "success", "expected"),
    [
        (TaskLoss(TASKS, {"digit": 1.0}), None, Margin(DIGIT)),
        (TaskLoss(TASKS, {"digit": 1.0}), Margin(PARITY), Margin(PARITY)),
        (Targeted(DIGIT), None, Targeted(DIGIT).success),
        (Margin(DIGIT), None, Margin(DIGIT)),
        (Plain(), Margin(DIGIT), Margin(DIGIT)),
    ],
)
def test_success_is_what_the_threat_says_or_else_the_objectives_own(image, objective, success, expected) -> None:
    attacked = threat(objective, success=success)
    loss = attacked.loss({"label": LABEL})
    margin = expected(attacked.model(image), attacked.truth({"label": LABEL}))
    assert loss.knows_success
    torch.testing.assert_close(loss.margin(image), margin)
    assert torch.equal(loss.won(image), margin > 0)
    assert not loss.won(image.requires_grad_()).requires_grad


def test_where_nobody_says_what_winning_is_asking_is_an_error(image) -> None:
    loss = threat(Plain()).loss({"label": LABEL})
    assert not loss.knows_success
    with pytest.raises(ValueError, match="does not tell when the attacker has won; give the threat model success="):
        loss.won(image)
    with pytest.raises(ValueError, match="does not tell when the attacker has won"):
        loss.margin(image)


@pytest.mark.parametrize("rows", [torch.tensor([3, 1]), torch.tensor([False, True, False, True])])
def test_a_selection_keeps_its_examples(image, rows: Tensor) -> None:
    loss = threat(TaskLoss(TASKS, {"digit": 1.0, "parity": 1.0})).loss({"label": LABEL})
    some = loss.select(rows)
    assert isinstance(some, Loss)
    torch.testing.assert_close(some(image[rows]), loss(image)[rows])
    torch.testing.assert_close(some.margin(image[rows]), loss.margin(image)[rows])
    assert torch.equal(some.won(image[rows]), loss.won(image)[rows])
    torch.testing.assert_close(some.select(torch.tensor([1]))(image[rows][1:]), loss(image)[rows][1:])


def test_an_objective_that_reduces_over_the_batch_is_refused(image) -> None:
    with pytest.raises(ValueError, match=r"one number per example, shape \(4,\), got shape \(\)"):
        threat(Reduced()).loss({"label": LABEL})(image)
    with pytest.raises(ValueError, match=r"one number per example, shape \(4,\), got shape \(\)"):
        threat(Margin(DIGIT), success=Reduced()).loss({"label": LABEL}).won(image)


def test_a_forgotten_annotation_is_named() -> None:
    with pytest.raises(KeyError, match="no annotation 'label'; it has: class"):
        threat(Margin(DIGIT)).loss({"class": LABEL})


def test_a_batch_made_in_inference_mode_can_be_attacked(image) -> None:
    attacked = threat(TaskLoss(TASKS, {"digit": 1.0, "parity": 1.0}))
    with torch.inference_mode():
        loss = attacked.loss({"label": LABEL.clone()})
    image.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(image).sum(), image)
    assert float(gradient.abs().sum()) > 0


def test_a_loss_sees_the_model_in_eval_mode_and_leaves_it_as_found(image) -> None:
    attacked = threat(Margin(DIGIT))
    expected = attacked.loss({"label": LABEL})(image)
    attacked.model.train()
    attacked.model.norm.eval()
    before = {name: value.clone() for name, value in attacked.model.state_dict().items()}
    loss = attacked.loss({"label": LABEL})
    assert torch.equal(loss(image), expected)
    assert [module.training for module in attacked.model.modules()] == [True, True, False]
    assert all(torch.equal(attacked.model.state_dict()[name], value) for name, value in before.items())


def test_eval_mode_can_be_held(image) -> None:
    loss = threat(Margin(DIGIT)).loss({"label": LABEL})
    loss.model.train()
    with loss.in_eval_mode():
        assert not any(module.training for module in loss.model.modules())
        loss(image)
        assert not any(module.training for module in loss.model.modules())
    assert all(module.training for module in loss.model.modules())


def test_eval_mode_ends_with_an_error_too() -> None:
    model = Pixels().train()
    model.dropout.eval()
    with pytest.raises(RuntimeError, match="inside"), in_eval_mode(model):
        raise RuntimeError("inside")
    assert [module.training for module in model.modules()] == [True, False, True]


def test_another_tasks_success_needs_no_label_map(image) -> None:
    odd = Task(name="height", channels=1, target=lambda batch: batch["height"], loss=Plain(), metric=Accuracy)
    loss = threat(Margin(DIGIT), tasks=(DIGIT, odd)).loss({"label": LABEL, "height": torch.zeros(4)})
    assert loss.truth.keys() == {"digit", "height"}
    assert loss(image).shape == (4,)


def test_a_head_that_the_model_lacks_is_named() -> None:
    missing = classify("road_sign", classes=3)
    threat = ThreatModel(
        name="t", model=Pixels(), tasks=TASKS, objective=TaskLoss([missing], {"road_sign": 1.0}), budget=Linf(0.1)
    )
    loss = threat.loss({"label": LABEL})
    with pytest.raises(ValueError, match="no head for task 'road_sign', it returns digit, parity; attack another"):
        loss(torch.zeros(4, 1, 2, 2))


def test_on_a_faster_copy_the_loss_is_the_same_and_the_model_is_left_as_found(image) -> None:
    loss = threat(Margin(DIGIT)).loss({"label": LABEL})
    loss.model.train()
    fast = loss.accelerated(Acceleration(precision=torch.float32), example=image[:1])
    assert fast.model is not loss.model
    torch.testing.assert_close(fast(image), loss(image))
    assert torch.equal(fast.won(image), loss.won(image))
    assert torch.equal(fast.select(torch.tensor([2]))(image[2:3]), loss(image)[2:3])
    assert all(module.training for module in loss.model.modules())
    assert float(loss.model.norm.running_mean.abs().sum()) == 0

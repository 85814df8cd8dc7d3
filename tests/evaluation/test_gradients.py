"""Input gradients of several tasks: by hand on linear heads, and without a trace on the model."""

import pytest
import torch
from torch import Tensor, nn

from manyheads.evaluation import dual_size, task_gradients
from manyheads.evaluation.gradients import Judged, input_gradient, judged
from manyheads.tasks import UNKNOWN_CLASS, Annotation, Task, classify
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.threats import L1, L2, Budget, Linf
from manyheads.types import PerExample


class Product:
    """A loss whose derivative by the output is the truth."""

    def __call__(self, output: Tensor, truth: Tensor) -> PerExample:
        return (output * truth).flatten(1).sum(1)


class Heads(nn.Module):
    """Linear heads behind a dropout that shows the mode; counts its forward passes."""

    def __init__(self, **weights: Tensor) -> None:
        super().__init__()
        self.dropout, self.passes = nn.Dropout(0.9), 0
        self.weights = nn.ParameterDict(weights)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.passes += 1
        shown = self.dropout(image)
        return {name: (shown * weight).sum((1, 2, 3), keepdim=True) for name, weight in self.weights.items()}


def heads_and_tasks() -> tuple[Heads, tuple[Task, ...]]:
    model = Heads(one=torch.tensor([[[3.0, 4.0]]]), two=torch.tensor([[[0.0, -2.0]]]))
    names = ("one", "two")
    return model, tuple(
        Task(name=name, channels=1, target=Annotation(name), loss=Product(), metric=AbsoluteError) for name in names
    )


def batch(*truths: tuple[float, float]) -> dict[str, Tensor]:
    one, two = torch.tensor(truths).T.reshape(2, -1, 1, 1, 1)
    return {"image": torch.full((len(truths), 1, 1, 2), 0.5), "one": one, "two": two}


@pytest.mark.parametrize(("budget", "size"), [(Linf(0.1), 7.0), (L2(0.1), 5.0), (L1(0.1), 4.0)])
def test_the_dual_norm_by_hand(budget: Budget, size: float) -> None:
    gradient = torch.tensor([[[[3.0, -4.0]]], [[[0.0, 0.0]]]])
    assert dual_size(gradient, budget).tolist() == pytest.approx([size, 0.0])


@pytest.mark.parametrize("budget", [Linf(0.3), L2(0.3), L1(0.3)])
def test_the_dual_norm_is_what_a_step_of_size_one_gains(budget: Budget) -> None:
    gradient = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    order = {"Linf": 1.0, "L2": 2.0, "L1": torch.inf}[type(budget).__name__]
    torch.testing.assert_close(dual_size(gradient, budget), torch.linalg.vector_norm(gradient.flatten(1), order, dim=1))


def test_gradients_of_linear_heads_are_their_weights() -> None:
    model, tasks = heads_and_tasks()
    (examples,) = judged(model, tasks, [batch((1.0, 2.0), (-1.0, 0.0))])
    gradients = task_gradients(model, tasks, examples)
    assert gradients[:, :, 0, 0].tolist() == [[[3.0, 4.0], [-3.0, -4.0]], [[0.0, -4.0], [0.0, 0.0]]]
    assert model.passes == 1


def test_the_model_is_left_as_found_under_no_grad_and_inference_mode() -> None:
    model, tasks = heads_and_tasks()
    (examples,) = judged(model, tasks, [batch((1.0, 2.0))])
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            gradients = task_gradients(model, tasks, examples)
        assert gradients[0, 0, 0, 0].tolist() == [3.0, 4.0]
        assert model.training
        assert model.dropout.training
        assert all(weight.grad is None for weight in model.parameters())


def test_examples_without_a_target_for_every_task_are_left_out() -> None:
    model, tasks = heads_and_tasks()
    label = torch.tensor([0, UNKNOWN_CLASS, 1])
    given = {**batch((1.0, torch.nan), (2.0, 2.0), (3.0, 3.0)), "label": label}
    found = list(judged(model, [*tasks, classify("label", classes=2)], [given, given]))
    assert [examples.index.tolist() for examples in found] == [[2], [5]]
    assert [examples.truth["one"].flatten().tolist() for examples in found] == [[3.0], [3.0]]


def test_numbers_of_the_data_set_are_kept() -> None:
    model, tasks = heads_and_tasks()
    (examples,) = judged(model, tasks, [{**batch((1.0, 1.0), (1.0, 1.0)), "index": torch.tensor([8, 5])}])
    assert isinstance(examples, Judged)
    assert examples.index.tolist() == [8, 5]


def test_nothing_to_judge_is_refused() -> None:
    model, tasks = heads_and_tasks()
    with pytest.raises(ValueError, match=r"none of 2 examples has a target for every task \(one, two\)"):
        list(judged(model, tasks, [batch((1.0, torch.nan), (torch.nan, 1.0))]))


@pytest.mark.parametrize("loss", [torch.ones(2), torch.ones(2, requires_grad=True)])
def test_a_loss_that_does_not_depend_on_the_image_is_refused(loss: Tensor) -> None:
    with pytest.raises(ValueError, match="the loss of 'depth' has no gradient with respect to the image"):
        input_gradient(loss, torch.zeros(2, 1, 2, 2, requires_grad=True), name="depth")

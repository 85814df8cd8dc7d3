"""Training steps: which images are trained on, through which losses, and what they leave alone."""

from dataclasses import dataclass

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import BIM, CW, FGSM, MIM, PGD, Attack, Loss, Restarts, WorstOf
from manyheads.models import MultiTaskModel
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import L2, Budget, Linf, TaskLoss, ThreatModel
from manyheads.training import Adversarial, Clean, Ramped, Scheduled
from manyheads.training.steps import bare, mean_losses
from manyheads.types import Image

BUDGET = Linf(0.2)
Tasks = tuple[Task, ...]
Examples = dict[str, Tensor]


@dataclass(frozen=True)
class Brighter(Attack):
    """Adds a tenth to every pixel, and looks at the loss on the way."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        loss(clean)
        return budget.project(clean + 0.1, clean)


class Holder(nn.Module):
    """A model of one's own that keeps its layers under the name which data-parallel wrappers use."""

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(2, 2)


@pytest.fixture
def hardened(tasks: Tasks) -> Adversarial:
    return Adversarial(tasks, {"digit": 1.0}, PGD(steps=3, step_size=0.1), BUDGET)


def expected_losses(model: nn.Module, image: Tensor, *, batch: Examples) -> dict[str, float]:
    """Cross-entropies by hand."""
    outputs = model(image)
    truth = {"digit": batch["label"], "parity": batch["label"] % 2}
    return {
        name: -outputs[name].log_softmax(1).gather(1, answer[:, None]).mean().item() for name, answer in truth.items()
    }


def test_a_clean_step_gives_each_tasks_mean_loss_on_the_images(
    model: MultiTaskModel, tasks: Tasks, batch: Examples
) -> None:
    losses = Clean(tasks)(model.eval(), batch)
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        expected_losses(model, batch["image"], batch=batch), rel=1e-5
    )


def test_an_adversarial_step_trains_all_tasks_on_the_attacked_image(
    model: MultiTaskModel, tasks: Tasks, batch: Examples
) -> None:
    losses = Adversarial(tasks, {"digit": 1.0}, Brighter(), BUDGET)(model.eval(), batch)
    brighter = (batch["image"] + 0.1).clamp_max(1)
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        expected_losses(model, brighter, batch=batch), rel=1e-5
    )


@pytest.mark.parametrize("attacked", [{"digit": 1.0}, {"parity": 1.0}, {"digit": 1.0, "parity": 2.0}])
def test_the_inner_attack_raises_only_the_attacked_losses(
    model: MultiTaskModel, tasks: Tasks, batch: Examples, attacked: dict[str, float]
) -> None:
    attack = PGD(steps=3, step_size=0.1)
    objective = TaskLoss(tasks, attacked)
    threat = ThreatModel(name="by hand", model=model.eval(), tasks=tasks, objective=objective, budget=BUDGET)
    streams = Streams(batch["stream"]).fork("training attack")
    image = attack(threat.loss(batch), batch["image"], BUDGET, rng=streams)
    expected = mean_losses(model, image, batch=batch, tasks=tasks)
    found = Adversarial(tasks, attacked, attack, BUDGET)(model, batch)
    assert {name: loss.item() for name, loss in found.items()} == {name: loss.item() for name, loss in expected.items()}


def test_gradients_flow_into_the_weights_but_not_through_the_attack(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    batch["image"].requires_grad_()
    sum(hardened(model, batch).values()).backward()
    assert batch["image"].grad is None
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.heads.parameters())


def test_the_attack_sees_eval_mode_and_what_is_trained_on_sees_train_mode(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    seen = []
    model.encoder.register_forward_hook(lambda module, *_: seen.append(module.training))
    hardened(model, batch)
    assert seen == [False] * 4 + [True]


def test_the_attack_leaves_gradients_modes_and_running_statistics_alone(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    hardened(model, batch)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(module.training for module in model.modules())
    assert model.encoder.layers[1].num_batches_tracked == 1  # by the training pass


def test_each_example_is_attacked_by_its_own_stream(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    model.eval()
    few = {name: value[:4] for name, value in batch.items()}
    alone = [hardened(model, {name: value[row : row + 1] for name, value in batch.items()}) for row in range(4)]
    mean = torch.stack([losses["digit"] for losses in alone]).mean()
    torch.testing.assert_close(hardened(model, few)["digit"], mean, rtol=1e-5, atol=1e-6)


def test_another_epochs_streams_give_another_attack(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    model.eval()
    first, again = hardened(model, batch)["digit"], hardened(model, batch)["digit"]
    other = hardened(model, {**batch, "stream": batch["stream"] + 1})["digit"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_streams_torchs_global_generator_decides(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    model.eval()
    del batch["stream"]
    found = []
    for seed in (0, 0, 1):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            found.append(hardened(model, batch)["digit"].item())
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("progress", "share", "factor"),
    [
        (0.0, 0.5, 0.002),
        (0.1, 0.5, 0.2),
        (0.25, 0.5, 0.5),
        (0.5, 0.5, 1.0),
        (0.9, 0.5, 1.0),
        (0.0, 0.0, 1.0),
        (0.3, 1.0, 0.3),
    ],
)
def test_a_ramp_scales_budget_and_step_size_alike(
    hardened: Adversarial, progress: float, share: float, factor: float
) -> None:
    step = Ramped(hardened, share).at(progress)
    assert step.budget.eps == pytest.approx(0.2 * factor)
    assert step.attack.step_size == pytest.approx(0.1 * factor)
    assert (step.tasks, step.attacked, step.attack.steps) == (hardened.tasks, hardened.attacked, 3)


def test_a_short_ramp_never_exceeds_the_full_budget(hardened: Adversarial) -> None:
    assert Ramped(hardened, 1e-4).at(1e-5).budget.eps <= hardened.budget.eps


@pytest.mark.parametrize(
    ("attack", "at_half"),
    [
        (BIM(steps=2, step_size=0.1), BIM(steps=2, step_size=0.05)),
        (MIM(steps=2, step_size=0.1), MIM(steps=2, step_size=0.05)),
        (Restarts(PGD(2, 0.1), times=2), Restarts(PGD(2, 0.05), times=2)),
        (WorstOf((FGSM(), PGD(2, 0.1))), WorstOf((FGSM(), PGD(2, 0.05)))),
        (FGSM(), FGSM()),
        (CW(), CW()),
    ],
)
def test_a_ramp_shortens_the_steps_of_every_attack_that_has_some(tasks: Tasks, attack: Attack, at_half: Attack) -> None:
    step = Ramped(Adversarial(tasks, {"digit": 1.0}, attack, L2(2.0)), 1.0).at(0.5)
    assert step.attack == at_half
    assert step.budget == L2(1.0)


def test_a_ramp_called_as_a_step_is_the_step_at_full_budget(
    model: MultiTaskModel, hardened: Adversarial, batch: Examples
) -> None:
    model.eval()
    ramped = Ramped(hardened, 0.5)
    assert torch.equal(ramped(model, batch)["digit"], hardened(model, batch)["digit"])
    assert isinstance(ramped, Scheduled)
    assert not isinstance(hardened, Scheduled)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_ramp_that_never_ends_is_refused(hardened: Adversarial, share: float) -> None:
    with pytest.raises(ValueError, match=r"share is a share of training, in \[0, 1\], got"):
        Ramped(hardened, share)


def test_bare_takes_off_what_fabric_put_around_a_model(model: MultiTaskModel) -> None:
    wrapped = Fabric(accelerator="cpu", devices=1).setup(model)
    assert wrapped is not model
    assert bare(wrapped) is model
    assert bare(nn.DataParallel(model)) is model


def test_bare_leaves_a_model_with_a_part_called_module_whole() -> None:
    model = Holder()
    assert bare(model) is model

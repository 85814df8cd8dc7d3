"""The loop: what it does to a model batch by batch, what it records, and what it refuses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from manyheads.data import Loader
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.training import SGD, Clean, Fixed, Plan, Step, StepDecay, fit
from manyheads.types import Batch

Tasks = tuple[Task, ...]
MakeModel = Callable[[], MultiTaskModel]


@dataclass
class Noted:
    """A step that writes down which batches it saw, in which mode, and at which moment of training."""

    step: Step
    batches: list[list[int]] = field(default_factory=list)
    modes: list[bool] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        self.batches.append(batch["index"].tolist())
        self.modes.append(model.training)
        return dict(self.step(model, batch))

    def at(self, progress: float) -> Step:
        self.moments.append(progress)
        return self


class Stream(IterableDataset):
    """Batches without a length."""

    def __init__(self, batches: list[dict[str, Tensor]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return iter(self.batches)


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return SGD(learning_rate=0.05).build(model.parameters())


def same(first: nn.Module, second: nn.Module) -> bool:
    theirs = second.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in first.state_dict().items())


@pytest.fixture
def clean(tasks: Tasks) -> Clean:
    return Clean(tasks)


def test_fit_takes_the_steps_that_a_bare_loop_takes(make_model: MakeModel, clean: Clean, loader: Loader) -> None:
    model, twin = make_model(), make_model()
    model.encoder.layers[5].p = twin.encoder.layers[5].p = 0.0  # nothing is drawn
    fit(model, clean, loader, optimizer=sgd(model), plan=Plan(epochs=2))
    optimizer = sgd(twin)
    twin.train()
    for epoch in range(2):
        loader.set_epoch(epoch)
        for batch in loader:
            optimizer.zero_grad()
            sum(clean(twin, batch).values()).backward()
            optimizer.step()
    assert same(model, twin)


def test_gradients_left_from_before_are_not_used(make_model: MakeModel, clean: Clean, loader: Loader) -> None:
    model, twin = make_model(), make_model()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    for one in (model, twin):
        fit(one, clean, loader, optimizer=sgd(one))
    assert same(model, twin)


def test_combine_decides_the_weights_of_the_tasks(model: MultiTaskModel, clean: Clean, loader: Loader) -> None:
    before = {name: head.weight.clone() for name, head in model.heads.items()}
    optimizer = SGD(0.05, weight_decay=0.0).build(model.parameters())
    fit(model, clean, loader, optimizer=optimizer, combine=Fixed({"digit": 0.0, "parity": 1.0}))
    assert torch.equal(model.heads["digit"].weight, before["digit"])
    assert not torch.equal(model.heads["parity"].weight, before["parity"])


def test_history_holds_the_mean_loss_over_examples_not_over_batches(
    model: MultiTaskModel, clean: Clean, loader: Loader
) -> None:
    model.encoder.layers[1].eval()
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    model.encoder = nn.Sequential(nn.Flatten())  # nothing that differs between batches
    model.encoder.features = 64
    history = fit(model, clean, loader, optimizer=still)
    whole = next(iter(Loader(loader.source, batch_size=100)))
    expected = {name: loss.item() for name, loss in clean(model, whole).items()}
    assert {line.measure: line.value for line in history} == pytest.approx(expected, rel=1e-5)
    assert {(line.epoch, line.phase) for line in history} == {(0, "train")}


def test_every_epoch_has_its_own_order_and_each_batch_its_moment(
    model: MultiTaskModel, clean: Clean, loader: Loader
) -> None:
    noted = Noted(clean)
    fit(model, noted, loader, optimizer=sgd(model), plan=Plan(epochs=2))
    assert [len(batch) for batch in noted.batches] == [30, 30, 30, 10] * 2
    first, second = list(chain(*noted.batches[:4])), list(chain(*noted.batches[4:]))
    assert sorted(first) == sorted(second)
    assert len(set(first)) == 100
    assert first != second
    assert noted.moments == [0, 1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8]
    assert all(noted.modes)


def test_watch_hears_how_much_is_done_after_each_batch(model: MultiTaskModel, clean: Clean, loader: Loader) -> None:
    heard = []
    plan = Plan(epochs=2, watch=lambda done, losses: heard.append((done, sorted(losses))))
    fit(model, clean, loader, optimizer=sgd(model), plan=plan)
    assert [done for done, _ in heard] == [number / 8 for number in range(1, 9)]
    assert {tuple(names) for _, names in heard} == {("digit", "parity")}


@pytest.mark.usefixtures("late")
def test_losses_that_arrive_late_reach_the_watch_late_and_the_history_whole(
    make_model: MakeModel, clean: Clean, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    for _ in range(2):
        heard, model = [], make_model()
        plan = Plan(epochs=2, watch=lambda _, losses, heard=heard: heard.append(dict(losses)))
        history = fit(model, clean, loader, optimizer=sgd(model), plan=plan)
        runs.append((model, history, heard))
        monkeypatch.undo()  # the second run hears of each loss at once
    (late, history, heard), (model, expected, known) = runs
    assert same(late, model)
    assert history == expected
    assert heard == [{}, *known[:3], {}, *known[4:7]]


def test_the_schedule_multiplies_each_groups_own_rate(model: MultiTaskModel, clean: Clean, loader: Loader) -> None:
    groups = [
        {"params": model.encoder.parameters(), "lr": 0.1},
        {"params": model.heads.parameters(), "lr": 0.01},
    ]
    optimizer = torch.optim.SGD(groups)
    rates = []
    plan = Plan(
        epochs=2,
        schedule=StepDecay(every=1, by=2.0),
        watch=lambda *_: rates.append([group["lr"] for group in optimizer.param_groups]),
    )
    fit(model, clean, loader, optimizer=optimizer, plan=plan)
    assert rates == [[0.1, 0.01]] * 4 + [[0.05, 0.005]] * 4


def test_a_second_fit_starts_from_the_optimisers_own_rate(model: MultiTaskModel, clean: Clean, loader: Loader) -> None:
    optimizer = sgd(model)
    fit(model, clean, loader, optimizer=optimizer, plan=Plan(epochs=2, schedule=StepDecay(every=1)))
    fit(model, clean, loader, optimizer=optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_dropout_draws_from_the_plans_seed_and_leaves_the_global_generator_alone(
    make_model: MakeModel, clean: Clean, loader: Loader
) -> None:
    made = []
    for seed, disturbance in ((0, 1), (0, 2), (1, 1)):
        with torch.random.fork_rng():
            torch.manual_seed(disturbance)
            before = torch.get_rng_state()
            made.append(make_model())
            fit(made[-1], clean, loader, optimizer=sgd(made[-1]), plan=Plan(seed=seed))
            assert torch.equal(torch.get_rng_state(), before)
    assert same(made[0], made[1])
    assert not same(made[0], made[2])


def test_the_model_is_left_in_eval_mode_and_validated_in_it(
    make_model: MakeModel, clean: Clean, loader: Loader
) -> None:
    modes = []

    def validate(model: nn.Module) -> dict[str, float]:
        modes.extend(module.training for module in model.modules())
        model.train()
        return {"robust": 0.5}

    for plan in (Plan(), Plan(validate=validate)):
        model = make_model()
        fit(model, clean, loader, optimizer=sgd(model), plan=plan)
        assert not any(module.training for module in model.modules())
    assert modes
    assert not any(modes)


def test_validation_gets_the_model_itself_and_its_measures_enter_the_history(
    model: MultiTaskModel, clean: Clean, loader: Loader
) -> None:
    plan = Plan(epochs=2, validate=lambda found: {"robust": 0.1, "itself": found is model})
    history = fit(model, clean, loader, optimizer=sgd(model), plan=plan)
    assert [(line.epoch, line.measure, line.value) for line in history if line.phase == "validation"] == [
        (0, "robust", 0.1), (0, "itself", 1.0), (1, "robust", 0.1), (1, "itself", 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize("wrap", [list, lambda loader: DataLoader(Stream(list(loader)), batch_size=None)])
def test_batches_need_neither_epochs_nor_a_length(
    model: MultiTaskModel, clean: Clean, loader: Loader, wrap: Callable
) -> None:
    noted = Noted(clean)
    fit(model, noted, wrap(loader), optimizer=sgd(model), plan=Plan(epochs=2))
    assert noted.moments == [number / 8 for number in range(8)]


def test_fabric_decides_the_precision(make_model: MakeModel, clean: Clean, loader: Loader) -> None:
    model, rough = make_model(), make_model()
    fit(model, clean, loader, optimizer=sgd(model))
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    fit(rough, clean, loader, optimizer=sgd(rough), fabric=fabric)
    weight, other = model.heads["digit"].weight, rough.heads["digit"].weight
    assert other.dtype == torch.float32
    assert 0 < (weight - other).abs().max() < 0.05

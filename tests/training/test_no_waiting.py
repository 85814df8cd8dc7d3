"""No batch of training asks the device for a number: it would have to wait until everything before it is computed."""

import os
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from manyheads.attacks import FGSM, MIM, PGD, LastIteratePGD
from manyheads.deferral import DELIVERIES, deferred, examine
from manyheads.models import (
    MultiTaskModel,
    PerInstance,
    SmallConvNet,
    SmallDecoder,
    SmallDenseNet,
    dense_heads,
    gap_generator,
    linear_heads,
)
from manyheads.tasks import Brightness, Crossing, LabelMap, Task, classify, cross, paper_task, regroup
from manyheads.threats import L1, L2, Linf, TaskLoss, ThreatModel
from manyheads.training import SGD, Adam, Adversarial, Clean, Fooling, Optimizer, Ramped, Step, fit, mixed
from manyheads.types import Batch

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
EPS, SIZE, EXAMPLES = Linf(0.03), 16, 2
CLASSES = (
    classify("thing", classes=4),
    regroup("parity", LabelMap(("even", "odd"), (0, 1, 0, 1))),
    cross("lit", Crossing(4, Brightness((0.5,)))),
)
DENSE = tuple(paper_task(letter, classes=3) for letter in "sdDneEkKprA")
THING, DEPTH = {"thing": 1.0}, {"depth": 1.0}
READINGS = ("aten::_local_scalar_dense", "aten::is_nonzero", "aten::nonzero", "aten::equal")
"""What the profiler calls the operations whose result the program asks for."""


def classifier() -> MultiTaskModel:
    encoder = SmallConvNet(3, size=SIZE)
    return MultiTaskModel(encoder, linear_heads(CLASSES, features=encoder.features))


def dense(tasks: Sequence[Task] = DENSE) -> MultiTaskModel:
    return MultiTaskModel(SmallDenseNet(), dense_heads(tasks, features=48, decoder=SmallDecoder))


def generator() -> PerInstance:
    return PerInstance(gap_generator(["thing"], width=4, blocks=1))


def fooling(device: torch.device) -> Step:
    victim = classifier().to(device)
    goal = TaskLoss(CLASSES, THING)
    return Fooling({"thing": ThreatModel(name="all", model=victim, tasks=CLASSES, objective=goal, budget=EPS)})


def batch(number: int, device: torch.device) -> Batch:
    order = torch.arange(EXAMPLES, device=device)
    depth = 1 + torch.rand(EXAMPLES, 1, SIZE, SIZE, device=device)
    return {
        "image": torch.rand(EXAMPLES, 3, SIZE, SIZE, device=device),
        "label": order,
        "stream": order + EXAMPLES * number,
        "segmentation": torch.zeros(EXAMPLES, SIZE, SIZE, dtype=torch.long, device=device),
        "depth": depth,
        "euclidean_depth": depth + 1,
        "intrinsics": torch.full((EXAMPLES, 4), SIZE / 2, device=device),
    }


Course = tuple[Callable[[torch.device], Step], Callable[[], nn.Module]]
COURSES: dict[str, Course] = {
    "clean": (lambda _: Clean(CLASSES), classifier),
    "PGD": (lambda _: Adversarial(CLASSES, THING, PGD(3, 0.01), EPS), classifier),
    "last iterate": (lambda _: Adversarial(CLASSES, THING, LastIteratePGD(3, 0.01), EPS), classifier),
    "FGSM": (lambda _: Adversarial(CLASSES, THING, FGSM(), EPS), classifier),
    "ramped": (lambda _: Ramped(Adversarial(CLASSES, THING, MIM(2, 0.01), EPS), 0.5), classifier),
    "mixed": (lambda _: mixed(CLASSES, attack=PGD(2, 0.01), budget=EPS), classifier),
    "dense": (lambda _: Adversarial(DENSE[:4], DEPTH, PGD(2, 0.01), EPS), lambda: dense(DENSE[:4])),
    "fooling": (fooling, generator),
}
LARGE: dict[str, Course] = {"all dense tasks": (lambda _: Clean(DENSE), dense)}
# In the processor's memory they ask after every round, which costs nothing there.
IN_ROUNDS: dict[str, Course] = {
    "L2": (lambda _: Adversarial(CLASSES, THING, PGD(2, 0.1), L2(0.2)), classifier),
    "L1": (lambda _: Adversarial(CLASSES, THING, PGD(2, 1.0), L1(2.0)), classifier),
}
every_course = pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)


def readings(course: Course, *, batches: int) -> dict[str, int]:
    """Count what the profiler sees of them in one epoch."""
    make_step, make_model = course
    model = make_model()
    given = [batch(number, DEVICE) for number in range(batches)]
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        fit(model, make_step(DEVICE), given, optimizer=SGD(0.01).build(model.parameters()))
    counts = {event.key: event.count for event in seen.key_averages()}
    return {name: counts.get(name, 0) for name in READINGS}


@every_course
def test_more_batches_read_no_more_from_the_device(course: Course) -> None:
    few, many = (readings(course, batches=count) for count in (1, 2))
    assert few == many


class NeverSentError(Exception):
    """Somebody asked for numbers that do not exist."""


class NeverSent:
    """What a device that has shapes but no numbers delivers."""

    def __init__(self, _: torch.Tensor) -> None:
        pass

    def has_arrived(self) -> bool:
        return False

    def numbers(self) -> list[float]:
        raise NeverSentError


@pytest.mark.parametrize("course", (COURSES | LARGE | IN_ROUNDS).values(), ids=COURSES | LARGE | IN_ROUNDS)
def test_a_step_runs_where_there_are_no_numbers_until_its_verdicts_are_due(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DELIVERIES, "meta", NeverSent)
    nowhere = torch.device("meta")
    make_step, make_model = course
    step, model = make_step(nowhere), make_model().to(nowhere)
    finished = []

    def one_batch() -> None:
        with deferred():
            examine(torch.ones(1, device=nowhere), print)
            losses = step(model, batch(0, nowhere))
            sum(losses.values()).backward()
            finished.extend(losses)

    with pytest.raises(NeverSentError):
        one_batch()
    assert finished


@pytest.mark.skipif(DEVICE.type != "cuda", reason="only CUDA tells when a program waits for it")
@pytest.mark.parametrize("course", (COURSES | IN_ROUNDS).values(), ids=COURSES | IN_ROUNDS)
@pytest.mark.parametrize("optimizer", [SGD(0.01), Adam(0.01)])
def test_cuda_sees_nobody_wait(course: Course, optimizer: Optimizer) -> None:
    make_step, make_model = course
    model = make_model().to(DEVICE)
    fit(model, make_step(DEVICE), Watched(4), optimizer=optimizer.build(model.parameters()))


class Watched:
    """Batches during which it is an error to wait for the device; the first may, since libraries are loaded then."""

    def __init__(self, count: int) -> None:
        self.batches = [batch(number, DEVICE) for number in range(count)]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        yield self.batches[0]
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield from self.batches[1:]
        finally:
            torch.cuda.set_sync_debug_mode("default")

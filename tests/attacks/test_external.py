"""Attacks of other libraries, on one head at a time, judged like our own."""

import importlib
import warnings
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import External, WorstOf
from manyheads.evaluation import Facts, evaluate
from manyheads.models import HeadView
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import Linf, Margin, ThreatModel

EPS = 0.06


@pytest.fixture
def library():
    """Import another library, or skip: what it imports itself may be absent or made for another torch."""

    def imported(name: str, hint: str) -> ModuleType:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they warn of what others deprecated while they are imported
            try:
                return importlib.import_module(name)
            except (ImportError, RuntimeError, OSError) as error:
                pytest.skip(f"{name} cannot be imported here ({error}); {hint}")

    return imported


def judged(victim, attack: External, task: Task) -> Facts:
    """Evaluate an attack on one head of the victim."""
    threat = ThreatModel(name="t", model=victim.model, tasks=victim.tasks, objective=Margin(task), budget=Linf(EPS))
    return evaluate(victim.model, threat, attack, [victim.batch])


def still_right(facts: Facts, task: Task, when: str = "attacked") -> int:
    return int((facts.table[f"{task.name}.truth"] == facts.table[f"{task.name}.{when}"]).sum())


@pytest.mark.parametrize("place", [0, 1], ids=["first head", "second head"])
def test_torchattacks_on_a_view_breaks_its_head(library, victim, place: int) -> None:
    torchattacks = library("torchattacks", "pip install torchattacks")
    task = victim.tasks[place]
    theirs = torchattacks.PGD(HeadView(victim.model, task), eps=EPS, alpha=0.015, steps=10)
    facts = judged(victim, External(theirs, task), task)
    assert still_right(facts, task) < still_right(facts, task, "clean")
    assert facts.table["size"].max() == pytest.approx(EPS, abs=1e-5)


@pytest.mark.parametrize("place", [0, 1], ids=["first head", "second head"])
def test_foolbox_on_a_view_breaks_its_head(library, victim, place: int) -> None:
    foolbox = library("foolbox", "it comes with the extra second-opinion")
    task = victim.tasks[place]
    model = foolbox.PyTorchModel(HeadView(victim.model, task), bounds=(0, 1), device=victim.clean.device)
    pgd = foolbox.attacks.LinfPGD(rel_stepsize=None, abs_stepsize=0.015, steps=10)

    def theirs(image: Tensor, label: Tensor) -> Tensor:
        return pgd(model, image, foolbox.criteria.Misclassification(label), epsilons=EPS)[1]

    facts = judged(victim, External(theirs, task), task)
    assert still_right(facts, task) < still_right(facts, task, "clean")


@pytest.mark.parametrize("place", [0, 1], ids=["first head", "second head"])
@pytest.mark.filterwarnings("ignore")  # ART warns of what others deprecated, and imports much only when it is called
def test_art_on_a_view_breaks_its_head(library, victim, place: int) -> None:
    library("art", "pip install adversarial-robustness-toolbox")
    estimators = library("art.estimators.classification", "pip install adversarial-robustness-toolbox")
    evasion = library("art.attacks.evasion", "pip install adversarial-robustness-toolbox")
    task = victim.tasks[place]
    classifier = estimators.PyTorchClassifier(
        HeadView(victim.model, task),
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(victim.clean.shape[1:]),
        nb_classes=task.channels,
        clip_values=(0, 1),
        device_type="gpu" if victim.clean.is_cuda else "cpu",
    )
    pgd = evasion.ProjectedGradientDescent(classifier, eps=EPS, eps_step=0.015, max_iter=10, verbose=False)

    def theirs(image: Tensor, label: Tensor) -> Tensor:
        return torch.from_numpy(pgd.generate(x=image.cpu().numpy(), y=label.cpu().numpy())).to(image)

    facts = judged(victim, External(theirs, task), task)
    assert still_right(facts, task) < still_right(facts, task, "clean")


def test_an_attack_is_told_the_classes_of_its_task(victim) -> None:
    told = {}

    def listening(image: Tensor, label: Tensor) -> Tensor:
        told[len(told)] = label
        return image

    for task in victim.tasks:
        External(listening, task)(victim.loss(), victim.clean, Linf(EPS))
        External(listening, task.name)(victim.loss(), victim.clean, Linf(EPS))
    digit, parity = (task.target(victim.batch).tolist() for task in victim.tasks)
    assert [label.tolist() for label in told.values()] == [digit, digit, parity, parity]


def test_images_outside_the_budget_are_refused_and_not_mended(victim) -> None:
    attack = External(lambda image, _: (image + 2 * EPS).clamp(0, 1), victim.tasks[0])
    attacked = attack(victim.loss(), victim.clean, Linf(EPS))
    assert float((attacked - victim.clean).max()) == pytest.approx(2 * EPS)
    with pytest.raises(ValueError, match=r"images are outside the budget Linf\(eps=0.06\)"):
        judged(victim, attack, victim.tasks[0])


def test_the_callers_images_and_classes_cannot_be_written_to(victim) -> None:
    def scribbling(image: Tensor, label: Tensor) -> Tensor:
        label.zero_()
        return image.zero_()

    before = {name: value.clone() for name, value in victim.batch.items()}
    loss = victim.loss()
    truth = loss.truth["digit"].clone()
    External(scribbling, "digit")(loss, victim.clean, Linf(1.0))
    assert all(torch.equal(value, victim.batch[name]) for name, value in before.items())
    assert torch.equal(loss.truth["digit"], truth)


def random(image: Tensor, _: Tensor) -> Tensor:
    from_numpy = torch.from_numpy(np.random.rand(*image.shape)).to(image)  # noqa: NPY002 (as other libraries do)
    return (image + 0.02 * torch.rand_like(image) + 0.02 * from_numpy).clamp(0, 1)


def test_the_same_seed_gives_the_same_image_and_disturbs_no_generator(victim) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 (the same)
    streams = [Streams.of_examples(torch.arange(5), seed=seed, stage="t") for seed in (1, 1, 2)]
    first, again, other = (
        External(random, "digit")(victim.loss(), victim.clean, Linf(EPS), rng=rng) for rng in streams
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002 (the same)


def test_the_model_is_left_as_found(victim) -> None:
    def backward(image: Tensor, label: Tensor) -> Tensor:
        image = image.requires_grad_()
        victim.model.eval()
        nn.functional.cross_entropy(victim.model(image)["digit"], label).backward()
        return (image + 0.01 * image.grad.sign()).clamp(0, 1)

    victim.model.train()
    victim.model.norm.eval()
    kept = victim.model.digit.weight.grad = torch.ones_like(victim.model.digit.weight)
    attacked = External(backward, "digit")(victim.loss(), victim.clean, Linf(EPS))
    assert not torch.equal(attacked, victim.clean)
    assert victim.model.training
    assert not victim.model.norm.training
    assert victim.model.digit.weight.grad is kept
    assert bool((kept == 1).all())
    assert victim.model.parity.weight.grad is None


def test_it_takes_its_place_among_our_own(victim) -> None:
    facts = judged(victim, WorstOf((External(random, "digit"),)), victim.tasks[0])
    assert facts.table["size"].max() > 0


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda image, _: image.numpy(), TypeError, r"has to return a tensor of images, got ndarray; torch.from_numpy"),
        (lambda image, _: image[:1], ValueError, r"\(5, 3, 6, 6\) torch.float32; got \(1, 3, 6, 6\) torch.float32"),
        (lambda image, _: image.double(), ValueError, r"got \(5, 3, 6, 6\) torch.float64"),
    ],
    ids=["array", "shape", "type"],
)
def test_what_comes_back_has_to_be_images_like_those_given(victim, function, error, message: str) -> None:
    with pytest.raises(error, match=message):
        External(function, "digit")(victim.loss(), victim.clean, Linf(EPS))


def test_a_task_without_truth_is_refused(victim) -> None:
    with pytest.raises(ValueError, match="true classes of 'colour', the threat model knows: digit, parity"):
        External(random, "colour")(victim.loss(), victim.clean, Linf(EPS))


def test_a_loss_of_ones_own_is_refused(victim) -> None:
    class Own:
        knows_success = False
        __call__ = margin = won = select = lambda _, image: image.flatten(1).sum(1)

    with pytest.raises(TypeError, match="needs a manyheads"):
        External(random, "digit")(Own(), victim.clean, Linf(EPS))


def test_an_attack_is_a_value(victim) -> None:
    attack = External(random, victim.tasks[0])
    assert replace(attack) == attack

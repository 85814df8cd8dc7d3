"""What a command line can say of data, tasks, budgets and attacks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from manyheads.attacks import APGD, FAB, FGSM, MIM, PGD, Fast, Noise, Raising, Restarts, Square, standard_ensemble
from manyheads.experiments import (
    ATTACKS,
    NEED_NO_GRADIENT,
    Effort,
    budget_of,
    foreign_data,
    foreign_tasks,
    foreign_trials,
)
from manyheads.reports import STANDARD_ENSEMBLE
from manyheads.tasks import LabelMap, classify, regroup
from manyheads.threats import L1, L2, Linf, Margin

DIGIT = classify("digit", classes=10)
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1) * 5))


def write_classes(root: Path, *, count: int = 6) -> Path:
    for number in range(count):
        (root / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "ab"[number % 2] / f"{number}.png")
    return root


def test_a_data_set_is_its_test_split() -> None:
    source = foreign_data("digits")
    assert source.image_shape == (1, 8, 8)
    assert 300 < len(source) < 600


def test_all_images_of_a_folder_are_taken(tmp_path: Path) -> None:
    source = foreign_data(str(write_classes(tmp_path)), size=10)
    assert (len(source), source.image_shape, source.class_names) == (6, (3, 10, 10), ("a", "b"))


@pytest.mark.parametrize("part", ["test", "val", "validation"])
def test_the_test_images_of_a_folder_are_taken_where_it_says_which(tmp_path: Path, part: str) -> None:
    write_classes(tmp_path / "train")
    source = foreign_data(str(write_classes(tmp_path / part, count=4).parent))
    assert (len(source), source.image_shape) == (4, (3, 32, 32))


def test_data_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"'digist' is neither a folder of images nor a data set; did you mean 'digits'\?"
    ):
        foreign_data("digist")
    with pytest.raises(ValueError, match="mnist is read from a folder; say which with --data-root DIR"):
        foreign_data("mnist")
    with pytest.raises(ValueError, match="is a folder of images itself; leave --data-root out"):
        foreign_data(str(write_classes(tmp_path)), root=tmp_path)


def test_the_main_task_comes_first_and_the_others_follow() -> None:
    names = tuple(map(str, range(10)))
    tasks = foreign_tasks("digit", hidden={"parity": "digits/parity"}, class_names=names)
    assert [(task.name, task.channels) for task in tasks] == [("digit", 10), ("parity", 2)]


@pytest.mark.parametrize(
    ("norm", "eps", "budget"),
    [("linf", "8/255", Linf(8 / 255)), ("l2", "0.5", L2(0.5)), ("l1", "12", L1(12.0)), ("linf", "1", Linf(1.0))],
)
def test_a_budget_is_read(norm: str, eps: str, budget) -> None:
    assert budget_of(norm, eps=eps) == budget


@pytest.mark.parametrize(
    ("norm", "eps", "message"),
    [
        ("linf", "8", "eps is above zero and in .* got 8; write 8/255, not 8"),
        ("l2", "0", "eps is above zero"),
        ("l2", "-1", "eps is above zero"),
        ("linf", "small", "eps is a number or a fraction, such as 0.3 or 8/255, got 'small'"),
        ("linf", "8/0", "eps is a number or a fraction"),
    ],
)
def test_a_size_that_is_none_is_refused(norm: str, eps: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        budget_of(norm, eps=eps)


def test_attacks_search_as_long_as_they_are_told() -> None:
    effort = Effort(steps=5, restarts=2, queries=7)
    made = {name: make(DIGIT, Linf(0.1), effort) for name, make in ATTACKS.items()}
    assert made == {
        "noise": Noise(),
        "fgsm": FGSM(),
        "pgd": Restarts(PGD(5, 2.5 * 0.1 / 5), times=2),
        "mim": MIM(5, 2.5 * 0.1 / 5),
        "apgd": Restarts(APGD(5), times=2),
        "fab": FAB(5),
        "square": Raising(Square(7), Margin(DIGIT)),
        "standard": standard_ensemble(DIGIT),
    }
    assert set(ATTACKS) >= NEED_NO_GRADIENT
    assert ATTACKS["pgd"](DIGIT, Linf(0.1), Effort()) == PGD(40, 2.5 * 0.1 / 40)
    assert ATTACKS["standard"](DIGIT, L1(3.0), effort) == standard_ensemble(DIGIT, restarts=5)


def told(names, tasks) -> list[tuple[str, str, dict[str, float]]]:
    trials = foreign_trials(names, model=nn.Identity(), tasks=tasks, budget=Linf(0.1), effort=Effort())
    return [(one.name, one.threat.name, dict(one.threat.objective.weights)) for one in trials]


def test_a_lone_head_is_attacked_knowing_all() -> None:
    assert told(["noise", "pgd", "standard", "pgd"], [DIGIT]) == [
        ("noise", "noise", {"digit": 1.0}),
        ("pgd", "white-box", {"digit": 1.0}),
        (STANDARD_ENSEMBLE, "white-box", {"digit": 1.0}),
    ]


def test_several_heads_are_attacked_through_the_main_one_and_together() -> None:
    assert told(["pgd", "square"], [DIGIT, PARITY]) == [
        ("pgd", "white-box", {"digit": 1.0, "parity": 1.0}),
        ("pgd", "gray-box", {"digit": 1.0}),
        ("square", "white-box", {"digit": 1.0}),
    ]


def test_who_wins_is_who_misleads_the_main_head() -> None:
    trials = foreign_trials(["pgd"], model=nn.Identity(), tasks=[DIGIT, PARITY], budget=Linf(0.1), effort=Effort())
    assert {trial.threat.success for trial in trials} == {Margin(DIGIT)}


def test_a_fast_search_is_one_on_a_faster_copy_but_for_noise() -> None:
    made = foreign_trials(
        ["noise", "pgd"], model=nn.Identity(), tasks=[DIGIT], budget=Linf(0.1), effort=Effort(5, search="fast")
    )
    assert [trial.attack for trial in made] == [Noise(), Fast(PGD(5, 2.5 * 0.1 / 5))]


def test_an_unknown_attack_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no attack is called 'pdg'; did you mean 'pgd'\?"):
        told(["pdg"], [DIGIT])


@pytest.mark.parametrize("name", ["steps", "restarts", "queries"])
def test_an_effort_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has to be 1 or more, got 0"):
        Effort(**{name: 0})

from collections.abc import Callable
from pathlib import Path

import pytest

from manyheads.attacks import CW, FGSM, PGD
from manyheads.experiments import Experiment, Hardening, Trial, exchange, exchange_all, kinds
from manyheads.recipes import digits
from manyheads.threats import L2, Linf
from manyheads.training import SGD, Adam, Cosine

ATTACKS = ("FGSM", "BIM", "PGD", "MIM", "CW", "APGD", "FAB", "Square", "Ensemble")
BUDGETS = ("Linf", "L2", "L1")


@pytest.fixture
def tiny_one(tiny: Callable[..., Experiment]) -> Experiment:
    return tiny(Path("runs"), trials={"pgd": Trial(PGD(steps=3, step_size=0.1), Linf(0.2))}, sweep=())


def test_every_part_of_several_kinds_is_listed(tiny_one: Experiment) -> None:
    assert kinds(tiny_one) == {
        "training.optimizer": ("SGD", "Adam"),
        "training.schedule": ("Constant", "StepDecay", "Cosine", "OneCycle"),
        "training.combine": ("Equal", "DynamicAverage", "Aggregation"),
        "training.hardening": ("Hardening", "None"),
        "training.hardening.attack": (*ATTACKS, "LastIteratePGD"),
        "training.hardening.budget": BUDGETS,
        "training.selection": ATTACKS,
        "trials.pgd.attack": ATTACKS,
        "trials.pgd.budget": BUDGETS,
    }


def test_what_both_kinds_have_stays(tiny_one: Experiment) -> None:
    assert exchange(tiny_one, path="training.optimizer", kind="SGD").training.optimizer == SGD(3e-3, weight_decay=0.0)
    assert exchange(tiny_one, path="trials.pgd.budget", kind="L2").trials["pgd"].budget == L2(0.2)
    changed = exchange(tiny_one, path="trials.pgd.attack", kind="CW")
    assert changed.trials["pgd"] == Trial(CW(steps=3), Linf(0.2))
    assert tiny_one.trials["pgd"].attack == PGD(steps=3, step_size=0.1)


def test_hardening_can_be_left_out_and_put_back(tiny_one: Experiment) -> None:
    plain = exchange(tiny_one, path="training.hardening", kind="None")
    assert plain.training.hardening is None
    assert exchange(plain, path="training.hardening", kind="Hardening").training.hardening == Hardening()


def test_an_unknown_part_or_kind_is_refused_with_a_hint(tiny_one: Experiment) -> None:
    with pytest.raises(ValueError, match=r"'training\.optimiser' is no part .* did you mean 'training\.optimizer'\?"):
        exchange(tiny_one, path="training.optimiser", kind="SGD")
    with pytest.raises(ValueError, match=r"training\.optimizer cannot be 'Adamm'; did you mean 'Adam'\?"):
        exchange(tiny_one, path="training.optimizer", kind="Adamm")


def test_values_that_do_not_suit_the_new_kind_are_refused() -> None:
    wide = Experiment("a", trials={"cw": Trial(CW(), L2(3.0))})
    with pytest.raises(ValueError, match=r"L2\(eps=3\.0\) cannot become Linf: .*3/255"):
        exchange(wide, path="trials.cw.budget", kind="Linf")


@pytest.mark.parametrize("words", [["--training.schedule", "Cosine"], ["--training.schedule=Cosine"]])
def test_words_exchange_parts_and_the_rest_is_left(tiny_one: Experiment, words: list[str]) -> None:
    changed, left = exchange_all(tiny_one, ["--seed", "3", *words, "--training.epochs", "2"])
    assert changed.training.schedule == Cosine()
    assert left == ["--seed", "3", "--training.epochs", "2"]
    assert changed.seed == 0


def test_words_are_carried_out_in_order(tiny_one: Experiment) -> None:
    words = ["--training.hardening", "None", "--training.hardening", "Hardening", "--training.hardening.attack=FGSM"]
    changed, left = exchange_all(tiny_one, words)
    assert changed.training.hardening == Hardening(attack=FGSM())
    assert left == []


def test_hidden_tasks_are_replaced_and_not_added_to(tiny_one: Experiment) -> None:
    changed, left = exchange_all(tiny_one, ["--hidden", "half", "half.toml"])
    assert changed.hidden == {}
    assert left == ["--hidden", "half", "half.toml"]


def test_a_part_without_the_name_of_a_kind_is_refused(tiny_one: Experiment) -> None:
    with pytest.raises(ValueError, match=r"--training\.optimizer needs the name of a kind: SGD, Adam"):
        exchange_all(tiny_one, ["--training.optimizer"])


def test_nothing_is_exchanged_without_words() -> None:
    assert exchange_all(digits(), []) == (digits(), [])
    assert isinstance(digits().training.optimizer, Adam)

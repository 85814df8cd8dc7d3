import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyheads.attacks import APGD, BIM, CW, FAB, FGSM, MIM, PGD, Ensemble, LastIteratePGD, Square
from manyheads.experiments import (
    Aggregation,
    AnyAttack,
    AnyBudget,
    AnyCombine,
    Data,
    Experiment,
    Hardening,
    Training,
    Trial,
    differences,
    from_json,
    to_json,
)
from manyheads.recipes import RECIPES, digits
from manyheads.threats import L1, L2, Linf
from manyheads.training import SGD, Adam, Constant, Cosine, DynamicAverage, Equal, OneCycle, StepDecay

PLAIN = Experiment("plain", trials={"pgd": Trial(PGD(), Linf(0.3))})
NAMES = st.text("abcdefghij-_ 0123456789", min_size=1, max_size=12).map(lambda text: f"n{text}")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_comes_back_from_json(name: str) -> None:
    assert from_json(to_json(RECIPES[name]())) == RECIPES[name]()


CHANGES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "seed": st.integers(0, 2**40),
        "sweep": st.lists(st.floats(0.001, 0.29), max_size=3, unique_by=lambda eps: f"{eps:.4g}").map(tuple),
        "hidden": st.dictionaries(
            NAMES.filter(lambda name: name != "label"), st.sampled_from(["digits/prime", "own.toml"])
        ),
        "data_root": st.none() | NAMES.map(Path),
    }
)


@given(changes=CHANGES, size=st.none() | st.integers(1, 512), threshold=st.none() | st.floats(0, 9))
def test_any_values_come_back_from_json(changes: dict, size: int | None, threshold: float | None) -> None:
    one = replace(
        PLAIN,
        sweep_trial="pgd",
        data=Data("mnist", size=size),
        rejection=replace(PLAIN.rejection, threshold=threshold),
        **changes,
    )
    assert from_json(to_json(one)) == one
    assert differences(one, from_json(to_json(one))) == ()


@pytest.mark.parametrize(
    "attack",
    [FGSM(), BIM(3, 0.1), PGD(), MIM(3, 0.1), CW(), APGD(), FAB(), Square(), Ensemble(9)],
    ids=lambda attack: type(attack).__name__,
)
@pytest.mark.parametrize("budget", [Linf(0.1), L2(float("inf")), L1(3.0)], ids=lambda budget: type(budget).__name__)
def test_attacks_and_budgets_come_back_as_what_they_were(attack: AnyAttack, budget: AnyBudget) -> None:
    one = replace(PLAIN, trials={"x": Trial(attack, budget)})
    assert from_json(to_json(one)) == one


@pytest.mark.parametrize("optimizer", [SGD(0.2), Adam(0.2)], ids=lambda optimizer: type(optimizer).__name__)
@pytest.mark.parametrize(
    "schedule", [Constant(), StepDecay(), Cosine(), OneCycle()], ids=lambda one: type(one).__name__
)
def test_optimisers_and_schedules_come_back_as_what_they_were(optimizer, schedule) -> None:
    one = replace(PLAIN, training=replace(PLAIN.training, optimizer=optimizer, schedule=schedule))
    assert from_json(to_json(one)) == one


@pytest.mark.parametrize("combine", [Equal(), DynamicAverage(3.0), Aggregation("PCGrad")], ids=repr)
def test_how_losses_are_combined_comes_back_as_it_was(combine: AnyCombine) -> None:
    one = replace(PLAIN, training=replace(PLAIN.training, combine=combine))
    assert from_json(to_json(one)) == one
    assert bool(differences(one, PLAIN)) == (combine != Equal())


def test_an_inner_attack_comes_back_as_what_it_was() -> None:
    for attack in (LastIteratePGD(steps=3), PGD(steps=3), FGSM()):
        made = replace(PLAIN, training=Training(hardening=Hardening(attack)))
        assert from_json(to_json(made)) == made


def test_a_record_without_fields_that_have_defaults_is_read() -> None:
    short = {"name": "old", "trials": {"fgsm": {"attack": {"kind": "FGSM"}, "budget": {"kind": "Linf", "eps": 0.1}}}}
    assert from_json(json.dumps(short)) == Experiment("old", trials={"fgsm": Trial(FGSM(), Linf(0.1))})


def test_a_record_of_an_earlier_version_is_read() -> None:
    earlier = from_json(Path(__file__).with_name("experiment_0_1_0.json").read_text(encoding="utf-8"))
    assert earlier.hidden == {"parity": "mnist/parity", "prime": "mnist/prime"}
    assert earlier.training.optimizer == Adam(0.002)
    assert earlier.trials["cw"].budget == L2(float("inf"))
    assert {trial.search for trial in earlier.trials.values()} == {"plain"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "run.json is not JSON"),
        ("[1, 2]", r"run.json is not an experiment: expected an object, found \[1, 2\]"),
        ("null", "expected an object, found null"),
        ("{}", r"'name' is missing, or not known here @ \$"),
        ('{"name": "a", "colour": 1}', r"extra fields found \(colour\)"),
        ('{"name": "a", "seed": "x"}', r"\$\.seed"),
        ('{"name": "a", "data": {"name": "mnits"}}', "mnits not in literal"),
        ('{"name": "../a"}', "a run's name is a folder inside"),
        (
            '{"name": "a", "trials": {"x": {"attack": {"kind": "XX"}, "budget": {"eps": 1, "kind": "Linf"}}}}',
            "'XX' is m",
        ),
        (
            '{"name": "a", "trials": {"x": {"attack": {"steps": 1}, "budget": {"eps": 1, "kind": "Linf"}}}}',
            "'kind' is m",
        ),
        ('{"name": "a", "trials": {"x": {"attack": {"kind": "FGSM"}, "budget": {"eps": 8, "kind": "Linf"}}}}', "8/255"),
    ],
)
def test_what_is_no_experiment_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(text, source="run.json")


@dataclass(frozen=True)
class OwnAttack:
    """An attack of somebody else's."""

    steps: int = 3


def test_what_is_not_of_this_package_is_not_written() -> None:
    trial = Trial(PGD(), Linf(0.1))
    object.__setattr__(trial, "attack", OwnAttack())  # the type checks of the tests refuse it on the usual way
    with pytest.raises(ValueError, match="OwnAttack cannot stand in an experiment, which is kept as plain data"):
        to_json(replace(PLAIN, trials={"own": trial}))


def test_equal_experiments_do_not_differ() -> None:
    assert differences(digits(), digits()) == ()


def test_where_a_run_lies_and_how_fast_it_goes_is_no_difference() -> None:
    moved = replace(
        PLAIN, folder=Path("other"), data_root=Path("data"), data=Data(root=Path("data")), batch_size=3, workers=2
    )
    assert differences(PLAIN, moved) == ()


def test_differences_name_field_and_both_values() -> None:
    other = replace(
        PLAIN,
        seed=4,
        training=replace(PLAIN.training, epochs=3),
        trials={"pgd": Trial(PGD(steps=7), Linf(0.3), search="fast")},
    )
    assert differences(PLAIN, other) == (
        "training.epochs: 10, not 3",
        "trials.pgd.attack.steps: 40, not 7",
        "trials.pgd.search: plain, not fast",
        "seed: 0, not 4",
    )


def test_another_order_of_hidden_tasks_is_a_difference() -> None:
    one = replace(PLAIN, hidden={"parity": "digits/parity", "prime": "digits/prime"})
    other = replace(PLAIN, hidden={"prime": "digits/prime", "parity": "digits/parity"})
    assert differences(one, other) == ("hidden: parity, prime, not prime, parity",)

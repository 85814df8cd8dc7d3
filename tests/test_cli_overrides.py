"""Every field of an experiment can be given on the command line."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from manyheads.attacks import FGSM, PGD
from manyheads.cli import _overridden, main
from manyheads.experiments import Aggregation, Experiment
from manyheads.recipes import digits
from manyheads.threats import L2, Linf
from manyheads.training import SGD, DynamicAverage

# one word or more for every field of the recipe, and what becomes of it
PGD_FIELDS = {"steps": ("7", 7), "step_size": ("0.03", 0.03), "random_start": ("no", False)}
TRIAL_FIELDS = {
    "budget.eps": ("0.4", 0.4),
    "goal": ("margin", "margin"),
    "restarts": ("3", 3),
    "examples": ("9", 9),
    "search": ("fast", "fast"),
    "knowledge": ("adaptive gray-box", ("adaptive", "gray-box")),
}
GIVEN: dict[str, tuple[str, object]] = {
    "name": ("another", "another"),
    "data.name": ("image_folder", "image_folder"),
    "data.root": ("somewhere", Path("somewhere")),
    "data.size": ("24", 24),
    "data.train_examples": ("99", 99),
    "data.validation_share": ("0.3", 0.3),
    "data.flip": ("", True),
    "data.crop_padding": ("2", 2),
    "data.domain": ("dslr", "dslr"),
    "data_root": ("somewhere", Path("somewhere")),
    "main": ("thing", "thing"),
    "hidden": ("half half.toml odd digits/parity", {"half": "half.toml", "odd": "digits/parity"}),
    "architecture.encoder": ("lenet", "lenet"),
    "architecture.mean": ("0.1 0.2", (0.1, 0.2)),
    "architecture.std": ("0.3 0.4", (0.3, 0.4)),
    "training.epochs": ("2", 2),
    "training.batch_size": ("8", 8),
    "training.optimizer.learning_rate": ("0.5", 0.5),
    "training.optimizer.weight_decay": ("0.25", 0.25),
    "training.schedule.rise": ("0.6", 0.6),
    **{f"training.hardening.attack.{name}": given for name, given in PGD_FIELDS.items()},
    "training.hardening.budget.eps": ("0.2", 0.2),
    "training.hardening.ramp": ("0.7", 0.7),
    "training.patience": ("4", 4),
    **{f"training.selection.{name}": given for name, given in PGD_FIELDS.items()},
    "training.selection_examples": ("33", 33),
    "rejection.rule": ("surprise", "surprise"),
    "rejection.threshold": ("None", None),
    "rejection.reject": ("0.1", 0.1),
    **{f"trials.pgd targeted.attack.{name}": given for name, given in PGD_FIELDS.items()},
    **{f"trials.pgd targeted.{name}": given for name, given in TRIAL_FIELDS.items()},
    **{f"trials.pgd untargeted.attack.{name}": given for name, given in PGD_FIELDS.items()},
    **{f"trials.pgd untargeted.{name}": given for name, given in TRIAL_FIELDS.items()},
    "trials.cw.attack.steps": ("5", 5),
    "trials.cw.attack.learning_rate": ("0.2", 0.2),
    "trials.cw.attack.binary_search_steps": ("2", 2),
    "trials.cw.attack.initial_const": ("0.5", 0.5),
    "trials.cw.attack.confidence": ("0.1", 0.1),
    **{f"trials.cw.{name}": given for name, given in TRIAL_FIELDS.items() if name != "goal"},
    "trials.cw.goal": ("targeted", "targeted"),
    "sweep": ("0.06 0.07", (0.06, 0.07)),
    "sweep_trial": ("pgd-targeted", "pgd targeted"),
    "sweep_examples": ("11", 11),
    "blind": ("transfer", ("transfer",)),
    "sanity_examples": ("14", 14),
    "seed": ("12", 12),
    "batch_size": ("13", 13),
    "workers": ("1", 1),
    "fabric.devices": ("2", 2),
    "fabric.accelerator": ("cpu", "cpu"),
    "fabric.precision": ("bf16-mixed", "bf16-mixed"),
    "folder": ("elsewhere", Path("elsewhere")),
}


def leaves(part: object, *, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every field that holds a plain value, by its dotted path."""
    for field in fields(part):
        value, path = getattr(part, field.name), f"{prefix}{field.name}"
        inner = value.items() if isinstance(value, Mapping) and path == "trials" else [("", value)]
        for key, entry in inner:
            where = f"{path}.{key}" if key else path
            yield from leaves(entry, prefix=f"{where}.") if is_dataclass(entry) else [(where, entry)]


def option(path: str) -> str:
    return "--" + path.replace(" ", "-").replace("_", "-")


def words_of(path: str) -> list[str]:
    words = GIVEN[path][0].split()
    flags = {"no": [option(path).replace("random-start", "no-random-start")]}
    return flags.get(words[0] if words else "", [option(path), *words])


def overridden(words: list[str]) -> Experiment:
    return _overridden(digits(), words, recipe="digits")


def test_every_field_can_be_overridden() -> None:
    before = dict(leaves(digits()))
    assert GIVEN.keys() == before.keys()
    after = dict(leaves(overridden([word for path in GIVEN for word in words_of(path)])))
    assert after == {path: value for path, (_, value) in GIVEN.items()}
    assert [path for path, value in after.items() if value == before[path]] == []


@pytest.mark.parametrize("path", ["seed", "sweep", "hidden", "trials.pgd untargeted.budget.eps", "training.epochs"])
def test_what_is_not_given_stays_as_the_recipe_has_it(path: str) -> None:
    before, after = dict(leaves(digits())), dict(leaves(overridden(words_of(path))))
    assert [name for name in before if after[name] != before[name]] == [path]


def test_without_words_the_recipe_is_as_it_is() -> None:
    assert overridden([]) == digits()


def test_all_hidden_tasks_and_the_whole_curve_can_be_left_out() -> None:
    assert overridden(["--hidden", "--sweep"]) == replace(digits(), hidden={}, sweep=())


def test_a_part_can_become_one_of_another_kind_and_be_set_at_once() -> None:
    words = ["--training.optimizer", "SGD", "--training.optimizer.momentum", "0.5"]
    words += ["--training.hardening.attack=FGSM", "--trials.pgd-targeted.budget", "L2"]
    made = overridden([*words, "--trials.pgd-targeted.budget.eps", "1.5"])
    assert made.training.optimizer == SGD(3e-3, momentum=0.5, weight_decay=0.0)
    assert made.training.hardening.attack == FGSM()
    assert made.trials["pgd targeted"].budget == L2(1.5)
    assert made.trials["pgd untargeted"] == digits().trials["pgd untargeted"]
    assert made.trials["pgd untargeted"].attack == PGD(steps=20, step_size=0.02)
    assert made.training.hardening.budget == Linf(0.15)


def test_hardening_can_be_left_out() -> None:
    assert overridden(["--training.hardening", "None"]).training.hardening is None


def test_losses_can_be_combined_by_another_rule() -> None:
    assert overridden(["--training.combine", "DynamicAverage"]).training.combine == DynamicAverage()
    words = ["--training.combine", "Aggregation", "--training.combine.rule", "MGDA"]
    assert overridden(words).training.combine == Aggregation("MGDA")


def test_help_lists_fields_and_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "digits", "--help"]) == 0
    shown = capsys.readouterr().out
    for text in ("Run the recipe digits", "--training.epochs", "--trials.pgd-untargeted.budget.eps", "--data-root"):
        assert text in shown, text
    assert "--training.optimizer {SGD,Adam}" in shown
    assert "--training.combine {Equal,DynamicAverage,Aggregation}" in shown
    assert "--trials.cw.attack {FGSM,BIM,PGD,MIM,CW,APGD,FAB,Square,Ensemble}" in shown

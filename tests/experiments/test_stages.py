"""Training, guard and attacks of a run, stage by stage."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from manyheads.attacks import FGSM, PGD
from manyheads.defences import calibrate
from manyheads.evaluation import Facts
from manyheads.experiments import (
    Bars,
    Data,
    Experiment,
    Hardening,
    Outcome,
    Rejection,
    RunFiles,
    Trial,
    stages,
)
from manyheads.experiments.stages import Workshop, facts_on_disk, guard, open_workshop, score, train
from manyheads.threats import Linf
from manyheads.training import Adam, Adversarial, Clean, Ramped

Make = Callable[..., Experiment]


def opened(experiment: Experiment) -> Workshop:
    return open_workshop(experiment, RunFiles(experiment.run))


def history_of(shop: Workshop) -> pl.DataFrame:
    return pl.read_parquet(shop.files.history)


def test_a_workshop_reads_and_makes_but_writes_nothing(tiny: Make, tmp_path: Path) -> None:
    shop = opened(tiny(tmp_path))
    assert [task.name for task in shop.tasks] == ["digit", "parity", "prime"]
    assert (len(shop.splits.train), len(shop.splits.test)) == (40, 539)
    assert list(shop.model.heads) == ["digit", "parity", "prime"]
    assert list(tmp_path.iterdir()) == []


def test_the_history_holds_losses_and_validation_of_every_epoch(outcome: Outcome) -> None:
    history = pl.read_parquet(outcome.files.history)
    assert history.columns == ["epoch", "phase", "measure", "value"]
    expected = [("train", name) for name in ("digit", "parity", "prime")]
    expected += [("validation", name) for name in ("clean", "attacked", "robust")]
    for epoch in (0, 1):
        assert history.filter(epoch=epoch)["phase", "measure"].rows() == expected
    robust, attacked = (history.filter(measure=name)["value"].to_list() for name in ("robust", "attacked"))
    assert robust == attacked
    assert all(round(value * 10, 9).is_integer() for value in robust)  # shares of ten examples


def test_a_plain_model_is_chosen_by_its_clean_accuracy(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    plain = replace(tiny(tmp_path).training, hardening=None, epochs=4)
    shop = opened(tiny(tmp_path, training=plain))
    train(shop, quiet)
    history = history_of(shop).filter(phase="validation")
    robust, clean, attacked = (
        history.filter(measure=name)["value"].to_list() for name in ("robust", "clean", "attacked")
    )
    assert robust == clean
    assert clean != attacked


def test_the_best_weights_are_returned_and_not_the_last(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    # a rate at which training falls apart after its first epochs
    wild = replace(tiny(tmp_path).training, hardening=None, epochs=8, optimizer=Adam(0.2))
    shop = opened(tiny(tmp_path, training=wild))
    model = train(shop, quiet)
    best, last = (load_file(shop.files.weights / f"{name}.safetensors") for name in ("best_robust", "last"))
    robust = history_of(shop).filter(measure="robust")["value"].to_list()
    assert max(robust) > robust[-1]
    assert all(torch.equal(value, best[name]) for name, value in model.state_dict().items())
    assert any(not torch.equal(value, last[name]) for name, value in best.items())


def test_training_stops_when_patience_is_out(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    still = replace(tiny(tmp_path).training, hardening=None, epochs=30, patience=2, optimizer=Adam(0.2))
    shop = opened(tiny(tmp_path, training=still))
    train(shop, quiet)
    robust = history_of(shop).filter(measure="robust")["value"].to_list()
    best = max(place for place, value in enumerate(robust) if value == max(robust))
    assert len(robust) == best + 3 < 30


def test_images_are_changed_at_random_where_that_is_asked_for(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    losses = {}
    for name, changes in {"as they are": {}, "mirrored": {"flip": True}, "shifted": {"crop_padding": 2}}.items():
        shop = opened(tiny(tmp_path, name=name, data=Data("digits", train_examples=40, **changes)))
        train(shop, quiet)
        losses[name] = history_of(shop).filter(measure="digit", epoch=1)["value"].item()
    assert len(set(losses.values())) == 3


def test_a_step_is_what_the_experiment_says(outcome: Outcome) -> None:
    tasks = opened(outcome.experiment).tasks
    wanted = Hardening(FGSM(), Linf(0.2))
    assert stages._step(tasks, None) == Clean(tasks)
    assert stages._step(tasks, wanted) == Adversarial(tasks, {"digit": 1.0}, FGSM(), Linf(0.2))
    assert stages._step(tasks, replace(wanted, ramp=0.5)) == Ramped(stages._step(tasks, wanted), 0.5)


def test_a_fixed_threshold_is_the_guard_s(outcome: Outcome) -> None:
    assert outcome.files.read_guard().threshold == 1.0
    rejected = outcome.facts.table["rejected_clean"]
    assert rejected.equals(outcome.facts.table["score_clean"] >= 1.0, check_names=False)
    assert rejected.any()
    assert not rejected.all()


@pytest.mark.parametrize("rule", ["count", "surprise"])
def test_a_guard_is_calibrated_on_the_validation_split(outcome: Outcome, tiny: Make, tmp_path: Path, rule: str) -> None:
    shop = opened(tiny(tmp_path, rejection=Rejection(rule=rule, threshold=None, reject=0.1)))
    trained = opened(outcome.experiment).model.eval()
    made = guard(shop, trained)
    expected = calibrate(trained, made.rejector, shop.loader(shop.splits.validation), reject=0.1)
    assert made.threshold == expected.threshold == shop.files.read_guard().threshold


def test_the_seed_decides_the_random_starts(outcome: Outcome, tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    attacked = []
    for seed in (0, 1):
        trials = {"pgd": Trial(PGD(steps=1, step_size=0.01), Linf(0.1), examples=4, knowledge=("gray-box",))}
        shop = opened(tiny(tmp_path, name=f"{seed}", seed=seed, trials=trials, sweep=()))
        victim = guard(shop, opened(outcome.experiment).model.eval())
        attacked.append(stages.attack_all(shop, victim, quiet).table["loss_attacked", "index"])
    assert attacked[0]["index"].equals(attacked[1]["index"])
    assert not attacked[0]["loss_attacked"].equals(attacked[1]["loss_attacked"])


def test_a_run_that_goes_on_keeps_the_commit_that_trained_it(tiny: Make, tmp_path: Path) -> None:
    shop = opened(tiny(tmp_path))
    made = guard(shop, shop.model)
    older = replace(shop.files.read_guard(), commit="older")
    shop.files.guard.write_text(older.to_json())
    guard(shop, shop.model)
    assert shop.files.read_guard() == older
    shop.files.guard.write_text(replace(older, threshold=7.0).to_json())
    guard(shop, shop.model)
    assert shop.files.read_guard().threshold == made.threshold
    assert shop.files.read_guard().commit != "older"


def test_galleries_show_the_images_of_the_facts(outcome: Outcome) -> None:
    place = {"trial": "pgd untargeted", "eps": 0.1}
    for threat in ("gray-box", "white-box", "adaptive"):
        shown = load_file(outcome.files.gallery_of(threat, **place))
        table = outcome.facts.table.filter(threat=threat, attack="pgd untargeted", eps=0.1)
        rows = table.filter(pl.col("index").is_in(shown["index"].tolist())).sort("index")
        order = shown["index"].argsort()
        assert shown["index"][order].tolist() == rows["index"].to_list()
        for name in ("digit.truth", "digit.clean", "digit.attacked", "prime.attacked"):
            task, column = name.split(".")
            assert shown[f"{column}.{task}"][order].tolist() == rows[name].to_list()
        assert shown["rejected_attacked"][order].tolist() == rows["rejected_attacked"].to_list()
        assert float((shown["attacked"] - shown["clean"]).abs().max()) <= 0.1 + 1e-6


def test_a_trial_may_take_all_test_examples(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    trials = {"fgsm": Trial(FGSM(), Linf(0.1), knowledge=("gray-box",))}
    shop = opened(tiny(tmp_path, trials=trials, sweep=()))
    facts = stages.attack_all(shop, guard(shop, shop.model.eval()), quiet)
    assert sorted(facts.table["index"]) == sorted(shop.splits.test.rows.tolist())


def test_more_examples_begin_with_the_fewer(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    found = []
    for count in (5, 20):
        trials = {"fgsm": Trial(FGSM(), Linf(0.1), examples=count, knowledge=("gray-box",))}
        shop = opened(tiny(tmp_path, name=f"{count}", trials=trials, sweep=()))
        found.append(set(stages.attack_all(shop, guard(shop, shop.model.eval()), quiet).table["index"]))
    assert [len(numbers) for numbers in found] == [5, 20]
    assert found[0] < found[1]


def test_facts_are_read_once_all_are_there(outcome: Outcome, tmp_path: Path) -> None:
    assert facts_on_disk(outcome.files, outcome.experiment).table.equals(outcome.facts.table)
    assert facts_on_disk(RunFiles(tmp_path), outcome.experiment) is None
    more = {**outcome.experiment.trials, "another": Trial(PGD(), Linf(0.1))}
    assert facts_on_disk(outcome.files, replace(outcome.experiment, trials=more)) is None


def test_damaged_facts_are_named(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    for path in outcome.files.facts.iterdir():
        (tmp_path / "facts" / path.name).write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"\.parquet is not a whole Parquet file"):
        facts_on_disk(RunFiles(tmp_path), outcome.experiment)


def test_scores_are_written_beside_the_facts(outcome: Outcome, tmp_path: Path) -> None:
    table = score(RunFiles(tmp_path), Facts(outcome.facts.table.head(12)))
    assert pl.read_parquet(tmp_path / "scores.parquet").equals(table)


def test_a_workshop_of_unknown_labels_is_refused(tiny: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the hidden task 'odd' cannot be made"):
        opened(tiny(tmp_path, hidden={"odd": "cifar10/kind"}))

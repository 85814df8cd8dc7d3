"""Facts of dense tasks: what each example adds to a counter, before and after the attack."""

from pathlib import Path

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from torch import Tensor, nn

from manyheads.attacks import BIM, CW, Restarts
from manyheads.evaluation import Attacked, Facts, evaluate, joined, scores
from manyheads.threats import Houdini, ThreatModel


@pytest.fixture(scope="module")
def facts(dense) -> Facts:
    return dense.evaluated()


def answers(victim: nn.Module, image: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        return victim(image)


def test_every_column_is_what_the_returned_images_do_to_the_victim(dense) -> None:
    victim, seen = dense.model(), []
    table = evaluate(victim, dense.threat(victim), dense.ATTACK, dense.batches(11), observe=seen.append).table
    attacked: Attacked = seen[0]
    frames = dense.frames()
    for when, image in (("clean", frames["image"]), ("attacked", attacked.image)):
        outputs = answers(victim, image)
        for task in dense.TASKS[:2]:
            truth = frames[task.name]
            missing = {"ground": dense.NO_GROUND, "depth": dense.NO_DEPTH}[task.name]
            kept = [row for row in range(11) if row != missing]
            state, loss = table[f"{task.name}.{when}_state"], table[f"{task.name}.{when}_loss"]
            expected = task.metric().count(outputs[task.name], truth)
            assert torch.allclose(torch.tensor(state[kept].to_list()).double(), expected[kept].cpu())
            assert loss[kept].to_list() == pytest.approx(task.loss(outputs[task.name], truth)[kept].tolist())
            assert (state[missing], loss[missing]) == (None, None)


def test_columns_have_the_promised_types_and_nobody_has_won(facts: Facts) -> None:
    schema = dict(facts.table.schema)
    for task in ("ground", "depth"):
        assert {schema[f"{task}.{when}_loss"] for when in ("clean", "attacked")} == {pl.Float64}
        assert {schema[f"{task}.{when}_state"] for when in ("clean", "attacked")} == {pl.List(pl.Float64)}
        assert f"{task}.truth" not in schema
    assert schema["won"] == pl.Boolean
    assert facts.table["won"].null_count() == 11
    assert set(facts.table["main"]) == {"ground"}


def test_facts_tell_answers_from_measurements(facts: Facts) -> None:
    assert facts.tasks == ("ground", "room", "depth")
    assert facts.classified == ("room",)
    assert facts.measured == ("ground", "depth")


def test_an_unknown_class_is_null_and_counts_for_nothing(dense, facts: Facts) -> None:
    assert facts.table["room.truth"].null_count() == 1
    assert facts.table["room.truth"][dense.NO_ROOM] is None
    table = scores(facts).filter(condition="clean", score="accuracy")
    assert (table["task"].to_list(), table["n"].to_list()) == (["room"], [10])


def test_a_dense_main_task_has_a_rejection_rate_and_no_shares_of_right_answers(facts: Facts) -> None:
    table = scores(facts).filter(task="ground")
    assert set(table["score"]) == {"rejection_rate"}


def test_scores_of_the_main_task_leave_unknown_classes_out(dense) -> None:
    table = scores(dense.evaluated(room=1.0)).filter(condition="attacked", task="room")
    counts = dict(zip(table["score"], table["n"], strict=True))
    judged = ("accuracy", "accepted_accuracy", "accuracy_with_rejection", "accepted_error")
    assert counts == {**dict.fromkeys(judged, 10), "rejection_rate": 11}


def test_an_attack_on_one_task_raises_its_loss(dense) -> None:
    for name, other in (("ground", "depth"), ("depth", "ground")):
        table = dense.evaluated(**{name: 1.0}).table
        change = {task: table[f"{task}.attacked_loss"] - table[f"{task}.clean_loss"] for task in (name, other)}
        assert change[name].drop_nulls().min() > 0
        assert change[name].mean() > change[other].mean()


def test_an_example_without_a_target_is_left_as_it_is(dense) -> None:
    victim, seen = dense.model(), []
    threat = dense.threat(victim, ground=1.0)
    evaluate(victim, threat, BIM(3, 0.02), dense.batches(11), observe=seen.append)
    moved = (seen[0].image != seen[0].clean).flatten(1).any(1)
    assert moved.tolist() == [row != dense.NO_GROUND for row in range(11)]


@pytest.mark.parametrize("size", [1, 3, 11])
def test_batch_size_changes_no_fact(dense, facts: Facts, size: int) -> None:
    victim = dense.model()
    table = evaluate(victim, dense.threat(victim), dense.ATTACK, dense.batches(size)).table
    assert_frame_equal(table, facts.table, abs_tol=1e-5)


def test_facts_survive_the_way_to_disk(facts: Facts, tmp_path: Path) -> None:
    facts.save(tmp_path / "facts.parquet")
    assert_frame_equal(Facts.load(tmp_path / "facts.parquet").table, facts.table)


def test_facts_of_a_model_with_fewer_tasks_are_null_where_it_lacks_one(facts: Facts) -> None:
    single = Facts(facts.table.drop(pl.selectors.starts_with("depth."))).labelled(model="single", attack="PGD")
    both = joined([single, facts])
    assert both.measured == ("ground", "depth")
    assert both.table.filter(model="single")["depth.clean_state"].null_count() == 11
    assert_frame_equal(both.table.filter(model="Dense"), facts.table, check_column_order=False)


def test_a_plain_function_can_be_raised_and_nobody_has_won(dense) -> None:
    victim = dense.model()
    threat = ThreatModel(
        name="near", model=victim, tasks=dense.TASKS, objective=lambda outputs, _: -outputs["depth"].mean((1, 2, 3)),
        budget=dense.threat(victim).budget,
    )  # fmt: skip
    table = evaluate(victim, threat, Restarts(dense.ATTACK, times=2), dense.batches()).table
    assert table["won"].null_count() == 11
    assert (table["loss_attacked"] > table["loss_clean"]).all()


def test_houdini_is_evaluated_like_any_objective(dense) -> None:
    victim = dense.model()
    plain = dense.threat(victim)
    threat = ThreatModel(
        name="houdini", model=victim, tasks=dense.TASKS, objective=Houdini("ground"), budget=plain.budget
    )
    table = evaluate(victim, threat, dense.ATTACK, dense.batches()).table
    assert set(table["main"]) == {"ground"}
    assert (table["loss_attacked"].gather([0, 1, 2]) > table["loss_clean"].gather([0, 1, 2])).all()


def test_an_attack_that_needs_to_know_who_has_won_says_so(dense) -> None:
    victim = dense.model()
    with pytest.raises(ValueError, match=r"give the threat model success=\.\.\."):
        evaluate(victim, dense.threat(victim), CW(2), dense.batches())

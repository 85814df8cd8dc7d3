"""Evaluation believes nothing but what the returned images do to the victim."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import polars as pl
import pytest
import torch
from lightning_fabric import Fabric
from polars.testing import assert_frame_equal
from torch import Tensor, nn

from manyheads.attacks import BIM, CW, FGSM, PGD, Attack, Loss, Restarts
from manyheads.defences import Evasive
from manyheads.evaluation import Attacked, evaluate
from manyheads.randomness import Streams
from manyheads.threats import L1, L2, Budget, Linf, Margin, Targeted, TaskLoss, ThreatModel
from manyheads.types import Image

ATTACK = PGD(steps=3, step_size=0.05)


@dataclass(frozen=True)
class Shifted(Attack):
    """Shifts all pixels, whatever the budget says."""

    by: float

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        return clean + self.by


def recomputed(victim: nn.Module, image: Tensor) -> dict[str, list[int]]:
    """The victim's answers in eval mode."""
    victim.eval()
    with torch.no_grad():
        return {name: output.argmax(1).tolist() for name, output in victim(image).items()}


def test_every_column_is_what_the_returned_images_do_to_the_victim(scene) -> None:
    facts = evaluate(scene.guard, scene.threat, Shifted(0.0), scene.batches())
    image, label = scene.examples["image"], scene.examples["label"]
    answers, table = recomputed(scene.model, image), facts.table
    assert table["index"].to_list() == list(range(100, 172, 3))
    assert table["digit.truth"].to_list() == label.tolist()
    assert table["parity.truth"].to_list() == (label % 2).tolist()
    for name, expected in answers.items():
        assert table[f"{name}.clean"].to_list() == table[f"{name}.attacked"].to_list() == expected
    wrong = [answer != truth for answer, truth in zip(answers["digit"], label.tolist(), strict=True)]
    odd = [answer % 2 != hidden for answer, hidden in zip(answers["digit"], answers["parity"], strict=True)]
    assert table["won"].to_list() == wrong
    assert table["rejected_clean"].to_list() == table["rejected_attacked"].to_list() == odd
    assert table["score_clean"].to_list() == [float(rejected) for rejected in odd]
    losses = nn.functional.cross_entropy(scene.model(image)["digit"], label, reduction="none")
    assert table["loss_attacked"].to_list() == pytest.approx(losses.tolist(), rel=1e-5)
    assert table["size"].to_list() == [0.0] * 24


def test_an_attack_shows_in_the_facts(scene) -> None:
    table = evaluate(scene.guard, scene.threat, ATTACK, scene.batches()).table
    assert (table["loss_attacked"] >= table["loss_clean"]).all()
    assert table["won"].sum() > (table["digit.clean"] != table["digit.truth"]).sum()
    assert (table["won"] == (table["digit.attacked"] != table["digit.truth"])).all()
    assert table["size"].max() == pytest.approx(0.1, abs=1e-6)
    assert (table["loss_attacked"] > table["loss_clean"] + 0.1).mean() > 0.5


def test_facts_have_the_promised_columns_and_types(scene) -> None:
    answers = {f"{task}.{what}": pl.Int64 for task in ("digit", "parity") for what in ("truth", "clean", "attacked")}
    expected = {
        **dict.fromkeys(("model", "threat", "attack", "norm", "main"), pl.String),
        **dict.fromkeys(("eps", "size", "loss_clean", "loss_attacked", "score_clean", "score_attacked"), pl.Float64),
        **dict.fromkeys(("won", "rejected_clean", "rejected_attacked"), pl.Boolean),
        "index": pl.Int64,
        **answers,
    }
    for victim in (scene.guard, scene.model):
        table = evaluate(victim, scene.threat, FGSM(), scene.batches()).table
        assert dict(table.schema) == expected
        assert table.select("threat", "attack", "eps", "norm", "main").row(0) == (
            "gray-box",
            "FGSM",
            0.1,
            "Linf",
            "digit",
        )


@pytest.mark.parametrize(
    ("attack", "size"), [(ATTACK, 1), (ATTACK, 24), (Restarts(PGD(steps=2, step_size=0.05), times=3), 7)]
)
def test_batch_size_changes_no_fact(scene, attack: Attack, size: int) -> None:
    first = evaluate(scene.guard, scene.threat, attack, scene.batches())
    assert_frame_equal(
        evaluate(scene.guard, scene.threat, attack, scene.batches(size)).table, first.table, abs_tol=1e-5
    )


def test_the_order_of_the_examples_changes_no_fact(scene) -> None:
    first = evaluate(scene.guard, scene.threat, ATTACK, scene.batches())
    turned = [{name: value.flip(0) for name, value in batch.items()} for batch in reversed(scene.batches())]
    assert_frame_equal(evaluate(scene.guard, scene.threat, ATTACK, turned).table, first.table, abs_tol=1e-5)


def test_the_seed_alone_decides_the_random_numbers_whatever_the_threat_is_called(scene) -> None:
    def sizes(threat: ThreatModel, *, seed: int) -> list[float]:
        return (
            evaluate(scene.model, threat, PGD(steps=1, step_size=1e-3), scene.batches(), seed=seed)
            .table["loss_attacked"]
            .to_list()
        )

    first = sizes(scene.threat, seed=0)
    assert sizes(scene.threat, seed=0) == first
    assert sizes(scene.threat, seed=1) != first
    assert sizes(replace(scene.threat, name="white-box"), seed=0) == first


def test_examples_without_numbers_are_counted(scene) -> None:
    del scene.examples["index"]
    table = evaluate(scene.model, scene.threat, ATTACK, scene.batches(7)).table
    assert table["index"].to_list() == list(range(24))
    assert all("index" not in batch for batch in scene.batches())


def test_without_a_guard_nothing_is_rejected_and_there_is_no_score(scene) -> None:
    table = evaluate(scene.model, scene.threat, ATTACK, scene.batches()).table
    assert not (table["rejected_clean"] | table["rejected_attacked"]).any()
    assert table["score_clean"].null_count() == table["score_attacked"].null_count() == 24
    guarded = evaluate(scene.guard, scene.threat, ATTACK, scene.batches()).table
    mine = ~pl.selectors.matches("score|rejected")
    assert_frame_equal(table.select(mine), guarded.select(mine))


def test_a_transfer_attack_is_scored_on_the_victim_and_won_on_its_own_model(scene, transfer: ThreatModel) -> None:
    images = []
    facts = evaluate(scene.model, transfer, ATTACK, scene.batches(24), observe=lambda seen: images.append(seen.image))
    table, label = facts.table, scene.examples["label"].tolist()
    assert table["digit.attacked"].to_list() == recomputed(scene.model, images[0])["digit"]
    own = recomputed(transfer.model, images[0])["digit"]
    assert table["won"].to_list() == [answer != truth for answer, truth in zip(own, label, strict=True)]
    assert table["digit.attacked"].to_list() != own


def test_victim_and_attacked_model_are_left_as_found(scene, transfer: ThreatModel) -> None:
    scene.model.noise.eval()
    before = {name: value.clone() for name, value in scene.model.state_dict().items()}
    for threat in (scene.threat, transfer):
        evaluate(scene.guard, threat, ATTACK, scene.batches())
    assert (scene.model.training, scene.model.norm.training, scene.model.noise.training) == (True, True, False)
    assert transfer.model.norm.training
    assert all(torch.equal(value, before[name]) for name, value in scene.model.state_dict().items())
    assert all(parameter.grad is None for parameter in scene.model.parameters())


def test_facts_are_the_same_in_train_mode_under_autocast_no_grad_and_inference_mode(scene) -> None:
    expected = evaluate(scene.guard, scene.threat, ATTACK, scene.batches()).table
    scene.model.eval()
    assert_frame_equal(evaluate(scene.guard, scene.threat, ATTACK, scene.batches()).table, expected)
    with torch.no_grad(), torch.autocast(scene.examples["image"].device.type, dtype=torch.bfloat16):
        assert_frame_equal(evaluate(scene.guard, scene.threat, ATTACK, scene.batches()).table, expected)
    with torch.inference_mode():
        batches = [{name: value.clone() for name, value in batch.items()} for batch in scene.batches()]
        assert batches[0]["image"].is_inference()
        assert_frame_equal(evaluate(scene.guard, scene.threat, ATTACK, batches).table, expected)
    assert_frame_equal(evaluate(scene.guard, scene.threat, ATTACK, batches).table, expected)


def test_an_observer_sees_each_attacked_batch(scene) -> None:
    seen: list[Attacked] = []
    table = evaluate(scene.guard, scene.threat, ATTACK, scene.batches(), observe=seen.append).table
    assert torch.cat([each.index for each in seen]).tolist() == table["index"].to_list()
    assert torch.equal(torch.cat([each.clean for each in seen]), scene.examples["image"])
    assert torch.cat([each.truth["parity"] for each in seen]).tolist() == table["parity.truth"].to_list()
    assert torch.cat([each.after["digit"].argmax(1) for each in seen]).tolist() == table["digit.attacked"].to_list()
    assert torch.cat([each.decisions[1].rejected for each in seen]).tolist() == table["rejected_attacked"].to_list()


def test_what_becomes_of_a_batch_afterwards_changes_no_fact(scene) -> None:
    def wipe(attacked: Attacked) -> None:
        for tensor in (attacked.index, *attacked.truth.values()):
            tensor.zero_()

    copies = [{name: value.clone() for name, value in batch.items()} for batch in scene.batches()]
    wiped = evaluate(scene.guard, scene.threat, ATTACK, copies, observe=wipe)
    assert_frame_equal(wiped.table, evaluate(scene.guard, scene.threat, ATTACK, scene.batches()).table)


def test_fabric_places_model_and_batches(scene) -> None:
    expected = evaluate(scene.guard, scene.threat, ATTACK, scene.batches())
    fabric = Fabric(accelerator="cpu", devices=1)
    assert_frame_equal(
        evaluate(scene.guard, scene.threat, ATTACK, scene.batches(), fabric=fabric).table, expected.table, abs_tol=1e-5
    )


@pytest.mark.parametrize(
    ("objective", "main"),
    [
        (lambda scene: TaskLoss(scene.tasks, {"parity": 1.0, "digit": 0.1}), "parity"),
        (lambda _: Margin("parity"), "parity"),
        (lambda scene: Targeted(scene.tasks[1]), "parity"),
        (lambda scene: Evasive(Margin("digit"), scene.guard.rejector), "digit"),
    ],
)
def test_without_a_guard_the_main_task_is_the_attacked_one(scene, objective: Callable, main: str) -> None:
    threat = replace(scene.threat, objective=objective(scene), tasks=scene.tasks[::-1])
    assert set(evaluate(scene.model, threat, FGSM(), scene.batches()).table["main"]) == {main}


def test_with_a_guard_the_main_task_is_the_guarded_one(scene) -> None:
    threat = replace(scene.threat, objective=Margin("parity"))
    assert set(evaluate(scene.guard, threat, FGSM(), scene.batches()).table["main"]) == {"digit"}


@pytest.mark.parametrize("budget", [Linf(0.1), L2(0.3), L1(1.0)])
def test_sizes_are_in_the_norm_of_the_budget(scene, budget: Budget) -> None:
    images: list[Attacked] = []
    threat = replace(scene.threat, budget=budget)
    table = evaluate(scene.model, threat, BIM(3, budget.eps / 2), scene.batches(24), observe=images.append).table
    change = images[0].image - images[0].clean
    order = {"Linf": inf, "L2": 2, "L1": 1}[type(budget).__name__]
    assert table["size"].to_list() == pytest.approx(
        torch.linalg.vector_norm(change.flatten(1), order, dim=1).tolist(), rel=1e-5
    )
    assert set(table["norm"]) == {type(budget).__name__}


def test_an_unlimited_budget_is_evaluated_too(scene) -> None:
    threat = replace(scene.threat, budget=L2(inf), objective=Margin("digit"))
    table = evaluate(scene.model, threat, CW(10, 0.1, binary_search_steps=1, initial_const=10.0), scene.batches()).table
    assert table["won"].mean() > 0.5
    assert set(table["eps"]) == {inf}

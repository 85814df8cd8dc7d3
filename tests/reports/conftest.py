"""A study that never ran: its numbers follow from formulas, so that every cell of a report is known beforehand."""

import numpy as np
import polars as pl
import pytest
import torch

from manyheads.reports import Challenge, DenseExhibit, DenseResults, Exhibit, Heads, Pairs, Results

COMBINATIONS = ("main", "main+parity", "main+prime", "main+parity+prime")
TRAININGS = ("plain", "hardened")
THREATS = ("gray-box", "white-box", "adaptive")
CHALLENGES = (
    Challenge(attack="pgd targeted", norm="Linf", eps=8 / 255),
    Challenge(attack="pgd untargeted", norm="Linf", eps=8 / 255),
    Challenge(attack="cw untargeted", norm="L2", eps=float("inf")),
)
COUNT = 360


def wilson(right, count):
    """The textbook formula, written a second time."""
    if count == 0:
        return None, None
    z, share = 1.959963984540054, right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def right_under_attack(*, combination, training, threat, attack):
    """How many of the 360 the main head gets right."""
    hidden = combination.count("+")
    start = {"plain": 20, "hardened": 280}[training] - 12 * [c.attack for c in CHALLENGES].index(attack)
    gain = {"gray-box": 15, "white-box": 5, "adaptive": 1}[threat] * hidden
    return max(0, min(COUNT, start + gain))


def rejected_under_attack(*, combination, training, threat):
    hidden = combination.count("+")
    return hidden * {"gray-box": 20, "white-box": 8, "adaptive": 0}[threat] * (2 if training == "hardened" else 1)


def rows_of_model(combination, training, *, challenges):
    """All scores of one model."""
    model, hidden = f"{combination} {training}", combination.split("+")[1:]
    for challenge in challenges:
        for threat in THREATS:
            given = {"combination": combination, "training": training, "threat": threat}
            right = right_under_attack(**given, attack=challenge.attack)
            rejected = rejected_under_attack(**given)
            wrong_rejected = min(rejected, COUNT - right)
            accepted_right = right - (rejected - wrong_rejected)
            for condition, numbers in {
                "clean": (355 if training == "plain" else 345, 4 * len(hidden), 355 - 8),
                "attacked": (right, rejected, accepted_right),
            }.items():
                share_right, refused, kept = numbers
                with_rejection = kept if condition == "clean" else right + wrong_rejected
                shares = {
                    ("accuracy", "digit"): (share_right, COUNT),
                    ("accepted_accuracy", "digit"): (min(kept, COUNT - refused), COUNT - refused),
                    ("rejection_rate", "digit"): (refused, COUNT),
                    ("accuracy_with_rejection", "digit"): (with_rejection, COUNT),
                    ("accepted_error", "digit"): (
                        COUNT - right - wrong_rejected if condition == "attacked" else 5,
                        COUNT,
                    ),
                } | {("accuracy", name): (300 - 5 * number, COUNT) for number, name in enumerate(hidden)}
                for (score, task), (share, count) in shares.items():
                    low, high = wilson(share, count)
                    yield {
                        "model": model, "threat": threat, "attack": challenge.attack, "eps": challenge.eps,
                        "norm": challenge.norm, "condition": condition, "score": score, "task": task,
                        "value": share / count if count else None, "low": low, "high": high, "n": count,
                    }  # fmt: skip


def frame_of_scores(challenges=CHALLENGES):
    rows = [
        row
        for training in TRAININGS
        for combination in COMBINATIONS
        for row in rows_of_model(combination, training, challenges=challenges)
    ]
    return pl.DataFrame(rows)


@pytest.fixture(scope="session")
def models():
    rows = [(f"{c} {t}", c, t) for t in TRAININGS for c in COMBINATIONS]
    return pl.DataFrame(rows, schema=["model", "combination", "training"], orient="row")


@pytest.fixture(scope="session")
def scores():
    return frame_of_scores()


@pytest.fixture(scope="session")
def results(scores, models):
    return Results(scores, models)


@pytest.fixture(scope="session")
def over_eps(models):
    """The same attack at five sizes; accuracy falls linearly with the size."""
    frames = []
    for steps in (4, 1, 2, 16, 8):
        challenge = Challenge(attack="pgd untargeted", norm="Linf", eps=steps / 255)
        frame = frame_of_scores((challenge,))
        factor = pl.lit(1 - steps / 20)
        frames.append(frame.with_columns(*(pl.col(name) * factor for name in ("value", "low", "high"))))
    return Results(pl.concat(frames), models)


@pytest.fixture(scope="session")
def history():
    rows = []
    for epoch in range(8):
        rows += [
            (epoch, "train", task, 2.3 / (epoch + place)) for place, task in enumerate(("digit", "parity"), start=1)
        ]
        rows += [(epoch, "validation", "clean", 0.98 - 0.5 / (epoch + 1))]
        rows += [(epoch, "validation", "robust", 0.8 - 0.6 / (epoch + 1))]
    return pl.DataFrame(rows, schema=["epoch", "phase", "measure", "value"], orient="row")


def exhibit_of(threat, *, attack="pgd untargeted", model="main+parity hardened", channels=1):
    """Eight drawn digits: fooled and accepted, fooled and rejected, right, right but rejected, twice."""
    grid = torch.linspace(0, 1, 64).reshape(8, 8)
    clean = torch.stack([(grid.roll(shift, dims=1) > 0.4 + 0.05 * shift).float() for shift in range(8)])
    clean = clean[:, None].repeat(1, channels, 1, 1)
    change = 8 / 255 * torch.where(torch.arange(64).reshape(8, 8) % 3 == 0, 1.0, -1.0)
    digit = torch.arange(8)
    after = torch.where(torch.arange(8) % 4 < 2, (digit + 3) % 10, digit)
    parity = digit % 2
    return Exhibit(
        model=model,
        threat=threat,
        challenge=Challenge(attack=attack, norm="Linf", eps=8 / 255),
        main="digit",
        clean=clean,
        attacked=(clean + change).clamp(0, 1),
        heads={
            "digit": Heads(truth=digit, clean=digit, attacked=after),
            "parity": Heads(truth=parity, clean=parity, attacked=parity),
        },
        rejected_clean=torch.zeros(8, dtype=torch.bool),
        rejected_attacked=torch.arange(8) % 2 == 1,
        class_names={"parity": ("even", "odd")},
    )


@pytest.fixture(scope="session")
def exhibits():
    return tuple(exhibit_of(threat) for threat in THREATS)


DENSE_SCORES = {"segmentation": {"miou": 0.3, "pixel_accuracy": 0.6}, "depth": {"absolute_error": 0.8, "pixels": 900.0}}
DENSE_ATTACKS = (
    ("single-task", "fgsm", 4),
    ("single-task", "pgd", 4),
    ("single-task", "pgd", 1),
    ("multi-task", "pgd", 4),
)


def dense_row(model, attack, *, task, score, condition):
    """Halved by FGSM, quartered by PGD (errors: doubled, quadrupled); models of more tasks are a tenth better."""
    threat, name, size = attack
    factor = 1.0 if condition == "clean" else {"fgsm": 2.0, "pgd": 4.0}[name] ** (0.5 if size == 1 else 1)
    gain = 1.1 if " " in model else 1.0
    value = DENSE_SCORES[task][score]
    value = value * gain / factor if score in {"miou", "pixel_accuracy"} else value / gain * factor
    return {
        "model": model, "threat": threat, "attack": name, "eps": size / 255, "norm": "Linf", "condition": condition,
        "score": score, "task": task, "value": value, "low": 0.9 * value, "high": min(1.05 * value, 1e9), "n": 50,
    }  # fmt: skip


def dense_frame():
    tasks = {"s d": ("segmentation", "depth"), "s": ("segmentation",), "d": ("depth",)}
    return pl.DataFrame(
        [
            dense_row(model, attack, task=task, score=score, condition=condition)
            for model, names in tasks.items()
            for attack in DENSE_ATTACKS
            for task in names
            for score in DENSE_SCORES[task]
            for condition in ("clean", "attacked")
        ]
    )


@pytest.fixture(scope="session")
def dense():
    return DenseResults(dense_frame())


@pytest.fixture(scope="session")
def pairs():
    """Depth helps the segmentation by 10 % and harms it under attack by 5 %; nobody tried the other way round."""
    rows = [
        ("clean", "segmentation", "depth", 10.0, 30.0, "%"),
        ("clean", "depth", "segmentation", None, 0.8, "m"),
        ("pgd50_eps4", "segmentation", "depth", -5.0, 3.0, "%"),
        ("pgd50_eps4", "depth", "segmentation", 20.0, 3.2, "m"),
        ("pgd50_eps4", "depth", "depth", None, 3.2, "m"),
    ]
    names = ["evaluation", "main_task", "auxiliary_task", "relative_improvement_percent", "single_task_baseline"]
    return Pairs(pl.DataFrame(rows, schema=[*names, "baseline_unit"], orient="row"))


@pytest.fixture(scope="session")
def dense_exhibit():
    """Two frames of 6×8 pixels; a corner of each is unknown."""
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(2, 3, 6, 8, generator=generator)
    classes = torch.arange(48).reshape(6, 8).div(16, rounding_mode="floor").repeat(2, 1, 1)
    classes[:, 0, :2] = -1
    depth = torch.linspace(1, 4, 48).reshape(1, 1, 6, 8).repeat(2, 1, 1, 1)
    depth[..., 0, :2] = float("nan")
    known = depth.nan_to_num(1.0)
    maps = {
        "segmentation": (classes, classes.clamp(min=0), torch.full_like(classes, 2)),
        "depth": (depth, known + 0.5, known + 2.0),
        "autoencoding": (clean, clean, 1 - clean),
    }
    return DenseExhibit(
        model="s d A",
        threat="multi-task",
        challenge=Challenge(attack="pgd", norm="Linf", eps=4 / 255),
        clean=clean,
        attacked=(clean + 4 / 255).clamp(0, 1),
        maps=maps,
        class_names={"segmentation": ("floor", "wall")},
    )

"""Calibration: never more rejections than asked for, and as many as that allows."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from torch import Tensor, nn

from manyheads.defences import Disagreement, Guard, Rejector, SoftDisagreement, calibrate
from manyheads.tasks import LabelMap
from manyheads.types import Outputs, PerExample

PARITY = LabelMap(("even", "odd"), (0, 1, 0, 1))
SIZE = LabelMap(("small", "large"), (0, 0, 1, 1))
SHARES = st.one_of(st.floats(0, 1, exclude_max=True), st.integers(0, 99).map(lambda percent: percent / 100))


@dataclass(frozen=True)
class FirstPixel(Rejector):
    """A rule whose score is the image's first pixel, so that a test can choose the scores."""

    def score(self, outputs: Outputs) -> PerExample:
        return outputs["first"]

    def conditions(self, outputs: Outputs, threshold: float) -> Float[Tensor, "batch classes conditions"]:
        return (threshold - outputs["first"])[:, None, None]

    def admissible(self, threshold: float) -> float:
        return threshold


class Pixels(nn.Module):
    """Returns the first pixel as the score."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"digit": image.flatten(1), "first": image.flatten(1)[:, 0]}


class Restless(nn.Module):
    """Two heads whose answers in train mode are noise."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.noise = nn.BatchNorm2d(1), nn.Dropout(0.5)
        self.digit, self.parity, self.size = nn.Linear(9, 4), nn.Linear(9, 2), nn.Linear(9, 2)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = self.noise(self.norm(image)).flatten(1)
        return {"digit": self.digit(features), "parity": self.parity(features), "size": self.size(features)}


def batches_of(scores: list[float], *, size: int = 7) -> list[dict[str, Tensor]]:
    images = torch.tensor(scores, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 2, 2)
    return [{"image": part} for part in images.split(size)]


def rejected(guard: Guard, batches: list[dict[str, Tensor]]) -> Tensor:
    with torch.no_grad():
        return torch.cat([guard.decide(guard(batch["image"])).rejected for batch in batches])


@pytest.fixture
def model() -> Restless:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Restless()


@pytest.fixture
def held_out() -> list[dict[str, Tensor]]:
    return [{"image": part} for part in torch.rand(200, 1, 3, 3, generator=torch.Generator().manual_seed(0)).split(64)]


@given(scores=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60), share=SHARES)
def test_no_more_is_rejected_than_asked_for_and_no_less_than_that_allows(scores: list[float], share: float) -> None:
    batches = batches_of(scores)
    guard = calibrate(Pixels(), FirstPixel("digit"), batches, reject=share)
    out = rejected(guard, batches)
    assert out.double().mean().item() <= share
    nearest = max(score for score, gone in zip(scores, out.tolist(), strict=True) if not gone)
    assert sum(score >= nearest for score in scores) / len(scores) > share
    assert sum(out.tolist()) == sum(score > nearest for score in scores)


@given(scores=st.lists(st.sampled_from([0.0, 0.25, 0.5]), min_size=1, max_size=60), share=SHARES)
def test_ties_are_accepted_together(scores: list[float], share: float) -> None:
    batches = batches_of(scores)
    out = rejected(calibrate(Pixels(), FirstPixel("digit"), batches, reject=share), batches)
    assert out.double().mean().item() <= share
    assert {score for score, gone in zip(scores, out.tolist(), strict=True) if gone}.isdisjoint(
        score for score, gone in zip(scores, out.tolist(), strict=True) if not gone
    )


@pytest.mark.parametrize(("share", "count"), [(0.29, 29), (0.57, 57), (0.58, 58), (0.1, 10), (0.0, 0), (0.999, 99)])
def test_a_share_is_read_as_it_is_written(share: float, count: int) -> None:
    batches = batches_of([number / 100 for number in range(100)])
    assert rejected(calibrate(Pixels(), FirstPixel("digit"), batches, reject=share), batches).sum() == count


@pytest.mark.parametrize("rule", [Disagreement, SoftDisagreement])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9])
def test_a_calibrated_guard_keeps_its_promise_on_the_held_out_data(
    model: Restless, held_out: list[dict[str, Tensor]], rule: type[Disagreement], share: float
) -> None:
    guard = calibrate(model, rule("digit", {"parity": PARITY, "size": SIZE}), held_out, reject=share)
    assert rejected(guard.eval(), held_out).double().mean() <= share


def test_a_soft_rule_rejects_just_the_share(model: Restless, held_out: list[dict[str, Tensor]]) -> None:
    guard = calibrate(model, SoftDisagreement("digit", {"parity": PARITY}), held_out, reject=0.3)
    assert rejected(guard.eval(), held_out).sum() == 60


def test_counted_contradictions_give_a_whole_threshold(model: Restless, held_out: list[dict[str, Tensor]]) -> None:
    rejector = Disagreement("digit", {"parity": PARITY, "size": SIZE})
    thresholds = {calibrate(model, rejector, held_out, reject=share).threshold for share in (0.0, 0.3, 0.6, 0.99)}
    assert thresholds <= {1.0, 2.0, 3.0}
    assert len(thresholds) > 1


def test_the_model_is_seen_in_eval_mode_and_left_as_found(model: Restless, held_out: list[dict[str, Tensor]]) -> None:
    rejector = SoftDisagreement("digit", {"parity": PARITY})
    model.train()
    model.noise.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = calibrate(model, rejector, held_out, reject=0.1).threshold
    assert (model.training, model.norm.training, model.noise.training) == (True, True, False)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert calibrate(model.eval(), rejector, held_out, reject=0.1).threshold == found


def test_batch_size_does_not_matter() -> None:
    scores = [0.1, 0.7, 0.3, 0.9, 0.2, 0.4]
    found = {
        calibrate(Pixels(), FirstPixel("digit"), batches_of(scores, size=size), reject=0.4).threshold
        for size in (1, 4, 6)
    }
    assert len(found) == 1


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0, float("nan")])
def test_a_share_outside_zero_to_one_is_refused(
    model: Restless, held_out: list[dict[str, Tensor]], share: float
) -> None:
    with pytest.raises(ValueError, match=r"reject is a share of clean inputs in \[0, 1\), got .*; write 0.02 for 2 %"):
        calibrate(model, Disagreement("digit"), held_out, reject=share)


def test_no_held_out_data_is_refused(model: Restless) -> None:
    with pytest.raises(ValueError, match="calibration needs held-out clean batches, got none"):
        calibrate(model, Disagreement("digit"), [], reject=0.1)

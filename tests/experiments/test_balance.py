"""How losses are combined is named in an experiment, kept in its record, and done by all three kinds of training."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from manyheads.experiments import Aggregation, Bars, DenseExperiment, Experiment, GenerativeExperiment, run
from manyheads.experiments.balance import Rule, combination
from manyheads.experiments.files import RunFiles
from manyheads.training import Checkpoints, DynamicAverage, Equal, Fixed

NEEDING_NO_SOLVER = ("MGDA", "PCGrad", "IMTLG", "AlignedMTL")


@pytest.fixture
def torchjd():
    """TorchJD's aggregators, where they are installed."""
    return pytest.importorskip("torchjd.aggregation", reason="pip install 'manyheads[torchjd]'")


def weights_of(run_of: Experiment | DenseExperiment | GenerativeExperiment, bars: Bars) -> Mapping[str, Tensor]:
    """Train, and read the weights that training ended with."""
    run(run_of, bars)
    return load_file(Checkpoints(RunFiles(run_of.run).weights).last)


def apart(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    return max(float((value - other[name]).abs().max()) for name, value in one.items())


def test_a_sum_is_weighted_where_there_are_weights() -> None:
    weights = {"first": 0.5, "second": 2.0}
    assert combination(Equal()) == Equal()
    assert combination(Equal(), weights=weights) == Fixed(weights)
    assert combination(DynamicAverage(3.0), weights=weights) == DynamicAverage(3.0)


@pytest.mark.parametrize("rule", NEEDING_NO_SOLVER)
def test_a_rule_is_the_class_of_its_name(torchjd, rule: Rule) -> None:
    aggregator = combination(Aggregation(rule)).aggregator
    jacobian = torch.tensor([[2.0, 0.0, 1.0], [-1.0, 1.0, 0.0]])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = aggregator(jacobian)
        torch.manual_seed(0)
        torch.testing.assert_close(found, getattr(torchjd, rule)()(jacobian))


def test_every_rule_is_there_and_remembers_nothing(torchjd) -> None:
    for rule in get_args(Rule):
        named = getattr(torchjd, rule)
        assert issubclass(named, nn.Module)
        assert not hasattr(named, "reset"), rule
    assert hasattr(torchjd.NashMTL, "reset")  # what remembers can forget


@pytest.mark.usefixtures("torchjd")
def test_upgrad_never_raises_a_loss_to_first_order() -> None:
    pytest.importorskip("quadprog", reason="pip install 'manyheads[torchjd]'")
    jacobian = torch.randn(3, 20, generator=torch.Generator().manual_seed(0))
    jacobian[1] -= 2 * jacobian[0]
    direction = combination(Aggregation("UPGrad")).aggregator(jacobian)
    assert bool((jacobian @ jacobian.mean(0) < 0).any())
    assert float((jacobian @ direction).min()) > -1e-3


def test_a_rule_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(ValueError, match=r"MGDA is a rule of TorchJD's: pip install 'manyheads\[torchjd\]'"):
        Aggregation("MGDA").build()


@pytest.mark.usefixtures("torchjd")
def test_a_missing_solver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(ValueError, match=r"CAGrad is a rule of TorchJD's: pip install 'torchjd\[cagrad\]'"):
        Aggregation("CAGrad").build()


@pytest.mark.usefixtures("torchjd")
def test_a_classifier_is_trained_by_a_rule(tiny: Callable[..., Experiment], quiet: Bars, tmp_path: Path) -> None:
    plain = tiny(tmp_path, sweep=())
    ruled = replace(plain, name="ruled", training=replace(plain.training, combine=Aggregation("MGDA")))
    assert apart(weights_of(plain, quiet), weights_of(ruled, quiet)) > 1e-4
    again = replace(ruled, folder=tmp_path / "again")
    assert apart(weights_of(ruled, quiet), weights_of(again, quiet)) == 0


@pytest.mark.usefixtures("torchjd")
def test_a_dense_model_is_trained_by_a_rule(
    tiny_dense: Callable[..., DenseExperiment], quiet: Bars, tmp_path: Path
) -> None:
    plain = tiny_dense(tmp_path, vulnerability=None)
    ruled = replace(plain, name="ruled", training=replace(plain.training, combine=Aggregation("IMTLG")))
    assert apart(weights_of(plain, quiet), weights_of(ruled, quiet)) > 1e-4


@pytest.mark.usefixtures("torchjd")
def test_a_generator_is_trained_by_a_rule(
    tiny_generative: Callable[..., GenerativeExperiment], quiet: Bars, tmp_path: Path
) -> None:
    plain = tiny_generative(tmp_path, dense=True)
    ruled = replace(plain, name="ruled", training=replace(plain.training, combine=Aggregation("PCGrad")))
    assert apart(weights_of(plain, quiet), weights_of(ruled, quiet)) > 1e-5


def test_weights_beside_a_rule_are_refused(tiny_dense: Callable[..., DenseExperiment]) -> None:
    one = tiny_dense(Path("runs"))
    ruled = replace(one.training, combine=Aggregation())
    with pytest.raises(ValueError, match=r"with training\.combine=Aggregation the rule weighs the losses; leave the"):
        replace(one, training=ruled, weights=dict.fromkeys(one.tasks, 1.0))


def test_what_a_rule_needs_is_asked_for_before_the_folder_is_taken(
    tiny: Callable[..., Experiment], quiet: Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    plain = tiny(tmp_path)
    with pytest.raises(ValueError, match="is a rule of TorchJD's"):
        run(replace(plain, training=replace(plain.training, combine=Aggregation())), quiet)
    assert not list(tmp_path.rglob("*.json"))

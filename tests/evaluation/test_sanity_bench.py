"""The bench compares right answers of a classification, and losses of any other task."""

from collections.abc import Callable

import pytest
import torch

from manyheads.attacks import PGD, Noise
from manyheads.evaluation import evaluate
from manyheads.evaluation.sanity_bench import Bench
from manyheads.threats import Linf


@pytest.fixture
def bench_of(dense) -> Callable[..., Bench]:
    """Make a bench for the attackers of a task, on some of the frames."""

    def make(main: str, rows: slice = slice(None)) -> Bench:
        victim = dense.model()
        batches = tuple(dense.batches(rows=rows))
        return Bench(
            victim=victim, threat=dense.threat(victim, **{main: 1.0}), batches=batches, main=main, steps=3, seed=0
        )

    return make


def test_losses_are_left_with_a_minus_where_there_are_no_answers(bench_of) -> None:
    bench = bench_of("depth")
    expected = evaluate(bench.victim, bench.threat, bench.pgd(), bench.batches).table.drop_nulls("depth.clean_loss")
    left = bench.left(bench.pgd())
    assert not bench.answers
    assert left.tolist() == pytest.approx([-loss for loss in expected["loss_attacked"]])
    assert len(left) == 10  # one frame has no depth
    assert (bench.unit, bench.written(left)) == ("mean loss", f"{-float(left.mean()):.3g}")


def test_answers_are_left_where_there_are_any(bench_of) -> None:
    bench = bench_of("room")
    left = bench.left(Noise())
    assert bench.answers
    assert set(left.tolist()) <= {0.0, 1.0}
    assert (bench.unit, bench.written(torch.tensor([1.0, 0.0]))) == ("right", "50 %")


def test_an_attack_is_run_once(bench_of) -> None:
    bench = bench_of("ground")
    assert bench.left(Noise()).equal(bench.left(Noise()))
    bench.left(Noise(), eps=0.2)
    assert [budget for _, budget in bench.done] == [Linf(0.05), Linf(0.2)]


def test_pgd_crosses_the_budget_in_two_fifths_of_its_steps(bench_of) -> None:
    bench = bench_of("ground")
    assert bench.pgd() == PGD(steps=3, step_size=2.5 * 0.05 / 3)
    assert bench.pgd(steps=10, eps=0.4) == PGD(steps=10, step_size=0.1)


def test_frames_of_unknown_truth_are_refused_if_all_are(bench_of, dense) -> None:
    blind = bench_of("depth", slice(dense.NO_DEPTH, dense.NO_DEPTH + 1))
    with pytest.raises(ValueError, match="the truth of no example is known for 'depth'"):
        blind.left(Noise())

"""The experiments of a study, whatever their kind."""

from dataclasses import replace

import pytest

from manyheads.recipes import digits
from manyheads.studies.members import all_finished, each_once, refuse_unclear_seeds


def test_an_experiment_that_two_parts_need_is_listed_once() -> None:
    first, second = digits(), replace(digits(), name="another")
    assert each_once([second, first, second]) == (second, first)


def test_runs_that_are_not_there_are_not_finished(tmp_path) -> None:
    assert not all_finished([replace(digits(), folder=tmp_path)])


@pytest.mark.parametrize("seeds", [(), (0, 1, 0)])
def test_unclear_seeds_are_refused(seeds) -> None:
    with pytest.raises(ValueError, match="at least one seed, and each once, got"):
        refuse_unclear_seeds(seeds)


def test_different_seeds_pass() -> None:
    refuse_unclear_seeds((0, 1, 2))

from pathlib import Path

import pytest

from manyheads.experiments.refusals import (
    refuse_low_counts,
    refuse_stray_name,
    refuse_trial_names,
    refuse_two_roots,
)


@pytest.mark.parametrize("name", ["", "../elsewhere", "/root", "inside/../../outside"])
def test_a_run_stays_inside_the_folder_of_runs(name: str) -> None:
    with pytest.raises(ValueError, match="a folder inside runs, got"):
        refuse_stray_name(name, folder=Path("runs"))


def test_a_run_may_lie_deeper() -> None:
    refuse_stray_name("study/member/seed-0", folder=Path("runs"))


def test_two_fields_may_not_disagree_on_the_data() -> None:
    with pytest.raises(ValueError, match=r"data_root \(a\) and data\.root \(b\) both say where the data lies"):
        refuse_two_roots({"data_root": Path("a"), "data.root": Path("b")})


@pytest.mark.parametrize("own", [None, Path("a")])
def test_one_field_may_be_silent_or_agree(own: Path | None) -> None:
    refuse_two_roots({"data_root": Path("a"), "data.root": own})


def test_all_counts_below_one_are_named() -> None:
    with pytest.raises(ValueError, match=r"got epochs=0, examples=-3$"):
        refuse_low_counts({"epochs": 0, "batch_size": 1, "patience": None, "examples": -3})


@pytest.mark.parametrize("name", ["", "pgd/40", ".hidden", "-x", "what?"])
def test_a_trial_must_be_able_to_name_a_file(name: str) -> None:
    with pytest.raises(ValueError, match="a trial is named with letters"):
        refuse_trial_names([name])


def test_two_trials_may_not_share_a_file() -> None:
    with pytest.raises(ValueError, match="no two alike, got 'pgd-7'"):
        refuse_trial_names(["pgd 7", "pgd-7"])


def test_usual_trial_names_pass() -> None:
    refuse_trial_names(["pgd untargeted", "mim+houdini", "cw"])

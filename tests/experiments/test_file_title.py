from manyheads.experiments.file_title import file_title


def test_files_of_a_trial_are_named_after_it_and_its_eps() -> None:
    assert file_title("cw", eps=float("inf")) == "cw--inf"
    assert file_title("pgd untargeted", eps=0.3) == "pgd-untargeted--0.3"

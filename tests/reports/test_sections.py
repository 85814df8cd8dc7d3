import polars as pl

from manyheads.reports import (
    Results,
    accuracy_section,
    checklist,
    eps_section,
    gain_section,
    gain_table,
    gallery_section,
    hidden_section,
    main_table,
    rejection_section,
    sanity_section,
    training_section,
)


def test_accuracy_is_one_table_with_the_papers_numbers(results):
    printed = {("main", "plain", "clean"): 0.993}
    assert accuracy_section(results, printed=printed).tables == (main_table(results, printed=printed),)


def test_rejection_has_a_table_per_attack_and_a_picture_per_attack_and_training(results):
    section = rejection_section(results)
    assert len(section.tables) == 3
    assert len(section.pictures) == 6
    assert len({picture.svg for picture in section.pictures}) == 6


def test_hidden_tasks_have_no_section_where_there_are_none(scores, models, results):
    left = models.filter(combination="main")
    bare = Results(scores.filter(pl.col("model").is_in(left["model"].implode())), left)
    assert hidden_section(bare) is None
    assert len(hidden_section(results).tables) == 1


def test_sizes_have_a_picture_for_each_model_with_hidden_tasks(over_eps):
    section = eps_section(over_eps)
    assert [picture.says.split(" of ")[1].split(" under ")[0] for picture in section.pictures] == [
        f"{combination} {training}"
        for training in ("plain", "hardened")
        for combination in ("main+parity", "main+prime", "main+parity+prime")
    ]


def test_sizes_have_no_section_where_every_attack_has_one_size(results):
    assert eps_section(results) is None


def test_training_has_a_picture_per_model(history):
    assert len(training_section({"one": history, "two": history}).pictures) == 2


def test_the_gallery_shows_what_it_is_given(exhibits):
    assert gallery_section(exhibits).exhibits == exhibits


def test_gains_are_one_table_and_no_section_where_there_are_none(results):
    row = {
        "model": "main+parity plain", "baseline": "main plain", "attack": "pgd targeted", "eps": 8 / 255,
        "norm": "Linf", "threat": "gray-box", "gain": 0.1, "low": 0.0, "high": 0.2, "p_value": 0.5, "kept": 0.5,
        "kept_baseline": 0.4, "n": 360, "seeds": 1,
    }  # fmt: skip
    gains = pl.DataFrame([row])
    assert gain_section(gains, results).tables == (gain_table(gains, results),)
    assert gain_section(gains.clear(), results) is None


def test_sanity_has_the_checks_and_a_broad_picture_per_surface():
    table = pl.DataFrame([("slope", "passed", "0 %", 3)], schema=["check", "outcome", "figures", "n"], orient="row")
    checks = checklist({"m": table})
    steps = (-1.0, 0.0, 1.0)
    rows = [(0, along, across, along) for along in steps for across in steps]
    surface = pl.DataFrame(rows, schema=["index", "along", "across", "loss"], orient="row")
    section = sanity_section(checks, {"m": surface})
    assert section.checklists == (checks,)
    assert [(picture.columns, "m around clean images" in picture.says) for picture in section.pictures] == [(2, True)]
    assert sanity_section(checklist({}), {}) is None

import polars as pl

from manyheads.reports import (
    Results,
    accuracy_section,
    eps_section,
    gallery_section,
    hidden_section,
    main_table,
    rejection_section,
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

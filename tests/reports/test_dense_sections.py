import polars as pl

from manyheads.reports import (
    DenseResults,
    dense_eps_section,
    dense_gallery_section,
    dense_scores_section,
    dense_table,
    dense_training_section,
    pair_section,
    pair_table,
    task_table,
    tasks_section,
    vulnerability_section,
)

NORMS = pl.DataFrame({"number": [1, 10], "draw": [0, 0], "measured": [4.0, 2.0], "predicted": [4.0, 1.5]})


def test_scores_have_one_table_per_task_with_its_own_printed_numbers(dense):
    printed = {"depth": {("d", "clean", 0.0): 1.799}}
    section = dense_scores_section(dense, mains=("segmentation", "depth"), printed=printed)
    assert section.tables == (
        dense_table(dense, main="segmentation"),
        dense_table(dense, main="depth", printed=printed["depth"]),
    )


def test_all_tasks_have_one_table_per_model(dense):
    assert tasks_section(dense, models=("s", "d")).tables == (
        task_table(dense, model="s"),
        task_table(dense, model="d"),
    )


def test_sizes_have_a_picture_per_task_where_an_attack_has_several(dense):
    section = dense_eps_section(dense, mains=("segmentation", "depth"))
    assert [picture.says.split(",")[0] for picture in section.pictures] == [
        "segmentation under pgd (single-task) over the size of the change",
        "depth under pgd (single-task) over the size of the change",
    ]


def test_sizes_have_no_section_where_every_attack_has_one(dense):
    one = DenseResults(dense.scores.filter(pl.col("eps") > 2 / 255))
    assert dense_eps_section(one, mains=("depth",)) is None


def test_vulnerability_shows_what_was_measured():
    assert vulnerability_section() is None
    assert len(vulnerability_section(pixels=NORMS, tasks=NORMS).pictures) == 2
    shares = pl.DataFrame({"number": [1], "draw": [0], "attack": ["pgd"], "accuracy": [0.5]})
    assert "Accuracy" in vulnerability_section(accuracy=shares).pictures[0].says


def test_pairs_are_a_broad_figure_and_a_table_per_evaluation(pairs):
    section = pair_section(pairs, printed=pairs)
    assert [picture.columns for picture in section.pictures] == [2]
    assert section.tables == tuple(pair_table(pairs, evaluation=name, printed=pairs) for name in pairs.evaluations)
    assert section.text[1] == pairs.summary("pgd50_eps4")
    assert section.text[3] == f"In the paper. {pairs.summary('pgd50_eps4')}"


def test_a_gallery_shows_what_it_is_given(dense_exhibit):
    assert dense_gallery_section([dense_exhibit]).dense_exhibits == (dense_exhibit,)
    assert dense_gallery_section([]) is None


def test_training_has_a_picture_per_model(history):
    assert [one.says for one in dense_training_section({"s d": history}).pictures] == ["Losses and validation of s d."]
    assert dense_training_section({}) is None

import polars as pl

from manyheads.reports import DenseResults, dense_findings


def test_a_finding_tells_clean_and_attacked_scores_of_the_smallest_model(dense):
    found = dense_findings(dense, mains=["segmentation", "depth"])
    assert [one.title for one in found] == ["Segmentation, higher is better", "Depth, lower is better"]
    assert "The mIoU of s is 30.0\u00a0% (27.0–31.5, n = 50) on clean images." in found[0].text
    assert "most harmful single-task attack, pgd (L∞ 4/255), brings it to 7.5\u00a0%" in found[0].text
    assert [(name, cell.text) for name, cell in found[1].bars] == [
        ("clean", "0.800"),
        ("single-task", "3.20"),
        ("multi-task", "3.20"),
    ]


def test_models_of_more_tasks_are_compared_by_relative_improvement(dense):
    segmentation, depth = dense_findings(dense, mains=["segmentation", "depth"])
    assert (
        "With more tasks than s: on clean images 1 of 1 models is better (+10.0\u00a0% on average)" in segmentation.text
    )
    assert "under pgd (multi-task) 1 of 1 models is better (+9.1\u00a0% on average)." in depth.text


def test_a_model_alone_is_compared_with_nothing(dense):
    text = dense_findings(dense, mains=["depth"], models=["d"])[0].text
    assert "With more tasks" not in text


def test_a_baseline_of_zero_is_not_divided_by(dense):
    value = pl.when(condition="attacked").then(0.0).otherwise("value").alias("value")
    text = dense_findings(DenseResults(dense.scores.with_columns(value)), mains=["segmentation"])[0].text
    assert "With more tasks than s: on clean images 1 of 1 models is better (+10.0\u00a0% on average)." in text


def test_a_task_that_nobody_has_is_left_out(dense):
    assert dense_findings(dense, mains=["normals"]) == ()


def test_seeds_are_told(dense):
    both = pl.concat([dense.scores.with_columns(pl.lit(seed).alias("seed")) for seed in (0, 1)])
    assert "(30.0–30.0, n = 50, 2 seeds)" in dense_findings(DenseResults(both), mains=["segmentation"])[0].text

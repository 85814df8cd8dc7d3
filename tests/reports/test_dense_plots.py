import polars as pl
import pytest

from manyheads.reports import dense_training_curves, scores_over_eps


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_lines_begin_at_the_clean_score(dense):
    figure = scores_over_eps(dense, main="segmentation", threat="single-task", attack="pgd")
    found = lines(figure)
    assert list(found) == ["s", "s d"]
    assert list(found["s"].get_xdata()) == pytest.approx([0, 1 / 255, 4 / 255])
    assert list(found["s"].get_ydata()) == pytest.approx([30.0, 15.0, 7.5])
    assert figure.axes[0].get_ylabel() == "mIoU, %"


def test_depth_is_drawn_in_metres_with_its_intervals(dense):
    axes = scores_over_eps(dense, main="depth", threat="single-task", attack="pgd", models=["d"]).axes[0]
    assert list(axes.get_lines()[0].get_ydata()) == pytest.approx([0.8, 1.6, 3.2])
    assert axes.get_ylabel() == "absolute error, m"
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.72, 3.36))


def test_a_model_that_was_not_measured_stands_in_the_legend(dense):
    figure = scores_over_eps(dense, main="depth", threat="multi-task", attack="pgd", models=["d", "d n"])
    assert "d n: not measured" in lines(figure)


def test_an_attack_that_was_not_used_is_refused(dense):
    with pytest.raises(ValueError, match="multi-task was not measured with 'fgsm'; there is nothing to draw"):
        scores_over_eps(dense, main="depth", threat="multi-task", attack="fgsm")


def test_training_has_a_panel_for_the_losses_and_for_each_measure():
    rows = [
        {"epoch": epoch, "phase": phase, "measure": measure, "value": value / (epoch + 1)}
        for epoch in range(3)
        for phase, measure, value in (
            ("train", "segmentation", 2.0),
            ("train", "depth", 1.0),
            ("validation", "depth absolute_error", 4.0),
            ("validation", "segmentation miou", 0.3),
            ("validation", "segmentation loss", 2.0),
        )
    ]
    figure = dense_training_curves(pl.DataFrame(rows), title="s d")
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in shown] == [
        "mean loss in training",
        "validation: depth absolute error",
        "validation: segmentation miou",
        "validation: segmentation loss",
    ]
    assert list(shown[1].get_lines()[0].get_ydata()) == pytest.approx([4.0, 2.0, 4 / 3])
    assert len(shown[0].get_lines()) == 2

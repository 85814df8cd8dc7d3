import numpy as np
import pytest
from matplotlib.colors import to_rgba

from manyheads.reports import Pairs, pair_figure, to_png


def panels(figure):
    """The panels of cells, without the colour bar."""
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def written(axes):
    """Texts of the cells by (column, row)."""
    return {tuple(map(round, text.get_position())): text.get_text() for text in axes.texts}


def faces(axes):
    return {(round(patch.get_x() + 0.5), round(patch.get_y() + 0.5)): patch.get_facecolor() for patch in axes.patches}


def test_cells_hold_baselines_gains_and_means(pairs):
    clean, attacked = panels(pair_figure(pairs))
    assert written(attacked) == {
        (0, 0): "3.00", (1, 0): "", (2, 0): "-5.0", (3, 0): "-5.0",
        (0, 1): "3.20", (1, 1): "+20.0", (2, 1): "", (3, 1): "+20.0",
        (1, 2): "+20.0", (2, 2): "-5.0", (3, 2): "+7.5",
    }  # fmt: skip
    assert written(clean)[1, 1] == ""
    assert [label.get_text() for label in attacked.get_yticklabels()] == ["segmentation (%)", "depth (m)", "mean"]
    assert [label.get_text() for label in attacked.get_xticklabels()] == ["alone", "segmentation", "depth", "mean"]


def test_better_is_blue_worse_is_red_and_the_task_itself_is_grey(pairs):
    found = faces(panels(pair_figure(pairs))[1])
    assert found[1, 1][2] > found[1, 1][0]
    assert found[2, 0][0] > found[2, 0][2]
    assert found[1, 0] == found[2, 1] == to_rgba("#c9ced6")


def test_panels_share_their_colours(pairs):
    clean, attacked = (faces(axes) for axes in panels(pair_figure(Pairs(pairs.frame), printed=pairs))[1::2])
    assert clean == attacked


def test_what_was_not_measured_is_hatched(pairs):
    hatched = [patch for patch in panels(pair_figure(pairs))[0].patches if patch.get_hatch()]
    assert len(hatched) == 3  # the pair, the mean of its row and of its column


def test_titles_count_the_pairs_that_are_better(pairs):
    titles = [axes.get_title(loc="left") for axes in panels(pair_figure(pairs, printed=pairs))]
    assert titles[1] == "Under attack: PGD-50, ε = 4/255\nthis run\n1 of 2 better, mean +7.5 %"
    assert titles[2] == "Clean images\nthe paper\n1 of 1 better, mean +10.0 %"


def test_a_matrix_of_nothing_measured_is_drawn(pairs):
    nothing = Pairs(pairs.frame.filter(main_task="depth", evaluation="clean"))
    assert panels(pair_figure(nothing))[0].get_title(loc="left").endswith("not measured")


def test_a_paper_with_fewer_evaluations_leaves_a_gap(pairs):
    assert len(panels(pair_figure(pairs, printed=Pairs(pairs.frame.filter(evaluation="clean"))))) == 3


@pytest.mark.parametrize("tasks", [5, 11])
def test_a_matrix_of_any_size_has_cells_that_can_be_read(pairs, tasks):
    names = [f"task_{place}" for place in range(tasks)]
    frame = pairs.frame[:1]
    rows = [
        {**frame.row(0, named=True), "main_task": main, "auxiliary_task": other, "relative_improvement_percent": 1.0}
        for main in names
        for other in names
    ]
    figure = pair_figure(Pairs(frame.clear().vstack(type(frame)(rows, schema=frame.schema))))
    to_png(figure, dots_per_inch=20)
    box = panels(figure)[0].get_window_extent()
    size = np.array([box.width / (tasks + 2), box.height / (tasks + 1)]) / figure.dpi
    assert (size > (0.4, 0.22)).all()

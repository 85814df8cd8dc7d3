import re
from itertools import pairwise

import polars as pl
import pytest
from matplotlib.colors import to_rgba
from matplotlib.container import BarContainer

from manyheads.reports import (
    ADAPTIVE,
    GRAY,
    Challenge,
    Results,
    accuracy_over_eps,
    rejection_bars,
    to_png,
    to_svg,
    training_curves,
)

MODEL = "main+parity hardened"


def bars(figure):
    """Bars by their label, in order."""
    return {one.get_label(): one for one in figure.axes[0].containers if isinstance(one, BarContainer)}


def heights(figure):
    """Heights by the label of their bars, in order."""
    return {label: [bar.get_height() for bar in one] for label, one in bars(figure).items()}


def lines(figure, *, place=0):
    return {line.get_label(): line for line in figure.axes[place].get_lines()}


def test_bars_have_the_heights_of_the_scores(results):
    found = heights(rejection_bars(results, results.challenges[0], training="hardened"))
    assert found["gray-box, no rejection"] == pytest.approx([100 * right / 360 for right in (280, 295, 295, 310)])
    assert found["adaptive, no rejection"] == pytest.approx([100 * right / 360 for right in (280, 281, 281, 282)])
    assert found["gray-box, accepted only"][:2] == pytest.approx([100 * 280 / 360, 100 * 295 / 320])
    assert found["adaptive, accepted only"] == pytest.approx(found["adaptive, no rejection"])


def test_whiskers_end_where_the_intervals_do(results):
    figure = rejection_bars(results, results.challenges[0], training="hardened")
    segment = bars(figure)["gray-box, no rejection"].errorbar.lines[2][0].get_segments()[1]
    cell = results.attacked(MODEL, challenge=results.challenges[0], threat=GRAY, score="accuracy")
    assert segment[:, 1].tolist() == pytest.approx([100 * cell.low, 100 * cell.high])


def test_bars_of_one_combination_do_not_cover_each_other(results):
    figure = rejection_bars(results, results.challenges[0], training="plain")
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in figure.axes[0].patches)
    assert len(edges) == 16
    assert all(left[1] <= right[0] + 1e-9 for left, right in pairwise(edges))


def test_missing_adaptive_bars_say_so_in_their_place(scores, models):
    results = Results(scores.filter(threat=GRAY), models)
    figure = rejection_bars(results, results.challenges[0], training="plain")
    assert heights(figure)["adaptive, no rejection"] == []
    assert [text.get_text() for text in figure.axes[0].texts] == ["not measured"] * 8


def test_lines_over_eps_go_through_the_scores(over_eps):
    found = lines(accuracy_over_eps(over_eps, MODEL, attack="pgd untargeted", norm="Linf"))
    sizes = [1 / 255, 2 / 255, 4 / 255, 8 / 255, 16 / 255]
    assert list(found["gray-box"].get_xdata()) == pytest.approx(sizes)
    # right or rejected of 360, times the fixture's fall with the size
    expected = [100 * (268 + 15 + 40) / 360 * (1 - steps / 20) for steps in (1, 2, 4, 8, 16)]
    assert list(found["gray-box"].get_ydata()) == pytest.approx(expected)
    assert set(found) == {"gray-box", "white-box", "adaptive"}


def test_bands_over_eps_are_the_intervals(over_eps):
    figure = accuracy_over_eps(over_eps, MODEL, attack="pgd untargeted", norm="Linf")
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    cells = [
        over_eps.attacked(MODEL, challenge=one, threat=GRAY, score="accuracy_with_rejection")
        for one in over_eps.challenges
    ]
    assert band.max() == pytest.approx(100 * max(cell.high for cell in cells))
    assert band.min() == pytest.approx(100 * min(cell.low for cell in cells))


def test_a_baseline_is_drawn_under_its_worst_threat(over_eps):
    figure = accuracy_over_eps(over_eps, MODEL, baseline="main hardened", attack="pgd untargeted", norm="Linf")
    assert list(lines(figure)["main hardened"].get_ydata()) == pytest.approx(
        [100 * 268 / 360 * (1 - steps / 20) for steps in (1, 2, 4, 8, 16)]
    )


def test_a_gray_box_line_never_stands_without_a_word_on_the_adaptive_one(over_eps):
    results = Results(over_eps.scores.filter(pl.col("threat") == GRAY), over_eps.models)
    figure = accuracy_over_eps(results, MODEL, attack="pgd untargeted", norm="Linf")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "adaptive: not measured" in labels


def test_ticks_over_eps_are_255ths_and_do_not_crowd(over_eps):
    axes = accuracy_over_eps(over_eps, MODEL, attack="pgd untargeted", norm="Linf").axes[0]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["1/255", "", "4/255", "8/255", "16/255"]
    assert "%" in axes.get_ylabel()


def test_an_attack_without_a_finite_size_is_refused(results):
    with pytest.raises(ValueError, match="'cw untargeted' in L2 was not measured at any finite eps"):
        accuracy_over_eps(results, MODEL, attack="cw untargeted", norm="L2")


def test_training_curves_are_the_history(history):
    figure = training_curves(history, title="main+parity")
    losses, validation = lines(figure), lines(figure, place=1)
    assert list(losses["digit"].get_xdata()) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert list(losses["parity"].get_ydata()) == pytest.approx([2.3 / (epoch + 2) for epoch in range(8)])
    assert list(validation["robust"].get_ydata()) == pytest.approx([80 - 60 / (epoch + 1) for epoch in range(8)])
    assert set(validation) == {"clean", "robust"}


def test_a_history_without_validation_says_so(history):
    figure = training_curves(history.filter(phase="train"), title="main")
    assert [text.get_text() for text in figure.axes[1].texts] == ["not measured"]


def test_the_same_figure_gives_the_same_svg_without_links(results):
    once, again = (to_svg(rejection_bars(results, results.challenges[0], training="plain")) for _ in range(2))
    assert once == again
    assert not re.search(rb'href="(?!#)', once)


def test_a_png_is_a_png(results):
    assert to_png(rejection_bars(results, results.challenges[0], training="plain"))[:8] == b"\x89PNG\r\n\x1a\n"


def test_gray_box_and_adaptive_keep_their_colours_in_every_figure(results, over_eps):
    figure = rejection_bars(results, results.challenges[0], training="plain")
    full = {label: one.patches[0].get_facecolor() for label, one in bars(figure).items()}
    found = lines(accuracy_over_eps(over_eps, MODEL, attack="pgd untargeted", norm="Linf"))
    assert full["adaptive, accepted only"] == to_rgba(found[ADAPTIVE].get_color())
    assert full["gray-box, accepted only"] == to_rgba(found[GRAY].get_color())


def test_a_share_of_nothing_is_a_dash_instead_of_a_bar(scores, models):
    empty = (pl.col("score") == "accepted_accuracy") & (pl.col("condition") == "attacked")
    nothing = {name: pl.when(empty).then(None).otherwise(name) for name in ("value", "low", "high")}
    results = Results(scores.with_columns(**nothing, n=pl.when(empty).then(0).otherwise("n")), models)
    challenge = Challenge(attack="pgd targeted", norm="Linf", eps=8 / 255)
    figure = rejection_bars(results, challenge, training="plain")
    assert heights(figure)["gray-box, accepted only"] == []
    assert {text.get_text() for text in figure.axes[0].texts} == {"–"}


def test_noise_at_one_size_is_no_line_over_eps(over_eps, models):
    drawn = []
    for sizes in (1, 2):
        chosen = pl.col("eps").is_in([steps / 255 for steps in (2, 8)[:sizes]])
        noisy = over_eps.scores.filter(chosen, threat=GRAY).with_columns(pl.lit("noise").alias("threat"))
        both = Results(pl.concat([over_eps.scores, noisy]), models)
        drawn.append(set(lines(accuracy_over_eps(both, MODEL, attack="pgd untargeted", norm="Linf"))))
    assert drawn == [{"gray-box", "white-box", "adaptive"}, {"noise", "gray-box", "white-box", "adaptive"}]

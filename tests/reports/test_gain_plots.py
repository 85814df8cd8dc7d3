import polars as pl
import pytest

from manyheads.reports import gains_by_threat, to_svg

SHAPE = {"model": "with", "baseline": "without", "attack": "pgd", "eps": 0.1, "norm": "Linf", "n": 40, "seeds": 2}


def account(**gains: float) -> pl.DataFrame:
    """One model's gains, each with an interval from two points below to five above."""
    return pl.DataFrame(
        [
            SHAPE | {"threat": threat.replace("_", " "), "gain": gain, "low": gain - 0.02, "high": gain + 0.05}
            for threat, gain in gains.items()
        ]
    )


def test_each_gain_stands_at_its_threat_with_its_interval() -> None:
    accounts = {"right": account(adaptive=-0.1, clean=0.0), "right or rejected": account(adaptive=0.2, clean=-0.3)}
    axes = gains_by_threat(accounts, title="t").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["clean", "adaptive"]
    first, second = axes.containers
    assert [round(y) for y in first.lines[0].get_ydata()] == [-10, 0]
    assert [round(x) for x in first.lines[0].get_xdata()] == [1, 0]
    assert [round(y) for y in second.lines[0].get_ydata()] == [20, -30]
    low, high = second.lines[2][0].get_segments()[0][:, 1]
    assert (round(low), round(high)) == (18, 25)


def test_the_worst_threat_stands_last() -> None:
    figure = gains_by_threat({"right": account(worst_of_all=0.1, noise=0.1)}, title="t")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["noise", "worst\nof all"]


def test_the_same_gains_give_the_same_figure() -> None:
    drawn = [to_svg(gains_by_threat({"right": account(clean=gain)}, title="t")) for gain in (0.1, 0.1, 0.2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("models", [(), ("a", "b")])
def test_a_figure_is_of_one_model(models: tuple[str, ...]) -> None:
    accounts = {model: account(clean=0.1).with_columns(model=pl.lit(model)) for model in models}
    with pytest.raises(ValueError, match=f"the gains of one model under one attack, got {len(models)}"):
        gains_by_threat(accounts, title="t")

"""Figures of gains: what hidden tasks add under each threat, with intervals."""

from collections.abc import Mapping

import polars as pl
from matplotlib.figure import Figure

from manyheads.reports.gain_table import threats_in
from manyheads.reports.palette import house_style

_COLOURS = ("#6b7280", "#d55e00", "#0072b2", "#009e73")
_SPREAD = 0.16


@house_style()
def gains_by_threat(accounts: Mapping[str, pl.DataFrame], *, title: str) -> Figure:
    """Draw the gains of one model in percentage points, one place for each threat, one colour for each account.

    A point whose whisker, the 95 % interval, crosses the line at zero is a gain that could be chance.

    Args:
        accounts: gains of one model under one attack, as `manyheads.evaluation.gains` makes them, by what is counted.
        title: what was measured.

    Raises:
        ValueError: if there is nothing to draw, or the gains are of more than one model or attack.
    """
    every = pl.concat(list(accounts.values())) if accounts else pl.DataFrame()
    compared = every.select("model", "attack", "eps", "norm").n_unique() if len(every) else 0
    if compared != 1:
        raise ValueError(f"one figure shows the gains of one model under one attack, got {compared}")
    threats = threats_in(every)
    figure = Figure(figsize=(6.4, 3.3), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    axes.axhline(0, color="black", linewidth=0.8)
    for place, (name, account) in enumerate(accounts.items()):
        found = account.filter(pl.col("threat").is_in(threats))
        offset = (place - (len(accounts) - 1) / 2) * _SPREAD
        where = [threats.index(threat) + offset for threat in found["threat"]]
        gain = 100 * found["gain"].to_numpy()
        reach = [gain - 100 * found["low"].to_numpy(), 100 * found["high"].to_numpy() - gain]
        axes.errorbar(where, gain, yerr=reach, fmt="os^D"[place % 4], color=_COLOURS[place % 4], capsize=3, label=name)
    axes.set_xticks(range(len(threats)), [threat.replace("worst of all", "worst\nof all") for threat in threats])
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("gain, points")
    figure.legend(loc="outside lower center", ncols=len(accounts), fontsize=9)
    return figure

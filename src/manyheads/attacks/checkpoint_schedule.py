"""When a climb stops to ask whether its steps are too long."""

import math

_FIRST, _SHORTER, _SHORTEST = 0.22, 0.03, 0.06


def checkpoints(steps: int) -> tuple[int, ...]:
    """Return the steps after which progress is looked at: periods of falling length.

    The first period takes 22 % of the steps; each further one 3 % of the steps less than the one before, but at least
    6 %. All are rounded up.

    Args:
        steps: how many steps the climb takes.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), section 4.1.

    >>> checkpoints(100)
    (22, 41, 57, 70, 80, 87, 93, 99)
    """
    share, period, found = _FIRST, _FIRST, []
    while share < 1:
        found.append(math.ceil(round(share * steps, 6)))
        period = max(period - _SHORTER, _SHORTEST)
        share = round(share + period, 6)
    return tuple(dict.fromkeys(found))

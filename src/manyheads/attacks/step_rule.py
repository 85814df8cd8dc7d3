"""How many steps an attack on a dense model takes: more for a larger budget, as Mao et al. count them."""

import math

MAO_STEP_SIZE = 1 / 255
"""Length of each step by that rule, in pixel units: one level of an 8-bit image."""


def mao_steps(eps: float) -> int:
    """Count the steps for a budget: the smaller of `e + 4` and `1.25 e`, rounded up, with e = 255 eps.

    Args:
        eps: the budget in L∞, in [0, 1] pixel units.

    Raises:
        ValueError: if eps is not above zero and at most one.

    Reference: Mao et al., ECCV 2020, section 5.2, after Arnab et al., CVPR 2018, and Kurakin et al., ICLR 2017.

    >>> [mao_steps(level / 255) for level in (1, 2, 4, 8, 16)]
    [2, 3, 5, 10, 20]
    """
    if not 0 < eps <= 1:
        raise ValueError(f"eps is in [0, 1] pixel units, above zero, got {eps}; write 8/255, not 8")
    levels = 255 * eps
    return math.ceil(min(levels + 4, 1.25 * levels))

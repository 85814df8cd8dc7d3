"""Evaluation: per-example facts, scores with intervals computed from them, and the gradients behind them."""

from manyheads.evaluation.dense_scores import (
    dense_scores,
)
from manyheads.evaluation.evaluate import (
    Attacked,
    evaluate,
)
from manyheads.evaluation.facts import (
    Facts,
    joined,
)
from manyheads.evaluation.fooling import (
    fooling_scores,
    transfer_matrix,
)
from manyheads.evaluation.gains import (
    CLEAN,
    WORST,
    gains,
)
from manyheads.evaluation.gradients import (
    dual_size,
    task_gradients,
)
from manyheads.evaluation.intervals import (
    wilson,
)
from manyheads.evaluation.loss_surface import (
    loss_surface,
)
from manyheads.evaluation.paired import (
    Duel,
    duel,
    paired_interval,
)
from manyheads.evaluation.pixel_accuracy import (
    pixel_accuracy,
)
from manyheads.evaluation.pixel_curve import (
    pixel_curve,
)
from manyheads.evaluation.pixel_draws import (
    PixelDraws,
)
from manyheads.evaluation.sanity import (
    CHECKS,
    DENSE_CHECKS,
    sanity_checks,
    unchecked,
)
from manyheads.evaluation.sanity_order import (
    dense_order_checks,
    order_checks,
)
from manyheads.evaluation.scores import (
    scores,
)
from manyheads.evaluation.vulnerability import (
    gradient_covariances,
    gradient_norms,
    task_curve,
    theorem_factor,
)

__all__ = [
    "CHECKS",
    "CLEAN",
    "DENSE_CHECKS",
    "WORST",
    "Attacked",
    "Duel",
    "Facts",
    "PixelDraws",
    "dense_order_checks",
    "dense_scores",
    "dual_size",
    "duel",
    "evaluate",
    "fooling_scores",
    "gains",
    "gradient_covariances",
    "gradient_norms",
    "joined",
    "loss_surface",
    "order_checks",
    "paired_interval",
    "pixel_accuracy",
    "pixel_curve",
    "sanity_checks",
    "scores",
    "task_curve",
    "task_gradients",
    "theorem_factor",
    "transfer_matrix",
    "unchecked",
    "wilson",
]

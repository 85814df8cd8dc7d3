"""Evaluation: per-example facts, scores with intervals computed from them, and the gradients behind them."""

from manyheads.evaluation.dense_scores import dense_scores
from manyheads.evaluation.evaluate import Attacked, evaluate
from manyheads.evaluation.facts import Facts, joined
from manyheads.evaluation.fooling import fooling_scores, transfer_matrix
from manyheads.evaluation.gradients import dual_size, task_gradients
from manyheads.evaluation.intervals import wilson
from manyheads.evaluation.pixel_accuracy import pixel_accuracy
from manyheads.evaluation.pixel_curve import pixel_curve
from manyheads.evaluation.pixel_draws import PixelDraws
from manyheads.evaluation.scores import scores
from manyheads.evaluation.vulnerability import gradient_covariances, gradient_norms, task_curve, theorem_factor

__all__ = [
    "Attacked",
    "Facts",
    "PixelDraws",
    "dense_scores",
    "dual_size",
    "evaluate",
    "fooling_scores",
    "gradient_covariances",
    "gradient_norms",
    "joined",
    "pixel_accuracy",
    "pixel_curve",
    "scores",
    "task_curve",
    "task_gradients",
    "theorem_factor",
    "transfer_matrix",
    "wilson",
]

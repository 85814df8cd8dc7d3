"""The trail of a climb: what every point was worth, and which of them is the best."""

from dataclasses import dataclass

import torch

from manyheads.attacks.attack import Best, Loss
from manyheads.attacks.derivative import Watch, differentiate
from manyheads.attacks.raising import answered
from manyheads.threats import column
from manyheads.types import Image, PerExample


@dataclass(eq=False)
class Trail:
    """The points that an attack has looked at: the highest, its gradient, and the highest of those that win."""

    loss: Loss
    highest: Best
    slope: Best
    winner: Best
    watch: Watch

    @staticmethod
    def empty(loss: Loss, image: Image) -> "Trail":
        """Start without a point; the images say how many examples there are."""
        return Trail(loss, Best.nothing(image), Best.nothing(image), Best.nothing(image), Watch())

    def look(self, image: Image) -> tuple[PerExample, Image]:
        """Return the loss and its gradient at these images, which compete from now on; one pass through the model."""
        won = None

        def judged(image: Image) -> PerExample:
            nonlocal won
            answer = answered(self.loss, image)
            won = answer.won(image) if self.loss.knows_success else None
            return answer(image)

        value, gradient = differentiate(judged, image)
        self.watch.see(value, gradient)
        self.highest.offer(image, value)
        self.slope.offer(gradient, value)
        if won is not None:
            self.winner.offer(image, torch.where(won, value, -torch.inf))
        return value, gradient

    def join(self, other: "Trail") -> None:
        """Let another trail's points compete with these; of equal ones, these are kept."""
        for mine, theirs in ((self.highest, other.highest), (self.slope, other.slope), (self.winner, other.winner)):
            mine.offer(theirs.image, theirs.loss)
        self.watch.heed(other.watch)

    def end(self) -> Image:
        """Return each example's winner of highest loss; where none wins, the image of highest loss.

        Raises:
            ValueError: if a loss or a gradient on the way was not finite.
        """
        self.watch.verdict()
        return torch.where(column(self.winner.loss.isinf()), self.highest.image, self.winner.image)

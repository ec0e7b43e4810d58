"""Stage 2, drift: do today's inputs still look like those the model was trained on?"""

from tinytorch.mlops.drift.univariate import UnivariateDetector

__all__ = ["UnivariateDetector"]

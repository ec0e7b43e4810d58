"""TinyTorch MLOps: keep a model alive in production, from numpy up.

The ground floor is `tinytorch.core` (the Tensor), `tinytorch.stats` and `tinytorch.datasets`; `tinytorch.mlops`
holds the four stages monitor, drift, retrain and deploy, and the pipeline that joins them. Importing this file
imports nothing else: each part loads when it is asked for.
"""

__version__ = "0.1.0"

"""Detectors that watch streams: feed them values as they come, and they say where something changed."""

from tinytorch.stats.streams.adwin import ADWIN
from tinytorch.stats.streams.cusum import CUSUM
from tinytorch.stats.streams.ewma import EWMA
from tinytorch.stats.streams.page_hinkley import PageHinkley
from tinytorch.stats.streams.shewhart import Shewhart

__all__ = ["ADWIN", "CUSUM", "EWMA", "PageHinkley", "Shewhart"]

"""Detectors that watch streams: feed them values as they come, and they say where something changed."""

from tinytorch.stats.streams.adwin import ADWIN
from tinytorch.stats.streams.cusum import CUSUM
from tinytorch.stats.streams.ddm import DDM
from tinytorch.stats.streams.eddm import EDDM
from tinytorch.stats.streams.ewma import EWMA
from tinytorch.stats.streams.hddm_a import HDDM_A
from tinytorch.stats.streams.hddm_w import HDDM_W
from tinytorch.stats.streams.kswin import KSWIN
from tinytorch.stats.streams.page_hinkley import PageHinkley
from tinytorch.stats.streams.shewhart import Shewhart

__all__ = ["ADWIN", "CUSUM", "DDM", "EDDM", "EWMA", "HDDM_A", "HDDM_W", "KSWIN", "PageHinkley", "Shewhart"]

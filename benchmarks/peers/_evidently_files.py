"""What a user of evidently writes for two files: read them with pandas, run the drift preset, save the page."""

from __future__ import annotations

import os
import sys

os.environ["DO_NOT_TRACK"] = os.environ["ITERATIVE_DO_NOT_TRACK"] = "1"

import pandas as pd
from evidently import Dataset, Report
from evidently.presets import DataDriftPreset

if __name__ == "__main__":
    reference, current, page, method = sys.argv[1:]
    frames = (Dataset.from_pandas(pd.read_csv(path)) for path in (reference, current))
    preset = DataDriftPreset() if method == "default" else DataDriftPreset(num_method=method)
    before, after = frames
    Report([preset]).run(after, before).save_html(page)

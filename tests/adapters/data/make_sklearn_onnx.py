"""Write the ONNX files of two scikit-learn models, with what scikit-learn itself answers.

Needs `pip install skl2onnx scikit-learn` in an environment of its own. Writes into its own folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
MODELS = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "mlp": make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=300, random_state=0)),
    "forest": RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0),
}

features, labels = load_iris(return_X_y=True)
table = features.astype(np.float32)
answers = {"features": table}
for name, model in MODELS.items():
    model.fit(table, labels)
    answers[name] = model.predict_proba(table)
    exported = to_onnx(model, table[:1], options={"zipmap": False}, target_opset=15)
    (HERE / f"sklearn_{name}.onnx").write_bytes(exported.SerializeToString())
zipped = to_onnx(MODELS["logistic"], table[:1], target_opset=15)
(HERE / "sklearn_logistic_zipmap.onnx").write_bytes(zipped.SerializeToString())
np.savez_compressed(HERE / "sklearn_answers.npz", **answers)

"""scikit-learn's Isolation Forest on the benchmark data: python reference.py odds|ai4i|speed DATA, JSON to stdout."""
import csv, gzip, json, sys, time
from math import tau
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score


def forest(seed):
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1)


def mean_auroc(x, y):
    return float(np.mean([roc_auc_score(y, -forest(s).fit(x).score_samples(x)) for s in range(10)]))


def table(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as f:
        t = np.loadtxt(f, delimiter=",", skiprows=1)
    return t[:, :-1], t[:, -1] > 0.5


def odds(data):
    return {p.name.split(".")[0]: mean_auroc(*table(p)) for p in sorted((data / "odds").glob("*.csv*"))}


def ai4i(data):
    with open(data / "ai4i2020/ai4i2020.csv", encoding="utf-8-sig") as f:
        rows = list(csv.reader(f))[1:]
    x, y = np.array([[float(c) for c in r[3:8]] for r in rows]), np.array([r[8] == "1" for r in rows])
    air, process, speed, torque, wear = x.T
    derived = np.c_[torque * speed * tau / 60, process - air, wear * torque]
    return {"measured": mean_auroc(x, y), "derived": mean_auroc(derived, y)}


def best(work, times):
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - start))
    return min(spent)


def speed(_):
    x = np.random.default_rng(1).normal(size=(10_000, 25))
    model = forest(1).fit(x)
    return {
        "fit_ms": best(lambda: forest(1).fit(x), 3),
        "score_ms": best(lambda: model.score_samples(x), 3),
        "one_row_us": 1e3 * best(lambda: model.score_samples(x[:1]), 5),
    }


json.dump({"odds": odds, "ai4i": ai4i, "speed": speed}[sys.argv[1]](Path(sys.argv[2])), sys.stdout)

"""scikit-learn's Isolation Forest on the benchmark data: python reference.py DATA, JSON to stdout."""
import csv, gzip, json, sys, time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score


def odds(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as f:
        table = np.array([[float(c) for c in row] for row in list(csv.reader(f))[1:] if row])
    return table[:, :-1], table[:, -1]


def ai4i(path):
    with open(path, encoding="utf-8-sig") as f:
        rows = list(csv.reader(f))[1:]
    x = [[{"L": 0, "M": 1}.get(r[2], 2)] + [float(c) for c in r[3:8]] for r in rows]
    return np.array(x), np.array([int(r[8]) for r in rows])


def forest(seed):
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1)


data = Path(sys.argv[1])
sets = {p.name.split(".")[0]: (odds, p) for p in sorted((data / "odds").glob("*.csv*"))}
if (data / "ai4i2020/ai4i2020.csv").exists():
    sets["ai4i2020"] = (ai4i, data / "ai4i2020/ai4i2020.csv")
auroc = {}
for name, (read, path) in sets.items():
    x, y = read(path)
    auroc[name] = float(np.mean([roc_auc_score(y, -forest(s).fit(x).score_samples(x)) for s in range(10)]))

x = np.random.default_rng(1).normal(size=(10_000, 25))


def best(work, times=7):
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - start))
    return round(min(spent), 3)


model = forest(1).fit(x)
speed = {
    "fit": best(lambda: forest(1).fit(x)),
    "score": best(lambda: model.score_samples(x)),
    "one_row_us": round(1e3 * best(lambda: model.score_samples(x[:1])), 1),
}
json.dump({"auroc": auroc, "speed_ms": speed, "version": sklearn.__version__}, sys.stdout)

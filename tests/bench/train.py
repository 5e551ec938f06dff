#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""train.py ROWS: the same K-means with scikit-learn's MiniBatchKMeans, on one core. Prints JSON.

Exits with 77 where scikit-learn is missing.
"""

import json
import statistics
import sys
import time

try:
    import numpy
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits
except ImportError:
    sys.exit(77)

ROWS = 100000
CLUSTERS = 16
BATCH = 512
ROUNDS = 15


def fit(rows, seed):
    """Milliseconds and mean squared distance of one fit."""
    model = MiniBatchKMeans(CLUSTERS, batch_size=BATCH, n_init=1, random_state=seed)
    began = time.process_time()
    model.fit(rows)
    took = time.process_time() - began
    return 1e3 * took, -model.score(rows) / len(rows)


def update(rows):
    """Milliseconds to update five models by 10,000 rows."""
    models = [MiniBatchKMeans(CLUSTERS, batch_size=BATCH, n_init=1, random_state=i) for i in range(5)]
    for model in models:
        model.fit(rows[:20000])
    fresh = rows[20000:30000]
    began = time.process_time()
    for model in models:
        for at in range(0, len(fresh), BATCH):
            model.partial_fit(fresh[at:at + BATCH])
    return 1e3 * (time.process_time() - began)


def main():
    rows = numpy.fromfile(sys.argv[1], dtype=numpy.float32).reshape(ROWS, -1)
    rows = rows[:, rows.std(axis=0) > 0]
    with threadpool_limits(1):
        fits = [fit(rows, seed) for seed in range(ROUNDS)]
        updates = [update(rows) for _ in range(5)]
    print(json.dumps({
        "update_ms": round(statistics.median(updates), 2),
        "kmeans_ms": round(statistics.median(f[0] for f in fits), 1),
        "kmeans_inertia": round(statistics.median(f[1] for f in fits), 3),
    }))


main()

# SPDX-License-Identifier: Apache-2.0
"""Makes lightgbm-*: python make.py JAVA WORK, in this folder, with lightgbm 4.7.0 and numpy 2.4.6.

NAME.txt.gz is what LightGBM saves; of the larger ones without the lines that say how they were grown. NAME.f32.gz are the
sums and then the predictions for the rows that TreeRows makes of the dump. WORK gets the training data, for Make.java.
"""
import gzip, subprocess, sys
import lightgbm as lgb, numpy as np

java, work = sys.argv[1:3]
rows_java = "../../java/dev/millrace/trees/TreeRows.java"
rng = np.random.default_rng(20261123)
N, F = 6000, 12
x = rng.normal(size=(N, F)) * np.array([1, 5, 0.1, 1, 1, 100, 1, 1, 1, 1, 1, 1])
x[:, 3] = np.where(rng.random(N) < 0.6, 0, x[:, 3])        # mostly zeros
x[:, 4] = np.round(x[:, 4], 1)
x[:, 5] = np.round(x[:, 5])
x[:, 8] = np.exp(x[:, 8])
x[:, 9] = rng.integers(0, 5, N)                            # categories
x[:, 10] = rng.integers(0, 40, N)
x[:, 11] = rng.integers(0, 110, N)
for c, share in ((0, 0.2), (4, 0.1), (7, 0.3), (10, 0.05)):
    x[rng.random(N) < share, c] = np.nan
x = x.astype(np.float32)
cat_effect = rng.normal(size=(3, 120))
z = np.nan_to_num(x.astype(np.float64))
s = (z[:, 0] + 0.3 * z[:, 1] + 4 * z[:, 2] * z[:, 6] + np.sin(3 * z[:, 4]) + 0.01 * z[:, 5]
     + np.isnan(x[:, 7]) + (z[:, 3] == 0) * 0.7
     + cat_effect[0][z[:, 9].astype(int)] + cat_effect[1][z[:, 10].astype(int)] + cat_effect[2][z[:, 11].astype(int)])
noise = rng.normal(size=N)
binary = (s + noise > 0.5).astype(float)
three = np.digitize(s + noise, [-1.2, 1.2]).astype(float)
counts = rng.poisson(np.exp(np.clip(0.4 * s, -3, 3))).astype(float)
amount = np.maximum(0, 3 + s + noise)
np.concatenate([x, binary[:, None], three[:, None], counts[:, None]], 1).astype("<f4").tofile(f"{work}/train.bin")

DROP = ("tree_sizes=", "split_gain=", "leaf_weight=", "leaf_count=", "internal_value=", "internal_weight=", "internal_count=")

def make(name, y, rounds, rows, categorical=(9, 10, 11), strip=False, **params):
    params = dict(verbosity=-1, num_threads=1, seed=7, deterministic=True, min_data_per_group=20, cat_smooth=2,
                  min_data_in_leaf=10) | params
    data = lgb.Dataset(x, y, categorical_feature=list(categorical), params=params, free_raw_data=False)
    text = lgb.train(params, data, rounds).model_to_string()
    if strip:
        text = "\n".join(l for l in text.split("\n") if not l.startswith(DROP))
        text = text[:text.index("feature_importances:")]
    booster = lgb.Booster(model_str=text)
    dump = f"{work}/{name}.txt"
    open(dump, "w").write(text)
    subprocess.run([java, rows_java, dump, str(rows), "infinite", f"{work}/rows.bin"], check=True)
    asked = np.fromfile(f"{work}/rows.bin", "<f4").reshape(rows, F)
    raw = booster.predict(asked, raw_score=True).astype("<f4")
    out = booster.predict(asked).astype("<f4")
    with open(f"{name}.txt.gz", "wb") as f: f.write(gzip.compress(text.encode(), 9, mtime=0))
    with open(f"{name}.f32.gz", "wb") as f: f.write(gzip.compress(raw.tobytes() + out.tobytes(), 9, mtime=0))
    print(name, booster.num_trees(), "trees")

make("lightgbm-binary-500x8", binary, 500, 10000, strip=True, objective="binary", max_depth=8, num_leaves=40, learning_rate=0.03)
make("lightgbm-multiclass-102x6", three, 34, 10000, objective="multiclass", num_class=3, max_depth=6, num_leaves=31, learning_rate=0.2, strip=True)
make("lightgbm-poisson-zero", counts, 20, 2000, objective="poisson", max_depth=5, zero_as_missing=True)
make("lightgbm-ova-none", three, 8, 2000, objective="multiclassova", num_class=3, sigmoid=0.7, max_depth=5, use_missing=False)
make("lightgbm-rf", binary, 20, 2000, objective="binary", boosting="rf", bagging_freq=1, bagging_fraction=0.6, max_depth=5)
make("lightgbm-sqrt", amount, 20, 2000, objective="regression", reg_sqrt=True, max_depth=5, sigmoid=2.0)
make("lightgbm-steep", binary, 10, 2000, objective="binary", sigmoid=1.7, max_depth=5, categorical=())
make("lightgbm-sqrt-quantile", amount, 6, 2000, objective="quantile", alpha=0.7, reg_sqrt=True, max_depth=4)

# What LightGBM makes of the sums of lightgbm-sqrt under the names of other objectives, as the test has it.
sums = lgb.Booster(model_file=f"{work}/lightgbm-sqrt.txt").predict(x, raw_score=True)
for name, right in (("regression_l1", True), ("fair", True), ("mape", True), ("quantile", True), ("huber", False)):
    text = open(f"{work}/lightgbm-sqrt.txt").read().replace("objective=regression sqrt", f"objective={name} sqrt")
    assert np.array_equal(lgb.Booster(model_str=text).predict(x), np.sign(sums) * sums * sums if right else sums), name

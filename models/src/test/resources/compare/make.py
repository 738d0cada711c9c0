# SPDX-License-Identifier: Apache-2.0
# Made auc.txt: areas under ROC curves as scikit-learn 1.9.1 finds them, for scores with ties and rare positives.
# python3 make.py > auc.txt; each line: name, area, then score:label for each row.
import numpy
from sklearn.metrics import roc_auc_score

random = numpy.random.default_rng(7)


def case(name, scores, labels):
    pairs = " ".join(f"{score!r}:{int(label)}" for score, label in zip(scores.tolist(), labels))
    print(name, repr(float(roc_auc_score(labels, scores))), pairs)


labels = random.random(200) < 0.4
case("plain", random.normal(size=200) + labels, labels)
case("ties", numpy.round(random.normal(size=200) + labels, 0), labels)
case("all-equal", numpy.full(50, 0.25), labels[:50])
case("reversed", -labels.astype(float), labels)
case("perfect", labels.astype(float), labels)
rare = numpy.zeros(1500, dtype=bool)
rare[[17, 400, 1499]] = True
case("rare", numpy.round(random.random(1500) * 0.2 + rare * 0.05, 4), rare)
case("rare-ties", numpy.round(random.random(1500) * 0.2 + rare * 0.05, 2), rare)
common = ~rare
case("common", numpy.round(random.random(1500), 2), common)
case("zeros", numpy.where(random.random(60) < 0.5, 0.0, -0.0), labels[:60])
case("extremes", numpy.where(random.random(60) < 0.1, -3.4e38, random.normal(size=60)), labels[:60])
case("float32", random.random(300).astype(numpy.float32).astype(float), random.random(300) < 0.5)
case("two", numpy.array([0.5, 0.25]), numpy.array([False, True]))

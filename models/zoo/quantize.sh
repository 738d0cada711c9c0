#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the int8 versions of the example models again, and the cards of all.
# usage: models/zoo/quantize.sh
# The models come out the same everywhere; cards have times of the machine that they are made on.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"

make() { # a model, and the column of its data that tells what is right
    float=models/zoo/$1/1/model.onnx
    bytes=models/zoo/$1-int8/1/model.onnx
    data=models/zoo/$1/data
    mkdir -p "models/zoo/$1-int8/1"
    ./millrace model quantize "$float" "$bytes" --no-reduce-range --calibration "$data/calibration.csv" --labels "$2"
    ./millrace model card "$float" --data "$data/test.csv" --labels "$2" --out "models/zoo/$1/CARD.md"
    ./millrace model card "$bytes" --against "$float" --data "$data/test.csv" --labels "$2" \
        --out "models/zoo/$1-int8/CARD.md"
}

make digits label
make fraud fraud

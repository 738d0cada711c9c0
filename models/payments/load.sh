#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fills a feature store with what is known about the customers and merchants of the example model `fraud`.
# usage: models/payments/load.sh STORE
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: $0 STORE" >&2; exit 2; }
for view in customers merchants known_merchants known_devices; do
    "$here/../../millrace" features load "$1" --schema "$here/fraud/data/$view.schema" --data "$here/fraud/data/$view.csv" \
        --event-time seen_at
done

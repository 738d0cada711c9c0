#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs all benches and prints the report: bench/run.sh [--quick] [PART ...]
#
# Builds what is out of date, checks that every contestant answers like the floor, measures, and writes
# bench/results/<date>-<commit>.md, .json and .log. By the sum of its parts a quick run, for trying out, takes half an
# hour or less, a full one an hour and forty minutes or less. With names of parts only these are measured: --routes the
# small models by all routes, one by one and saturated; --models larger models, alone and among each other; --neighbour
# beside processes that spin; --http the servers; --http-mix all models on one server; --protocols JSON, binary tensors
# and gRPC side by side; --recording what recording latencies costs; --ramp batching under a ramp of loads; --ensembles
# ensembles beside calls to their steps; --json reading tensors from JSON; --overload more requests
# than can be answered, in-process, and --overload-http over HTTP; --deadlines how late expired requests are told;
# --isolation a light model beside a saturated one; --swaps a model that is replaced under load; --loading a light model
# while a large one is loaded; --priorities two priorities, two models on one agent, and clients over their limit;
# --failing rows and models that fail; --memory a server with little of it; --back-pressure clients that do not read, or
# send slowly; --store reads of the feature store while it is written to; --features from raw values to a row of a
# model's input, beside ONNX Runtime; --redis stored features out of Redis. Where a promise is found to be broken it says
# so, and the exit status is 1. Run it on a machine that does nothing else.
#
# The servers are loaded by wrk, gRPC by h2load, features come from redis-server (Debian, Ubuntu: apt install wrk
# nghttp2-client redis-server); what is missing is left out.
#
#   JAVA_HOME    the JDK to use, if it is new enough; otherwise ./millrace's choice
#   BENCH_OPTS   more options for the JVMs, but for those of the servers
set -eu

say() { printf '%s\n' "bench: $*" >&2; }

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

options=
for option in "$@"; do
    case $option in
        --quick | --routes | --models | --neighbour | --http | --http-mix | --protocols | --recording | --ramp | \
            --ensembles | --json | \
            --overload | --overload-http | --deadlines | --isolation | --swaps | --loading | \
            --priorities | --failing | --memory | --back-pressure | --store | --features | --transform | --redis)
            options="$options $option"
            ;;
        *)
            printf '%s\n' "use: bench/run.sh [--quick] [--routes] [--models] [--neighbour] [--http] [--http-mix] [--protocols]" \
                "    [--recording] [--ramp] [--ensembles] [--json] [--overload] [--overload-http] [--deadlines] [--isolation]" \
                "    [--swaps] [--loading] [--priorities] [--failing] [--memory] [--back-pressure] [--store] [--features]" \
                "    [--transform] [--redis]" >&2
            exit 2
            ;;
    esac
done

. "$root/bench/build.sh"

revision=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
if [ -n "$(git -C "$root" status --porcelain 2>/dev/null)" ]; then revision=$revision-dirty; fi

# Both heap sizes are set, and all of it touched, so that the heap does not grow while something is timed. Unsafe is JMH's.
# shellcheck disable=SC2086 # BENCH_OPTS and options hold words
exec "$java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xms512m -Xmx512m -XX:+AlwaysPreTouch \
    -Dlogback.configurationFile=dev/millrace/bench/logback.xml \
    "-Dmillrace.bench.flags=$flags" "-Dmillrace.bench.jar=$server" \
    "-Dmillrace.bench.zoo=$root/models/zoo" ${BENCH_OPTS:-} \
    -cp "$jar:$root/bench/target/lib/*" dev.millrace.bench.Main $options "$root/bench/results" "$revision"

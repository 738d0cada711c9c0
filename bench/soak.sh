#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs the soak: bench/soak.sh [--minutes N] [--seed S], 10 minutes unless told otherwise.
#
# One process with a server and with callers and clients of every kind at random. Every answer is compared, every request
# counted; a line per minute, and a verdict at the end: nothing lost, nothing told twice, nothing left, no drift of the
# resident set. The exit status is 0 if all of that holds. The seed says what is asked and how models are served; in which
# order threads come to it no seed says.
#
#   JAVA_HOME    the JDK to use, if it is new enough; otherwise ./millrace's choice
#   SOAK_OPTS    more options for the JVM
set -eu

say() { printf '%s\n' "soak: $*" >&2; }

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

minutes=10
seed=
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=${2:-} ;;
        --seed) seed=${2:-} ;;
        *) minutes= ;;
    esac
    case $minutes in
        '' | *[!0-9]*)
            printf '%s\n' "use: bench/soak.sh [--minutes N] [--seed S]" >&2
            exit 2
            ;;
    esac
    shift 2
done

. "$root/bench/build.sh"

# The launcher's flags, and a heap that does not grow while the resident set is watched.
# shellcheck disable=SC2086 # flags, SOAK_OPTS and seed are words
exec "$java" $flags -Xms256m -Xmx256m -XX:+AlwaysPreTouch \
    -Dlogback.configurationFile=dev/millrace/bench/soak-logback.xml "-Dmillrace.bench.zoo=$root/models/zoo" ${SOAK_OPTS:-} \
    -cp "$jar:$root/bench/target/lib/*" dev.millrace.bench.soak.Soak "$minutes" $seed

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Trains the example model for handwritten digits again and replaces what it made of models/zoo/digits.
# usage: models/zoo/digits/train.sh
# Needs JDK 25 (in JAVA_HOME, PATH, MILLRACE_JDK_DIRS or /usr/lib/jvm) and Maven.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd)

major() {
    "$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

java=
old_ifs=$IFS
IFS=:
# shellcheck disable=SC2086 # split at the colons
set -- ${MILLRACE_JDK_DIRS:-/usr/lib/jvm:${HOME:-}/.sdkman/candidates/java}
IFS=$old_ifs
for candidate in "${JAVA_HOME:-/nonexistent}" "$(command -v java || true)" "$@"; do
    for found in "$candidate" "$candidate/bin/java" "$candidate"/*/bin/java; do
        if [ -z "$java" ] && [ -x "$found" ] && [ ! -d "$found" ] && [ "$(major "$found")" -ge 25 ] 2>/dev/null; then
            java=$found
        fi
    done
done
[ -n "$java" ] || { echo "train.sh: no JDK 25 in JAVA_HOME, PATH, MILLRACE_JDK_DIRS or /usr/lib/jvm" >&2; exit 1; }

cd "$root"
echo "train.sh: building" >&2
mvn -q -B -ntp -pl models -am -Dquick -DskipTests package dependency:build-classpath \
    -DincludeScope=compile -Dmdep.outputFile=target/zoo.classpath >&2
echo "train.sh: training, about a minute" >&2
exec "$java" -XX:+UseSerialGC -cp "models/target/classes:$(cat models/target/zoo.classpath)" \
    dev.millrace.zoo.digits.DigitsTrainer models/zoo/digits

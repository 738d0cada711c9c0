# SPDX-License-Identifier: Apache-2.0
#
# Sourced by bench/run.sh and bench/soak.sh with $root and say: builds what is out of date, and sets $java, the launcher's
# $flags for a server, and the jars $jar and $server.

# The launcher knows where JDKs are and which flags a server gets: what it would run begins with them.
if ! launch=$(MILLRACE_OPTS='' MILLRACE_DRY_RUN=1 "$root/millrace" 2>/dev/null); then
    MILLRACE_DRY_RUN=1 "$root/millrace" >/dev/null
    exit 1
fi
java=${launch%% --enable-native-access=*}
flags=${launch#"$java "}
flags=${flags%% -Dmillrace.home=*}

# Whether the jar is missing, or older than anything that it is made from.
stale() {
    [ -f "$1" ] && [ -d "$root/bench/target/lib" ] || return 0
    jar=$1
    set -- "$root/pom.xml"
    for module in native models runtime server bench; do
        set -- "$@" "$root/$module/pom.xml"
        if [ -d "$root/$module/src/main" ]; then set -- "$@" "$root/$module/src/main"; fi
    done
    [ -n "$(find "$@" -newer "$jar" | sed -n 1p)" ]
}

version=$(sed -n 's:.*<version>\(.*\)</version>.*:\1:p' "$root/pom.xml" | sed -n 1p)
jar=$root/bench/target/millrace-bench-$version.jar
server=$root/server/target/millrace-server-$version.jar
if [ ! -f "$server" ] || [ ! -d "$root/server/target/lib" ] || stale "$jar"; then
    say "building, once ..."
    (cd "$root" && mvn -q -B -Dquick -DskipTests package -pl bench -am) >&2 || {
        say "the build failed."
        exit 1
    }
    # Maven leaves a jar alone whose content would be the same; it is up to date now.
    touch "$jar"
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Feeds the policy reader, or the codec and session of the agent protocol, with damaged input until something traps, a promise is
# broken or the time is over: scripts/fuzz.sh policy|session [SECONDS]. What it finds is put into
# Tests/DispatcherTests/Policy/FuzzCorpus or Tests/AgentProtocolTests/FuzzCorpus, which the tests replay.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
target=${1:-policy}
seconds=${2:-60}
yams=.build/checkouts/Yams/Sources
out=.build/fuzz

options=(-O -sanitize=fuzzer -parse-as-library -wmo -swift-version 6 -package-name reparto)

# The session with everything below it but sockets. Its cryptography comes, without the fuzzer's eyes, from a debug build.
fuzz_session() {
    local build=.build/debug
    if [ ! -d "$build/Crypto.build" ]; then
        echo "error: there is no debug build. Run 'swift build --build-tests' first." >&2
        exit 3
    fi
    mkdir -p "$out/session"
    local sources objects
    mapfile -t sources < <(find Sources/Assignment -name '*.swift' | sort)
    swiftc "${options[@]}" -emit-module -emit-module-path "$out/Assignment.swiftmodule" -module-name Assignment \
        -c "${sources[@]}" -o "$out/session/Assignment.o"
    mapfile -t sources < <(find Sources/AgentProtocol -name '*.swift' -not -path '*/Channel/*' -not -path '*/Client/*' | sort)
    swiftc "${options[@]}" -I "$out" -I "$build/Modules" -enable-upcoming-feature InternalImportsByDefault \
        -emit-module -emit-module-path "$out/AgentProtocol.swiftmodule" -module-name AgentProtocol \
        -c "${sources[@]}" -o "$out/session/AgentProtocol.o"
    mapfile -t objects < <(find "$build"/Crypto.build "$build"/CCrypto*.build "$build"/CryptoBoringWrapper.build \
        "$build"/CXKCP*.build -name '*.o' 2>/dev/null)
    swiftc "${options[@]}" -I "$out" -I "$build/Modules" Tests/AgentProtocolTests/Support/SessionProbe.swift \
        Fuzz/SessionFuzz.swift "$out"/session/*.o "${objects[@]}" -lstdc++ -o "$out/session-fuzz"
    mkdir -p "$out/session-corpus"
    exec "$out/session-fuzz" -max_total_time="$seconds" -timeout=5 -max_len=8192 -artifact_prefix="$out/" \
        "$out/session-corpus" Tests/AgentProtocolTests/FuzzCorpus
}
case $target in
    session) fuzz_session ;;
    policy) ;;
    *)
        echo "error: there is no target $target. It is policy or session." >&2
        exit 2
        ;;
esac

if [ ! -d "$yams" ]; then
    echo "error: the sources of Yams are not there. Run 'swift package resolve' first." >&2
    exit 3
fi
mkdir -p "$out/corpus"

# The reader alone, without what reads databases and sockets: it builds in seconds.
for source in "$yams"/CYaml/src/*.c; do
    clang -O1 -fsanitize=fuzzer-no-link -DYAML_DECLARE_STATIC -I "$yams/CYaml/include" \
        -c "$source" -o "$out/$(basename "$source" .c).o"
done
options+=(-I "$out" -Xcc -DYAML_DECLARE_STATIC -Xcc -I"$yams/CYaml/include" -Xcc "-fmodule-map-file=$yams/CYaml/include/module.modulemap")
module() {
    local name=$1
    shift
    swiftc "${options[@]}" -emit-module -emit-module-path "$out/$name.swiftmodule" -module-name "$name" \
        -c "$@" -o "$out/$name.o"
}
module Yams -DSWIFT_PACKAGE "$yams"/Yams/*.swift
mapfile -t sources < <(find Sources/Assignment -name '*.swift' | sort)
module Assignment "${sources[@]}"
policy=Sources/Dispatcher/Policy
module PolicyText "$policy"/PolicyReader*.swift "$policy"/PolicyReview*.swift "$policy"/PolicyFault*.swift \
    "$policy"/PolicyShape.swift "$policy"/PolicyPack.swift "$policy"/ConditionGap.swift "$policy"/ListedNames.swift \
    "$policy"/Trial/ConditionTrace.swift Fuzz/PolicyText.swift
swiftc "${options[@]}" Fuzz/PolicyFuzz.swift "$out"/*.o -o "$out/policy-fuzz"

"$out/policy-fuzz" -max_total_time="$seconds" -timeout=5 -max_len=65536 -artifact_prefix="$out/" \
    "$out/corpus" policies Tests/DispatcherTests/Policy/BrokenPolicies Tests/DispatcherTests/Policy/FuzzCorpus

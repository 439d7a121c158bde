#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Feeds the policy reader with damaged policies until something traps or the time is over: scripts/fuzz.sh [SECONDS].
# What it finds is put into Tests/DispatcherTests/Policy/FuzzCorpus, which the tests replay.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
seconds=${1:-60}
yams=.build/checkouts/Yams/Sources
out=.build/fuzz

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
options=(-O -sanitize=fuzzer -parse-as-library -wmo -swift-version 6 -package-name reparto -I "$out"
    -Xcc -DYAML_DECLARE_STATIC -Xcc -I"$yams/CYaml/include" -Xcc "-fmodule-map-file=$yams/CYaml/include/module.modulemap")
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
module PolicyText "$policy"/PolicyReader*.swift "$policy"/PolicyShape.swift "$policy"/PolicyPack.swift \
    "$policy"/PolicyFault.swift "$policy"/PolicyReview.swift Fuzz/PolicyText.swift
swiftc "${options[@]}" Fuzz/PolicyFuzz.swift "$out"/*.o -o "$out/policy-fuzz"

"$out/policy-fuzz" -max_total_time="$seconds" -timeout=5 -max_len=65536 -artifact_prefix="$out/" \
    "$out/corpus" policies Tests/DispatcherTests/Policy/BrokenPolicies Tests/DispatcherTests/Policy/FuzzCorpus

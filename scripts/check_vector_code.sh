#!/usr/bin/env bash
# Reads the listing of every innermost loop of the fast kernels, and fails where a vector is taken lane by lane: inserts
# and extracts, arithmetic on single floats, calls. Compiles FastKernels alone, as released, for AVX-512 and for AVX2;
# on aarch64 for NEON. Arguments, if any, are the levels to check, such as x86-64-v3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

architecture=$(uname -m)
levels=("$@")
if [ $# -eq 0 ]; then
    case $architecture in
        x86_64) levels=(x86-64-v4 x86-64-v3) ;;
        *) levels=("") ;;
    esac
fi

status=0
for level in "${levels[@]}"; do
    folder=.build/vector-code/${level:-$architecture}
    PLUMBLINE_MARCH=$level swift build -c release --target FastKernels --scratch-path "$folder" >&2
    objects=("$folder"/release/FastKernels.build/*.o)
    echo "${level:-$architecture}:"
    python3 scripts/hot_loops.py "$architecture" "${objects[@]}" || status=1
done
exit $status

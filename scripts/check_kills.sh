#!/usr/bin/env bash
# Kills training runs with SIGKILL at random moments, resumes each, and compares its end with that of a run that nobody
# disturbed: every bit must be the same. Usage: scripts/check_kills.sh [KILLS, 100 if not given]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kills=${1:-100}
train=${TRAIN:-.build/debug/train}
[ -x "$train" ] || { echo "check_kills.sh: $train is missing; run swift build first" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run=(--text README.md --model tiny --batch 2 --sequence 16 --steps 100 --save-every 1 --sample-every 0
    --validate-every 25 --threads 1)
quiet() { "$@" >"$folder/output" 2>&1; }

started=$(date +%s%N)
if ! quiet "$train" "${run[@]}" --checkpoint "$folder/whole.h5" --report "$folder/whole"; then
    cat "$folder/output" >&2
    exit 2
fi
seconds=$(awk -v nanoseconds="$(($(date +%s%N) - started))" 'BEGIN { print nanoseconds / 1e9 }')

checkpoint=$folder/killed.h5
deaths=0
unsaved=0 # killed before anything was saved
while [ "$deaths" -lt "$kills" ]; do
    rm -f "$checkpoint"*
    "$train" "${run[@]}" --checkpoint "$checkpoint" --report "$folder/killed" >"$folder/output" 2>&1 &
    process=$!
    sleep "$(awk -v longest="$seconds" -v draw="$RANDOM" 'BEGIN { print longest * draw / 32768 }')"
    kill -KILL "$process" 2>/dev/null || true
    code=0
    wait "$process" 2>/dev/null || code=$?
    [ "$code" -ne 0 ] || continue # it had come to its end
    [ "$code" -eq 137 ] || { cat "$folder/output" >&2; exit 1; }
    deaths=$((deaths + 1))
    if [ -e "$checkpoint" ]; then
        again=(--resume "$checkpoint")
    else
        unsaved=$((unsaved + 1))
        again=("${run[@]}" --checkpoint "$checkpoint")
    fi
    if ! quiet "$train" "${again[@]}" --report "$folder/killed"; then
        echo "check_kills.sh: after kill $deaths the run could not go on:" >&2
        cat "$folder/output" >&2
        exit 1
    fi
    cmp "$checkpoint" "$folder/whole.h5" || { echo "check_kills.sh: after kill $deaths the end differs" >&2; exit 1; }
done
echo "$deaths kills ($unsaved before the first save); each time the end was bit for bit that of the undisturbed run"

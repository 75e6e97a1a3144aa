#!/usr/bin/env bash
# Kills a training run with SIGKILL at random moments, resumes it each time, and compares the end with that of a run
# that nobody disturbed: every bit must be the same. Usage: scripts/check_kills.sh [KILLS, 100 if not given]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kills=${1:-100}
train=${TRAIN:-.build/debug/train}
[ -x "$train" ] || { echo "check_kills.sh: $train is missing; run swift build first" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run=(--text README.md --model tiny --batch 2 --sequence 16 --steps 400 --save-every 1 --sample-every 0
    --validate-every 50 --threads 1)
quiet() { "$@" >"$folder/output" 2>&1; }

if ! quiet "$train" "${run[@]}" --checkpoint "$folder/whole.h5" --report "$folder/whole"; then
    cat "$folder/output" >&2
    exit 2
fi

checkpoint=$folder/killed.h5
finished=0 # runs that ended before they could be killed, and began again
deaths=0
while [ "$deaths" -lt "$kills" ]; do
    if [ -e "$checkpoint" ]; then
        "$train" --resume "$checkpoint" --report "$folder/killed" >"$folder/output" 2>&1 &
    else
        "$train" "${run[@]}" --checkpoint "$checkpoint" --report "$folder/killed" >"$folder/output" 2>&1 &
    fi
    process=$!
    sleep "0.$(printf '%03d' $((RANDOM % 600)))"
    if kill -KILL "$process" 2>/dev/null; then deaths=$((deaths + 1)); fi
    code=0
    wait "$process" 2>/dev/null || code=$?
    if [ "$code" -eq 0 ]; then
        cmp "$checkpoint" "$folder/whole.h5" || { echo "check_kills.sh: a resumed run ended otherwise" >&2; exit 1; }
        finished=$((finished + 1))
        rm "$checkpoint"
    elif [ "$code" -ne 137 ]; then
        echo "check_kills.sh: a run failed after $deaths kills:" >&2
        cat "$folder/output" >&2
        exit 1
    fi
done
if [ -e "$checkpoint" ]; then
    quiet "$train" --resume "$checkpoint" --report "$folder/killed" || { cat "$folder/output" >&2; exit 1; }
    cmp "$checkpoint" "$folder/whole.h5" || { echo "check_kills.sh: the resumed run ended otherwise" >&2; exit 1; }
    finished=$((finished + 1))
fi
echo "$deaths kills; $finished runs came to their end, each bit for bit that of the undisturbed run"

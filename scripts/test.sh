#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Arguments go to `swift test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/install.sh
python=${PLUMBLINE_PYTHON:-.venv/bin/python}
if ! "$python" scripts/check_requirements.py scripts/requirements.txt 2>/dev/null; then
    echo "test.sh: without PyTorch and its like the comparisons with them are skipped;" >&2
    echo "test.sh: ./scripts/install_python.sh gets what they need (some gigabytes)" >&2
fi
swift build --build-tests --explicit-target-dependency-import-check error >&2
exec swift test --skip-build "$@"

#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Arguments go to `swift test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/install.sh
swift build --build-tests --explicit-target-dependency-import-check error >&2
exec swift test --skip-build "$@"

#!/usr/bin/env bash
# Installs what is missing, builds, and verifies every kernel. Arguments go to `verify`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/install.sh
swift build --product verify >&2
exec "$(swift build --show-bin-path)/verify" "$@"

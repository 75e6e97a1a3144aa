#!/usr/bin/env bash
# Makes .venv with what the scripts in Python need (scripts/requirements.txt), from PyPI. Safe to run again; does nothing
# when all is there. PLUMBLINE_PYTHON names another Python instead. Exit codes: 0 it is there, 3 it cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
check=(scripts/check_requirements.py scripts/requirements.txt)

if [ -n "${PLUMBLINE_PYTHON:-}" ]; then
    "$PLUMBLINE_PYTHON" "${check[@]}" && exit 0
    echo "install_python.sh: PLUMBLINE_PYTHON is $PLUMBLINE_PYTHON, which lacks that" >&2
    exit 3
fi
if [ -x .venv/bin/python ] && .venv/bin/python "${check[@]}" 2>/dev/null; then exit 0; fi

if ! python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    if command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }; then
        sudo=""
        [ "$(id -u)" -eq 0 ] || sudo="sudo"
        echo "install_python.sh: installing python3-venv" >&2
        export DEBIAN_FRONTEND=noninteractive
        { $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends python3-venv; } >&2 || true
    fi
    if ! python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "install_python.sh: there is no Python 3.11 or later with venv here" >&2
        exit 3
    fi
fi

echo "install_python.sh: installing scripts/requirements.txt into .venv; PyTorch is large" >&2
[ -x .venv/bin/python ] || python3 -m venv .venv >&2
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt >&2; then
    echo "install_python.sh: pip could not install scripts/requirements.txt" >&2
    exit 3
fi
.venv/bin/python "${check[@]}" || exit 3

#!/usr/bin/env bash
# Installs what building needs and the machine lacks. Safe to run again; does nothing when all is there.
set -euo pipefail

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
pkg-config --exists hdf5 2>/dev/null || missing+=(libhdf5-dev)
pkg-config --exists libcrypto 2>/dev/null || missing+=(libssl-dev)
pkg-config --exists libffi 2>/dev/null || missing+=(libffi-dev)

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        echo "install.sh: please install ${missing[*]} (there is no apt-get here), then run this again" >&2
        exit 2
    fi
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    echo "install.sh: installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq >&2
    $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

if ! command -v swift >/dev/null; then
    echo "install.sh: there is no swift on the PATH; get Swift 6.3 or later from swift.org" >&2
    exit 2
fi

#!/bin/sh
# Brings what the browser tests need and this machine lacks: node, Chromium, pdftotext, and the npm packages of the lock.
set -eu
cd "$(dirname "$0")"
missing=
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing="$missing chromium"
command -v pdftotext >/dev/null || missing="$missing poppler-utils"
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "install these first:$missing" >&2
        exit 1
    fi
    apt-get update -qq
    # shellcheck disable=SC2086 # one package a word
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi
[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund

# `prepare.sh bench` also brings what the report is measured beside; without it that part is left out, loudly.
if [ "${1:-}" = bench ] && ! command -v pgbadger >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbadger >/dev/null 2>&1 ||
        echo "pgbadger is missing and cannot be installed: there will be no comparison with it" >&2
fi

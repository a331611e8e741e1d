#!/bin/sh
# Brings the programs that the tests ask for a second opinion and this machine lacks; without root it says which.
set -eu
missing=
need() { # command package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need cc gcc
need unzip unzip
need bsdtar libarchive-tools
need python3 python3
need curl curl
command -v 7zz >/dev/null 2>&1 || need 7z 7zip
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "the tests need these packages, please install them:$missing" >&2
    exit 1
fi
echo "installing what the tests need:$missing"
apt-get update -qq
# shellcheck disable=SC2086 # one package a word
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing

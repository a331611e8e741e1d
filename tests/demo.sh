#!/usr/bin/env bash
# From nothing to a report of this machine, through the real API: serve, trigger, wait, download, unpack.
# DEMO_EXIT=1 stops there; otherwise the appliance keeps serving until Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:?"usage: tests/demo.sh BINARY"}
demo=$PWD/target/demo
rm -rf "$demo"
mkdir -p "$demo"

"$binary" serve --data-dir "$demo/data" --listen "127.0.0.1:${DEMO_PORT:-0}" >"$demo/serve.out" 2>"$demo/serve.log" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT

address=
for _ in $(seq 100); do
    address=$(sed -n 's/^listening on //p' "$demo/serve.out")
    [ -z "$address" ] || break
    kill -0 "$server" 2>/dev/null || { cat "$demo/serve.log" >&2; exit 1; }
    sleep 0.1
done
[ -n "$address" ] || { echo "the appliance did not start; see $demo/serve.log" >&2; exit 1; }
echo "the appliance serves on $address; it takes a snapshot of this machine ..."

client=(--api-url "$address" --api-key-file "$demo/data/bootstrap.json")
"$binary" snapshot create "${client[@]}" --wait >/dev/null
zip=$("$binary" snapshot download "${client[@]}" latest --output "$demo")

unpack() {
    if command -v unzip >/dev/null; then unzip -q "$1" -d "$2"
    elif command -v python3 >/dev/null; then python3 -m zipfile -e "$1" "$2"
    elif command -v bsdtar >/dev/null; then mkdir -p "$2" && bsdtar -xf "$1" -C "$2"
    elif command -v 7zz >/dev/null; then 7zz x -bso0 -o"$2" "$1"
    elif [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get install -y -qq unzip >/dev/null && unzip -q "$1" -d "$2"
    else echo "no program here unpacks a ZIP: $1" >&2; return 1
    fi
}
unpack "$zip" "$demo/unpacked"

# The headline, and what is behind it. JSON escapes whatever a terminal would obey.
json=$demo/unpacked/report.json
echo
sed -n 's/.*"headline":"\([^"]*\)".*/\1/p' "$json"
for verdict in fail warn; do
    grep -o "\"id\":\"[^\"]*\",\"category\":[^{}]*\"verdict\":\"$verdict\",\"summary\":\"[^\"]*\"" "$json" |
        sed "s/\"id\":\"\([^\"]*\)\".*\"summary\":\"\([^\"]*\)\"/  $verdict  \1: \2/" || true
done

cat <<END

  the report     file://$demo/unpacked/report.html
  for scripts    $demo/unpacked/report.json
  the archive    $zip ($(du -h "$zip" | cut -f1))
  the API        $address    (the key is in $demo/data/bootstrap.json)

  the same without a server:   $binary collect
  what each check asks:        $binary checks

END
if [ "${DEMO_EXIT:-0}" = 1 ]; then
    exit 0
fi
echo "serving until you press Ctrl-C"
wait "$server"

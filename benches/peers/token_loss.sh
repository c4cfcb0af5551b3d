#!/usr/bin/env bash
# Does a client keep (1) a conflict that nobody resolved and (2) a change whose local write failed, although the
# server's sync token has moved on? Usage: token_loss.sh FOLDER 'COMMAND' — the command is one sync, with the
# placeholders {home} {href} {url} {vbase} {local} {state} of measure.py. FOLDER is emptied; it must lie on a file
# system with `chattr +i`, and the user must be root.
# Right: the conflict is still one in the second run, and the remote edit arrives once the file can be written.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# = 2 ] || {
  sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
folder=$(readlink -m "$1") port=${PORT:-15290}
book=/bench/contacts/ server=http://127.0.0.1:$port
cards=$folder/local/contacts
rm -rf "$folder"
mkdir -p "$cards" "$folder/state"

python3 "$here/minidav.py" --port "$port" >"$folder/server.log" 2>&1 &
server_pid=$!
trap 'chattr -i "$cards/u2.vcf" 2>/dev/null || true; kill "$server_pid"' EXIT
sleep 1

command=${2//\{home\}/$server/}
command=${command//\{url\}/$server$book}
command=${command//\{href\}/$book}
command=${command//\{vbase\}/$folder/local}
command=${command//\{local\}/$cards}
command=${command//\{state\}/$folder/state}

card() { printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s\r\nEND:VCARD\r\n' "$1" "$2"; }
put() { card "$1" "$2" | curl -s -o /dev/null -X PUT --data-binary @- -u bench:bench "$server$book$1.vcf"; }
sync() {
  echo "-- $1"
  # shellcheck disable=SC2086 # the command is given as words
  SHOW=1 $command 2>&1 | cut -c1-160 || echo "(exit status ${PIPESTATUS[0]})"
}

card u1 Original >"$cards/u1.vcf"
card u2 Original >"$cards/u2.vcf"
sync 'first'
sync 'no-op'
sleep 1.1
card u1 Local >"$cards/u1.vcf"
put u1 Remote
sync 'a conflict that nobody resolves'
sync 'again: it must still be a conflict'
put u2 Remote2
chattr +i "$cards/u2.vcf"
sync 'a remote edit whose local write fails'
chattr -i "$cards/u2.vcf"
sync 'the file can be written: the edit must arrive now'

if grep -q 'FN:Remote2' "$cards/u2.vcf"; then echo 'the remote edit arrived'; else
  echo 'the remote edit is LOST'
  exit 1
fi

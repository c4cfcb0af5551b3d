#!/usr/bin/env bash
# Xandikos: CardDAV with sync-collection on a git store that keeps every card byte for byte; no authentication
# over plain HTTP: whoever asks is alice.
# Usage: xandikos.sh install | start DIR [PORT] | check DIR | url DIR [book] | stop DIR
# One principal, /alice/, with the address book "contacts".

set -uo pipefail
name=xandikos version=0.4.10
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

installed() { [ -e "$venv/complete" ] && command -v curl >/dev/null; }
install_program() { install_python_program "xandikos==$version"; }
# The second "contacts" is the book, the first the home set that the server makes.
url() { echo "http://127.0.0.1:$port/${1:+alice/contacts/contacts/}"; }
ready() { is_address_book --basic; }
provision() { make_address_book; }
summary() { dav_summary; }

launch() {
  in_background "$venv/bin/xandikos" serve -d "$dir/data" --state-dir "$dir/state" -l 127.0.0.1 -p "$port" \
    --no-detect-systemd --autocreate --current-user-principal /alice/
}

main "$@"

#!/usr/bin/env bash
# Radicale: CardDAV with sync-collection and Basic auth. It parses every card and writes it anew, so it
# exercises a server that rewrites what it is given.
# Usage: radicale.sh install | start DIR [PORT] | check DIR | url DIR [book] | stop DIR
# Users alice and bob, password secret; alice has the address book "contacts".

set -uo pipefail
name=radicale version=3.9.0
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

installed() { [ -e "$venv/complete" ] && command -v curl >/dev/null; }
install_program() { install_python_program "radicale==$version"; }
url() { echo "http://127.0.0.1:$port/${1:+alice/contacts/}"; }
ready() { is_address_book --basic; }
provision() { make_address_book; }
summary() { dav_summary; }

launch() {
  printf 'alice:secret\nbob:secret\n' >"$dir/users"
  cat >"$dir/config" <<CONFIG
[server]
hosts = 127.0.0.1:$port
[auth]
type = htpasswd
htpasswd_filename = $dir/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = $dir/collections
[logging]
level = warning
CONFIG
  in_background "$venv/bin/radicale" --config "$dir/config"
}

main "$@"

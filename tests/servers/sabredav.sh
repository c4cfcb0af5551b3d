#!/usr/bin/env bash
# SabreDAV 1.8 (Debian's php-sabre-dav on PHP's own web server and SQLite): CardDAV without sync-collection,
# Digest authentication only.
# Usage: sabredav.sh install | start DIR [PORT] | check DIR | url DIR [book] | stop DIR
# Users alice and bob, password secret; alice has the address book "contacts".

set -uo pipefail
name=sabredav
here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

installed() {
  command -v curl >/dev/null && command -v php >/dev/null && php -r '
    exit((@include "Sabre/autoload.php") && extension_loaded("pdo_sqlite") && extension_loaded("xml")
      && extension_loaded("mbstring") ? 0 : 1);' 2>/dev/null
}
install_program() { install_packages php-cli php-sqlite3 php-xml php-mbstring php-sabre-dav curl; }
url() { echo "http://127.0.0.1:$port/${1:+addressbooks/alice/contacts/}"; }
ready() { is_address_book --digest; }
summary() { dav_summary; }

# The database gets its final name only when it is whole.
seed() {
  [ -e "$dir/db.sqlite" ] && return 0
  rm -f "$dir/db.new"
  SABRE_DB=$dir/db.new php "$here/sabredav.php" seed && mv "$dir/db.new" "$dir/db.sqlite"
}

launch() {
  mkdir -p "$dir/www"
  SABRE_DB=$dir/db.sqlite in_background php -d post_max_size=64M -d memory_limit=512M \
    -S "127.0.0.1:$port" -t "$dir/www/" "$here/sabredav.php"
}

main "$@"

#!/usr/bin/env bash
# OpenLDAP slapd as a company directory: search, paging, size limit, sync-repl. Everybody but the admin only reads.
# Usage: slapd.sh install | start DIR [PORT] | check DIR | url DIR [base] | stop DIR
# Base dc=example,dc=org; uid=alice|bob,ou=people,dc=example,dc=org and cn=admin,dc=example,dc=org, password
# secret; anonymous may read. $SLAPD_PEOPLE entries (2000) beside alice, bob and one with awkward characters;
# a search without paging gets 500 entries at most.

set -uo pipefail
name=slapd
PATH=$PATH:/usr/sbin
people=ou=people,dc=example,dc=org
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

installed() { command -v slapd >/dev/null && command -v ldapsearch >/dev/null; }
install_program() { # without a system-wide directory
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  command -v slapd >/dev/null ||
    echo 'slapd slapd/no_configuration boolean true' | "${as_root[@]}" debconf-set-selections
  install_packages slapd ldap-utils
}
url() { echo "ldap://127.0.0.1:$port${1:+/$people}"; }
ready() {
  ldapsearch -x -LLL -o nettimeout=5 -H "$(url)" -D "uid=alice,$people" -w secret -b "$people" \
    '(mail=jm@example.org)' uid 2>/dev/null | grep -q '^uid: jm'
}
summary() { echo "url=$(url) base=dc=example,dc=org bind=uid=alice,$people password=secret"; }

entry() { # UID LINE…
  printf 'dn: uid=%s,%s\nobjectClass: inetOrgPerson\nuid: %s\n' "$1" "$people" "$1"
  shift
  printf '%s\n' "$@" ''
}

ldif() {
  printf '%s\n' 'dn: dc=example,dc=org' 'objectClass: dcObject' 'objectClass: organization' 'o: Example' \
    'dc: example' ''
  printf '%s\n' "dn: $people" 'objectClass: organizationalUnit' 'ou: people' ''
  entry alice 'cn: Alice Example' 'sn: Example' 'givenName: Alice' 'mail: alice@example.org' 'userPassword: secret'
  entry bob 'cn: Bob Example' 'sn: Example' 'givenName: Bob' 'mail: bob@example.org' 'userPassword: secret'
  entry jm 'cn: Jörg Müller (Ltg.)*' 'sn: Müller' 'givenName: Jörg' 'mail: jm@example.org' \
    'mail: joerg.mueller@example.org' 'telephoneNumber: +49 30 123-45 67' 'mobile: +49 170 1234567' 'title: Chef' \
    'o: Acme, Inc.'
  local number
  for ((number = 1; number <= ${SLAPD_PEOPLE:-2000}; number++)); do
    entry "u$number" "cn: Person $number" "sn: P$number" 'givenName: Person' "mail: u$number@example.org" \
      "telephoneNumber: +1 555 $(printf %07d "$number")" "departmentNumber: $((number % 17))"
  done
}

config() { # DATABASE_FOLDER
  cat <<CONFIG
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
moduleload sssvlv
pidfile $dir/slapd.pid
argsfile $dir/slapd.args
sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited
database mdb
maxsize 4294967296
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw secret
directory $1
dbnosync
index objectClass,uid,entryUUID,entryCSN eq
index cn,sn,givenName,mail,telephoneNumber,mobile eq,sub
access to attrs=userPassword by self write by anonymous auth by * none
access to * by * read
overlay syncprov
syncprov-sessionlog 1000
overlay sssvlv
CONFIG
}

# The database gets its final name only when it is whole.
seed() {
  [ -e "$dir/db" ] && return 0
  rm -rf "$dir/db.new"
  mkdir -p "$dir/db.new"
  ldif >"$dir/seed.ldif"
  config "$dir/db.new" >"$dir/seed.conf"
  if ! slapadd -q -f "$dir/seed.conf" -l "$dir/seed.ldif" >"$dir/log" 2>&1; then
    tail -n 20 "$dir/log" >&2
    return 1
  fi
  mv "$dir/db.new" "$dir/db"
}

launch() { # -d none: in the foreground, errors only
  config "$dir/db" >"$dir/slapd.conf"
  in_background slapd -d none -f "$dir/slapd.conf" -h "$(url)/"
}

main "$@"

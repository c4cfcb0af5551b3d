# shellcheck shell=bash
# What the server scripts share. A script sets `name` (and `version`, for a Python program), defines installed,
# install_program, launch, ready, url and summary (and seed or provision where the server starts empty), and ends
# with: main "$@"
#
# All state lies in DIR; programs that are not Debian packages lie in the cache folder and are shared by all DIRs.
# Exit status: 1 does not work, 2 wrong call or occupied port, 3 not installed.

export LC_ALL=C
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

die() { # STATUS MESSAGE…
  local status=$1
  shift
  echo "${name:?}: $*" >&2
  exit "$status"
}

usage() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# --- installing ---------------------------------------------------------------------------------------------------

# A Python program in an environment of its own, pinned; the marker tells a whole one from a broken-off install.
install_python_program() { # PACKAGE==VERSION
  if ! python3 -c 'import ensurepip' 2>/dev/null || ! command -v curl >/dev/null; then
    install_packages python3 python3-venv curl || return 1
  fi
  rm -rf "$venv"
  python3 -m venv "$venv" && "$venv/bin/pip" install -q "$1" && touch "$venv/complete"
}

install_once() {
  installed && return 0
  mkdir -p "$cache" || die 1 "cannot write in $cache"
  local log=$cache/$name-install.log
  # One installer at a time: several test runs may share the cache.
  (flock 9 && { installed || install_program >"$log" 2>&1 9>&-; }) 9>"$cache/$name.lock"
  if ! installed; then
    tail -n 20 "$log" >&2
    die 1 "installing failed (packages need root or sudo), see $log"
  fi
}

# --- the process --------------------------------------------------------------------------------------------------

# The process id is ours only while its command line names our folder: numbers are reused.
alive() {
  [ -s "$dir/pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$(cat "$dir/pid")/cmdline" | grep -qF -- "$dir/"
}

busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range that the kernel hands out to clients, so that no connection takes it in the meantime.
free_port() {
  local port
  while port=$((10240 + (RANDOM * 32768 + RANDOM) % 22000)); busy "$port"; do :; done
  echo "$port"
}

# Our process, and not another server started at the same moment, owns the listening socket.
listening() {
  local inode descriptor
  inode=$(awk -v a="$(printf '0100007F:%04X' "$port")" '$2 == a && $4 == "0A" { print $10 }' /proc/net/tcp)
  [ -n "$inode" ] || return 1
  for descriptor in "/proc/$(cat "$dir/pid")/fd"/*; do
    [ "$(readlink "$descriptor")" = "socket:[$inode]" ] && return 0
  done
  return 1
}

wait_until_listening() {
  local end=$((SECONDS + 15))
  until listening; do
    alive && [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.02
  done
}

# A zombie has closed its sockets and counts as gone.
running() {
  local state
  state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) && [[ $state != [ZX]* ]]
}

in_background() { # COMMAND…
  setsid "$@" >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
}

# --- the commands -------------------------------------------------------------------------------------------------

check() {
  alive || die 1 "not running in $dir"
  ready || die 1 "runs on port $port, but does not answer as it should; see $dir/log"
  echo "$name ok $(summary)"
}

start() { # [PORT]
  installed || die 3 "not installed; run: bash $0 install"
  local want=${1:-$port} attempt
  [[ $want =~ ^[0-9]{1,5}$ ]] || die 2 "PORT must be a number, not '$want'"
  if alive; then
    [ "$want" = 0 ] || [ "$want" = "$port" ] || die 2 "already running in $dir on port $port; stop it first"
    check
    return
  fi
  [ "$want" = 0 ] || ! busy "$want" || die 2 "port $want is already in use"
  mkdir -p "$dir" || die 1 "cannot write in $dir"
  seed || die 1 "cannot lay the data in $dir"
  for attempt in 1 2 3; do
    port=$want
    [ "$port" != 0 ] || port=$(free_port)
    echo "$port" >"$dir/port"
    launch
    if wait_until_listening && { ready || provision; } && ready; then
      check
      return
    fi
    stop
    [ "$want" = 0 ] || break # another program may have taken a free port; a wanted one stays taken
  done
  rm -f "$dir/port"
  tail -n 20 "$dir/log" >&2
  die 1 "did not start after $attempt attempt(s), see $dir/log"
}

stop() {
  if alive; then
    local pid waited=0
    pid=$(cat "$dir/pid")
    kill "$pid"
    while running "$pid"; do
      sleep 0.05
      waited=$((waited + 1))
      [ "$waited" != 100 ] || kill -9 "$pid"
      [ "$waited" -lt 200 ] || die 1 "process $pid does not end"
    done
  fi
  rm -f "$dir/pid"
}

seed() { :; }
provision() { :; }

main() {
  command=${1:-}
  cache=$(readlink -m "${ACQUAINT_TEST_CACHE:-$HOME/.cache/acquaint-test}")
  venv=$cache/$name-${version:-}
  if [ "$command" = install ]; then
    install_once
    return
  fi
  [ -n "${2:-}" ] || usage
  dir=$(readlink -m "$2")
  port=$(cat "$dir/port" 2>/dev/null || echo 0)
  case $command in
    start) start "${3:-}" ;;
    check) check ;;
    stop) stop ;;
    url)
      [ "$port" != 0 ] || die 1 "never started in $dir"
      url "${3:-}"
      ;;
    *) usage ;;
  esac
}

# --- CardDAV ------------------------------------------------------------------------------------------------------

dav() { curl -s -m 10 -u alice:secret -H 'Content-Type: application/xml' "$@"; }

# AUTH is curl's flag. The resource type counts: a 207 alone may carry a 404 inside.
is_address_book() { dav "$@" -X PROPFIND -H 'Depth: 0' "$(url book)" | grep -qE ':?addressbook ?/>'; }

make_address_book() {
  dav -o /dev/null -X MKCOL --data '<?xml version="1.0"?>
    <d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop>
      <d:resourcetype><d:collection/><c:addressbook/></d:resourcetype><d:displayname>Contacts</d:displayname>
    </d:prop></d:set></d:mkcol>' "$(url book)"
}

dav_summary() { echo "url=$(url) book=$(url book) user=alice password=secret"; }

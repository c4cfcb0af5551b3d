#!/usr/bin/env bash
# One sync of Acquaint, in the form that measure.py and token_loss.sh run a client.
# Usage: acquaint-once.sh URL FOLDER STATE — the address book, the folder of cards ("-" for none: the library and
# the server alone), and a folder for the library. The first run adds the sources; each run is one `acquaint sync`.
# ACQUAINT names the binary (default: the release build of this checkout).

set -euo pipefail
[ $# = 3 ] || {
  sed -n '3,5s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
url=$1 folder=$2 library=$3/acquaint.db
acquaint=${ACQUAINT:-$(dirname "${BASH_SOURCE[0]}")/../../target/release/acquaint}

if [ ! -e "$library" ]; then
  export ACQUAINT_BENCH_PASSWORD=bench
  "$acquaint" --library "$library" source add server --connector carddav --url "$url" --user bench \
    --password-env ACQUAINT_BENCH_PASSWORD --profile mirror
  [ "$folder" = - ] ||
    "$acquaint" --library "$library" source add folder --connector vdir --url "$folder" --profile mirror
fi
ACQUAINT_BENCH_PASSWORD=bench exec "$acquaint" --library "$library" sync

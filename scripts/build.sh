# Programs, components and web UI.

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
# spin.toml names its components by target/…; a build folder elsewhere is made to stand there too
link_target() {
  [ -n "${CARGO_TARGET_DIR:-}" ] || return 0
  mkdir -p "$CARGO_TARGET_DIR"
  if [ -L target ] || [ ! -e target ]; then ln -sfn "$CARGO_TARGET_DIR" target
  else die "there is a folder target, but CARGO_TARGET_DIR says $CARGO_TARGET_DIR: remove one of them"; fi
}

# The Rust of rust-toolchain.toml. Where rustup has it under another name only (stable), that one: nothing is fetched twice.
choose_rust() {
  have rustup && [ -z "${RUSTUP_TOOLCHAIN:-}" ] || return 0
  local version names name
  version=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
  names=$(rustup toolchain list | cut -d' ' -f1)
  ! grep -q "^$version-" <<<"$names" || return 0
  for name in $names; do
    case $(rustup run "$name" rustc --version 2>/dev/null) in
      "rustc $version "*) export RUSTUP_TOOLCHAIN=$name; return 0 ;;
    esac
  done
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

components() { sed -n 's/^command = "cargo build .* -p \([a-z0-9-]*\)"$/-p \1/p' spin.toml | sort -u; }
build_components() {
  local list; list=$(components)
  [ -n "$list" ] || die "spin.toml names no build command"
  # shellcheck disable=SC2086  # a list of -p NAME
  cargo build --locked --target wasm32-wasip2 --profile wasm $list "$@"
}
# What runs: the host, the stack, bridge and simulator, and the program that bundles the web UI.
PROGRAMS='-p pm-host -p pm-stack -p pm-bridge -p pm-ui-bundle'
# PROBE is the component with which the local host is tested.
PROBE='-p host-probe'
# Every native crate: what is tested.
native_packages() {
  echo --workspace "$(components | sed 's/^-p/--exclude/')" "${PROBE/-p/--exclude}" --exclude pm-ui
}
build_programs() {
  # shellcheck disable=SC2086
  cargo build --locked $PROGRAMS --bins
}
build_for_tests() {
  # shellcheck disable=SC2046
  cargo build --locked $(native_packages) --all-targets
}
# The bundler finds its folder by what cargo would tell it.
bundle_ui() { fetch_docs; CARGO_MANIFEST_DIR=$ROOT/ui/bundle "$TARGET/debug/pm-ui-bundle"; }

# The bundle is made on one processor, by and large; at the same time the host compiles the components for its first start.
bundle_and_compile() {
  local log result=0
  log=$(mktemp)
  "$TARGET/debug/pm-stack" compile >"$log" 2>&1 & local compiler=$!
  bundle_ui || result=$?
  wait "$compiler" || { cat "$log" >&2; result=1; }
  rm -f "$log"
  return $result
}

crates() { # ARGUMENT… of cargo tree: how many crates that choice of packages has
  cargo tree --locked --offline --edges normal,build --prefix none "$@" | cut -d' ' -f1,2 | sort -u | wc -l
}
build() {
  setup_build
  STEPS_OF=3
  # shellcheck disable=SC2046,SC2086
  step "build the programs ($(crates $PROGRAMS) crates)" build_programs
  # shellcheck disable=SC2046
  step "build the $(components | wc -l) components ($(crates --target wasm32-wasip2 $(components)) crates)" build_components
  step "build the web UI ($(crates --target wasm32-unknown-unknown -p pm-ui) crates), prepare the components" \
    bundle_and_compile
}

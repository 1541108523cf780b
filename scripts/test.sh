# Every check and test.

check_documents() { python3 scripts/check_docs.py; }
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
# crates NAME and features as a choice of packages gives them, without our own
features() {
  cargo tree --locked --offline --prefix none --format '{p} {f}' "$@" | grep -vF "($ROOT" | sed 's/ (\*)$//' | sort -u
}
check_features() {
  local twice
  # shellcheck disable=SC2046,SC2086
  twice=$(comm -23 <(features --edges normal,build $PROGRAMS) <(features --edges normal,build,dev $(native_packages)))
  [ -z "$twice" ] || { note "compiled twice, see local/features:"; printf '%s\n' "$twice"; return 1; }
}
check_licences() { cargo deny --offline check licenses bans sources; }
# Advisories are compared where their database, which is on GitHub, can be fetched.
check_advisories() {
  if timeout 60 cargo deny fetch db >/dev/null 2>&1; then
    cargo deny check --disable-fetch advisories
  else
    note "the database of advisories cannot be fetched"
    echo "advisories of crates: their database is on GitHub, which cannot be reached" >>"$PM_TEST_SKIPPED"
  fi
}

check_materials() { write_sbom target/sbom.cdx.json; }

rust_tests() {
  # a test may open thousands of connections
  ulimit -n "$(ulimit -Hn)" || true
  # components run in the host; their rules are tested in the shared crates
  # shellcheck disable=SC2046
  if have cargo-nextest; then
    cargo nextest run --locked $(native_packages) --no-tests=warn "$@"
  else
    cargo test --locked $(native_packages) "$@"
  fi
}

end_tests() {
  rm -f "${PM_TEST_SKIPPED:-}"
  end_test_stack
  [ ! -x "$TARGET/debug/pm-test-support" ] || "$TARGET/debug/pm-test-support" db-stop || true
}

run_tests() {
  local begin=$SECONDS
  trap end_tests EXIT
  PM_TEST_SKIPPED=$(mktemp)
  export PM_TEST_SKIPPED
  if [ $# -gt 0 ]; then
    setup_build
    setup_smtp
    setup_identity_provider
    step "build the programs and tests" build_for_tests
    step "build the components" build_components $PROBE
    step "build the web UI" bundle_ui
    local run
    for run in $(seq "${2:-1}"); do
      step "Rust tests with «$1»${2:+, $run of $2}" rust_tests "$1"
    done
  else
    step "set-up" setup_test
    step "documents" check_documents
    step "format" check_format
    step "features that programs and tests share" check_features
    step "licences" check_licences
    step "advisories" check_advisories
    step "bill of materials" check_materials
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
  printf '%5d s  in all\n' $((SECONDS - begin))
  if [ -s "$PM_TEST_SKIPPED" ]; then
    printf '\n== not tested on this machine\n'
    sort -u "$PM_TEST_SKIPPED" | sed 's/^/  /'
    printf '\nEvery other test passed.\n'
  else
    printf '\nEvery test passed.\n'
  fi
}

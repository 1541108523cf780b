# Measurements.

bench_models() {
  setup_build
  # the component's speed is measured in the host
  step "build the host" cargo build --locked -p pm-host
  step "build the component" cargo build --locked --target wasm32-wasip2 --profile wasm $PROBE
  PM_CACHE_DIR=$(cache_dir) exec cargo run --locked --release -p pm-trainer -- bench "$@"
}
# What runs is what ./pm up runs; tests/load/README.md says what was found.
bench_load() {
  have mosquitto || [ -x /usr/sbin/mosquitto ] || apt_install mosquitto
  build
  STEPS_OF=
  step "build the measuring program" cargo build --locked -p pm-load
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

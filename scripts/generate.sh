# Files that are generated and checked in: spin.toml, and the snapshots that tests compare.

write_openapi() {
  cargo build --locked -p pm-openapi
  "$TARGET/debug/openapi" tests/snapshots/openapi.json
}
write_manifest() {
  cargo build --locked -p pm-manifest
  "$TARGET/debug/manifest" spin.toml
}
write_schema() {
  cargo build --locked -p pm-test-support
  "$TARGET/debug/pm-test-support" schema-dump
}
write_sbom() { # FILE
  python3 scripts/sbom.py "${1:-target/sbom.cdx.json}"
}

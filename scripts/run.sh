# The stack on this machine.

pm_stack() { # the built program; the commands that only look do not build
  [ -x "$TARGET/debug/pm-stack" ] || die "nothing is built yet: run ./pm build"
  "$TARGET/debug/pm-stack" "$@"
}
up() {
  local argument demo=--demo arguments=()
  for argument; do
    if [ "$argument" = --no-demo ]; then demo=; else arguments+=("$argument"); fi
  done
  build
  printf '\n== start\n'
  exec "$TARGET/debug/pm-stack" up ${demo:+"$demo"} ${arguments[@]+"${arguments[@]}"}
}

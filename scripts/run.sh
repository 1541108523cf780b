# The stack on this machine.

pm_stack() { # the built program; the commands that only look do not build
  [ -x "$TARGET/debug/pm-stack" ] || die "nothing is built yet: run ./pm build"
  "$TARGET/debug/pm-stack" "$@"
}
up() {
  build
  printf '\n== start\n'
  exec "$TARGET/debug/pm-stack" up --demo "$@"
}

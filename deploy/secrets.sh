#!/bin/sh
# secrets.sh OWNER_DATABASE_URL MQTT_URL ADMIN_EMAIL | kubectl apply -f -
# Prints the secrets that the manifests name, with random ones where none is given. Applied again, it changes them:
# restart functions and bridge and run the migrations afterwards, and everybody logs in again.
set -eu
[ $# = 3 ] || { echo "usage: secrets.sh postgres://OWNER:PASSWORD@HOST:PORT/NAME mqtt://USER:PASSWORD@HOST ADMIN_EMAIL" >&2; exit 1; }
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# a value as a YAML string
quote() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }
role_secret=$(random) service_token=$(random) admin_password=$(random | cut -c1-20)
# the database's address for a group of components; pm-migrate gives its role the same password
group_url() {
  password=$(printf %s "pm_$1:$role_secret" | sha256sum | cut -d' ' -f1)
  printf %s "$owner_url" | sed "s#^\([a-z]*://\)\([^/]*@\)\{0,1\}#\1pm_$1:$password@#"
}
owner_url=$1
secret() { printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: predictive-maintenance\ntype: Opaque\nstringData:\n' "$1"; }
value() { printf '  %s: %s\n' "$1" "$(quote "$2")"; }
secret functions
for group in auth ingest read work; do value "database_url_$group" "$(group_url $group)"; done
value jwt_secret "$(random)"
value service_token "$service_token"
value component_token "$(random)"
value metrics_token "$(random)"
secret bridge
value MQTT_URL "$2"
value PM_SERVICE_TOKEN "$service_token"
secret migrations
value DATABASE_URL "$1"
value PM_ROLE_SECRET "$role_secret"
value PM_ADMIN_EMAIL "$3"
value PM_ADMIN_PASSWORD "$admin_password"

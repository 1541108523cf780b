-- The roles under which the components log in. A component that is broken into can do what its group may do, and no more:
--
--   pm_auth    accounts and sign-ins; alone it reads password hashes, secrets of second factors and refresh tokens
--   pm_work    everything that people do with the plant, and what is due (components from machines to notifier)
--   pm_ingest  readings, scores, alarms: reads the plant, adds and changes what follows from readings, deletes nothing
--   pm_read    overview, live events, health, metrics, audit log: reads
--
-- Which component belongs to which group is in the table of components, from which spin.toml is written. The program that
-- runs the migrations makes the roles and gives them their passwords.

grant usage on schema public to pm_ingest, pm_read;

grant select, insert, update, delete on
    users, refresh_families, api_keys, user_totp, spent_tickets, login_throttle, password_resets
to pm_auth;
-- Every component admits its callers: by session or key, and by whether there is a second factor. It records the use.
grant select (id, user_id, last_used_at, expires_at, revoked_at), update (last_used_at) on refresh_families
to pm_work, pm_ingest, pm_read;
grant select (id, user_id, token_hash, permissions, last_used_at, expires_at, revoked_at), update (last_used_at) on api_keys
to pm_work, pm_ingest, pm_read;
grant select (user_id, confirmed_at) on user_totp to pm_work, pm_ingest, pm_read;
-- a stream spends its ticket
grant select, insert on spent_tickets to pm_read;
-- housekeeping deletes what has expired, without seeing what it is
grant delete on refresh_families, api_keys, spent_tickets to pm_work;
grant select (spent_at) on spent_tickets to pm_work;
grant select (expires_at), delete on password_resets to pm_work;
grant select (key, window_started_at, blocked_until), delete on login_throttle to pm_work;

-- Every column but these may be read by every group.
do $$
declare
    readable record;
begin
    for readable in
        select c.relname as name, c.relname in ('users', 'webhooks') as by_column,
               (select string_agg(quote_ident(a.attname), ', ') from pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                  and a.attname not in ('password_hash', 'secret', 'previous_secret', 'headers')) as columns
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
          and c.relname not in ('schema_migrations', 'refresh_families', 'api_keys', 'user_totp', 'spent_tickets', 'login_throttle',
                                'password_resets')
    loop
        if readable.by_column then
            execute format('grant select (%s) on %I to pm_app, pm_ingest, pm_read', readable.columns, readable.name);
        else
            execute format('grant select on %I to pm_ingest, pm_read', readable.name);
        end if;
    end loop;
end
$$;

grant insert, update on
    machines, sensors, sensor_data, sensor_latest, dead_letters, rollup_changes, predictions, sensor_state, machine_state,
    alarms, newest_alarms, suppressed_conditions, alarm_transitions, tickets, ticket_transitions, outbox, models,
    model_records, model_shadow, model_drift
to pm_ingest;
grant usage on all sequences in schema public to pm_ingest;
-- many sensors may register themselves at once
grant execute on function refresh_statistics() to pm_ingest;
-- the newest number of a reading is how many there are
grant select on all sequences in schema public to pm_read;

grant insert, update, delete on event_streams to pm_read;

-- requests are counted and refusals recorded whatever the component
grant insert on audit_log to pm_ingest, pm_read;
grant insert, update on request_counts to pm_ingest, pm_read;

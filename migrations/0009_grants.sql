-- The functions work as pm_app: they read and write rows, and can change neither the schema nor the audit log's past.
-- Whoever runs the migrations creates the role with a password of its own choice; here it is made without one.

do $$
begin
    if not exists (select from pg_roles where rolname = 'pm_app') then
        create role pm_app nologin;
    end if;
end
$$;

grant usage on schema public to pm_app;
grant select, insert, update, delete on
    users, refresh_families, login_throttle, password_resets,
    machines, sensors, sensor_data, sensor_latest, sensor_state, dead_letters,
    models, predictions,
    alarms, alarm_transitions, tickets, comments, attachments,
    outbox, outbox_cursors, webhooks, webhook_deliveries,
    settings, jobs, service_reports
to pm_app;
grant select, insert on audit_log to pm_app;
grant usage on all sequences in schema public to pm_app;
revoke usage on sequence outbox_position from pm_app;

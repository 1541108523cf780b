-- Seven rows or more in every list. Sort keys repeat (n % 3), so that ids order some rows. One id serves all the things
-- that lists are about; one row of each list that can be searched holds '100%_sure'.

insert into machines (id, name, location, description, status, criticality, created_at)
select case when n = 1 then '00000000-0000-7000-8000-000000000001'::uuid else gen_random_uuid() end,
       'machine ' || n % 3, case when n > 4 then 'hall ' || n % 2 end, case when n = 2 then '100%_sure' end,
       (array['online', 'offline', 'degraded'])[n % 3 + 1], (array['low', 'high', 'critical', 'medium'])[n % 4 + 1],
       now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into sensors (id, machine_id, name, sensor_type, created_at)
select case when n = 1 then '00000000-0000-7000-8000-000000000001'::uuid else gen_random_uuid() end,
       '00000000-0000-7000-8000-000000000001', case when n = 2 then '100%_sure' else 'sensor ' || n % 3 end,
       'type ' || n % 2, now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into sensor_latest (sensor_id, time, value, status)
select id, now(), 1, row_number() over (order by id) % 3
from sensors where machine_id = '00000000-0000-7000-8000-000000000001' and sensor_type = 'type 1';

insert into sensor_data (time, sensor_id, machine_id, value, status)
select now() - n * interval '1 minute', s.id, s.machine_id, n, n % 3
from sensors s cross join generate_series(1, 7) n
where s.machine_id = '00000000-0000-7000-8000-000000000001';

insert into predictions (id, time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence,
                         health_percent, model_version, response_time_ms, contributing_features)
select case when n = 1 and s.id = '00000000-0000-7000-8000-000000000001' then s.id else gen_random_uuid() end,
       now() - n * interval '1 minute', s.id, s.machine_id, 0.1 * n, 'normal', 'NORMAL', 'normal', 0.9, 99, '1', 1, '{}'
from sensors s cross join generate_series(1, 3) n
where s.machine_id = '00000000-0000-7000-8000-000000000001';

insert into alarms (id, machine_id, prediction_id, kind, severity, message, status, resolved_at, condition_active,
                    occurrences, triggered_at, last_seen_at, updated_at)
select case when n = 1 then '00000000-0000-7000-8000-000000000001'::uuid else gen_random_uuid() end,
       '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'manual',
       (array['info', 'warning', 'critical'])[n % 3 + 1], case when n = 2 then '100%_sure' else 'alarm' end,
       (array['open', 'acknowledged', 'resolved', 'open'])[n % 4 + 1], case when n % 4 = 2 then now() end, n % 2 = 0,
       n % 3, now() - n % 3 * interval '1 hour', now(), now() - n % 2 * interval '1 hour'
from generate_series(1, 9) n;

-- similar to the first alarm: resolved, and raised before it
insert into alarms (id, machine_id, prediction_id, kind, severity, message, status, resolved_at, condition_active,
                    occurrences, triggered_at, last_seen_at, updated_at)
select gen_random_uuid(), '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'manual',
       (array['info', 'warning', 'critical'])[n % 3 + 1], 'earlier alarm', 'resolved', now(), false,
       n % 3, now() - (n % 3 + 3) * interval '1 hour', now(), now() - n % 2 * interval '1 hour'
from generate_series(1, 6) n;

insert into alarm_transitions (alarm_id, at, change)
select '00000000-0000-7000-8000-000000000001', now() + n % 3 * interval '1 second', 'raised' from generate_series(1, 7) n;

insert into tickets (id, machine_id, title, priority, due_at, created_at, updated_at)
select case when n = 1 then '00000000-0000-7000-8000-000000000001'::uuid else gen_random_uuid() end,
       '00000000-0000-7000-8000-000000000001', case when n = 2 then '100%_sure' else 'ticket' end,
       (array['low', 'medium', 'high', 'critical'])[n % 4 + 1], case when n > 3 then now() + n % 3 * interval '1 day' end,
       now() - n % 3 * interval '1 hour', now() - n % 2 * interval '1 hour'
from generate_series(1, 8) n;

insert into ticket_transitions (ticket_id, at, field, is_now)
select '00000000-0000-7000-8000-000000000001', now() + n % 3 * interval '1 second', 'priority', 'low'
from generate_series(1, 7) n;

insert into users (id, email, full_name, role, password_hash, created_at)
select case when n = 1 then '00000000-0000-7000-8000-000000000001'::uuid else gen_random_uuid() end, 'user' || n || '@example.com', case when n = 2 then '100%_sure' when n > 3 then 'name ' || n % 2 end,
       (array['operator', 'viewer', 'engineer'])[n % 3 + 1], 'x', now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into refresh_families (id, user_id, current_token_id, created_at, last_used_at, expires_at)
select gen_random_uuid(), u.id, gen_random_uuid(), now() - n % 3 * interval '1 hour', now() - n % 2 * interval '1 hour',
       now() + interval '1 day'
from generate_series(1, 7) n, users u
where u.id = '00000000-0000-7000-8000-000000000001' or u.email = 'admin@example.com';

insert into api_keys (user_id, name, prefix, token_hash, permissions, expires_at, created_at)
select u.id, 'key ' || n, 'pmk_', sha256((u.id::text || n)::bytea), '{}', now() + interval '1 day',
       now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n, users u
where u.id = '00000000-0000-7000-8000-000000000001' or u.email = 'admin@example.com';

insert into attachments (filename, content_type, file_size, sha256, resource_type, resource_id, created_at)
select 'file ' || n % 3, 'text/plain', n % 4, '', kind, '00000000-0000-7000-8000-000000000001',
       now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n, unnest(array['alarm', 'ticket']) kind;

insert into comments (resource_type, resource_id, user_id, content, created_at, updated_at)
select kind, '00000000-0000-7000-8000-000000000001', (select id from users where email = 'admin@example.com'), 'text',
       now() - n % 3 * interval '1 hour', now() - n % 2 * interval '1 hour'
from generate_series(1, 7) n, unnest(array['alarm', 'ticket']) kind;

insert into reports (name, format, title, params, file_size, completed_at, expires_at, created_at)
select 'report ' || n, 'csv', 'title ' || n % 3, '{}', n % 4, now(), now() + interval '1 day',
       now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into report_schedules (name, format, cadence, hour, recipients, next_run_at, created_at)
select 'schedule ' || n % 3, 'csv', 'daily', 0, '{}', now() + n % 3 * interval '1 day', now() - n % 2 * interval '1 hour'
from generate_series(1, 7) n;

insert into roles (name, created_at) select 'role ' || n, now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into settings (key, category) select 'test.' || n, 'category ' || n % 3 from generate_series(1, 7) n;

insert into jobs (job_type, status, created_at, updated_at)
select 'retrain', 'completed', now() - n % 3 * interval '1 hour', now() - n % 2 * interval '1 hour'
from generate_series(1, 7) n;

insert into backtests (name, starts_at, ends_at, scope, rules, sensors, created_at)
select 'back-test ' || n % 3, now() - interval '1 day', now(), '{}', '[{}]', n, now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into audit_log (action_type, resource_type, details, created_at)
select 'create', 'ai_model', case when n = 2 then '100%_sure' end, now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into webhooks (id, name, url, secret, events, created_at)
select case when n = 1 then '00000000-0000-7000-8000-000000000001'::uuid else gen_random_uuid() end, 'webhook ' || n % 3,
       'https://example.com', 'x', '{}', now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into maintenance_windows (reason, starts_at, ends_at)
select 'oil change', now() + n % 3 * interval '1 hour', now() + interval '1 day' from generate_series(1, 7) n;

insert into suppressed_conditions (machine_id, sensor_id, kind, day, severity, message, first_seen_at, last_seen_at,
                                   occurrences)
select s.machine_id, s.id, 'threshold', current_date - n, 'warning', 'reported 1', now(), now() - n % 3 * interval '1 hour', n
from (select id, machine_id from sensors order by id limit 1) s cross join generate_series(1, 7) n;

insert into on_call_schedules (name, zone, people, turn_days, starts_on, hand_over_minute, holidays, created_at)
select 'schedule ' || n, 'UTC', '{}', 7, '2026-01-05', 480, '[]', now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into escalation_chains (name, minimum_severity, steps, repeat_every_s, repeats, created_at)
select 'chain ' || n, 'critical', '[]', 60, 0, now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into notice_channels (name, kind, url, created_at)
select 'channel ' || n, 'generic', 'https://example.com', now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into escalations (id, case_id, machine_id, chain_name, ended_at, end_reason)
values ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001',
        '00000000-0000-7000-8000-000000000001', 'chain', now(), 'acknowledged');

insert into alarm_notices (escalation_id, subject, repetition, step, recipient, reason, fate, created_at)
select '00000000-0000-7000-8000-000000000001', 'alarm', n, 0, 'somebody', 'test', 'failed', now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into alarm_rules (sensor_type, machine_class, created_at)
select 'type ' || n % 3, 'class ' || n, now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into mappings (name, rules, created_at)
select 'mapping ' || n % 3, '{"topic": "a"}', now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into webhook_deliveries (webhook_id, event_id, event_type, status, request_body, created_at)
select '00000000-0000-7000-8000-000000000001', gen_random_uuid(), 'alarm.created', 'delivered', '{}',
       now() - n % 3 * interval '1 hour'
from generate_series(1, 7) n;

insert into models (name, version, created_at)
select 'model', 'version ' || n, now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into model_drift (model_version, sensors, rows_used, worst, features, created_at)
select '1', 1, 1, 0, '[]', now() - n % 3 * interval '1 hour' from generate_series(1, 7) n;

insert into dead_letters (received_at, topic, payload, reason, cause, bucket, digest)
select now() - n % 3 * interval '1 hour', 'topic', '', 'reason', int4send(n), now(), '' from generate_series(1, 7) n;

insert into waveforms (time, sensor_id, machine_id, rate_hz, samples, data, analysis)
select now() - n * interval '1 hour', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 1000, 256, '',
       '{"features": [], "diagnosis": {"verdict": "not_assessed", "findings": [], "missing": []}}'
from generate_series(1, 7) n;

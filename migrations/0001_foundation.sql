-- What every later migration builds on: the time-series extension, the role of the functions, and helper functions.

create extension if not exists timescaledb;

-- What the functions may do with rows is granted to pm_app, on each table by the migration that creates it. Nobody logs in
-- as pm_app: 0019_roles.sql divides the functions into groups, each with a role of its own. None of them can change the
-- schema or past audit entries.
grant usage on schema public to pm_app;

-- RFC 9562 UUID version 7: 48 bits of Unix milliseconds, then random bits.
create function uuid_v7() returns uuid
language sql volatile parallel safe
as $$
    select encode(
        set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6), 52, 1), 53, 1),
        'hex')::uuid
$$;

create function stamp_updated_at() returns trigger
language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

-- The time that lies this many microseconds after 1970, the form in which the functions pass times.
create function epoch_us(us bigint) returns timestamptz
language sql immutable strict parallel safe
as $$ select timestamptz 'epoch' + us * interval '1 microsecond' $$;

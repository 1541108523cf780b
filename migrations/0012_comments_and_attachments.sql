-- Comments and attachments of alarms and tickets. They never outlive the alarm or ticket that they belong to.

create table comments (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    resource_type text not null,
    resource_id uuid not null,
    user_id uuid not null references users (id) on delete restrict,
    content text not null,
    is_internal boolean not null default false,
    constraint comments_resource_known check (resource_type in ('alarm', 'ticket'))
);
create index comments_of_resource on comments (resource_type, resource_id, created_at desc);
create trigger comments_stamp before update on comments for each row execute function stamp_updated_at();
create trigger comments_audit after insert or update or delete on comments for each row execute function audit_row('comment');

create function comment_changed() returns trigger
language plpgsql
as $$
declare
    comment constant comments := case when tg_op = 'DELETE' then old else new end;
begin
    insert into outbox (event_type, data)
    values (
        'comment.' || case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end,
        -- without the text: some receivers of events may not read internal comments
        jsonb_build_object('id', comment.id, 'resource_type', comment.resource_type, 'resource_id', comment.resource_id,
            'user_id', comment.user_id, 'is_internal', comment.is_internal, 'created_at', comment.created_at));
    return null;
end
$$;
create trigger comments_changed after insert or update or delete on comments
    for each row execute function comment_changed();

create table attachments (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    filename text not null,
    content_type text not null,
    file_size bigint not null,
    sha256 bytea not null,
    resource_type text not null,
    resource_id uuid,
    uploaded_by uuid references users (id) on delete set null,
    -- null when the content is in attachment_contents, otherwise its key in the object store
    storage_key text,
    constraint attachments_resource_known check (resource_type in ('general', 'alarm', 'ticket'))
);
create index attachments_of_resource on attachments (resource_type, resource_id, created_at desc);
create trigger attachments_audit after insert or update or delete on attachments for each row execute function audit_row('attachment');

-- Contents have a table of their own, apart from the rows that are listed, changed and audited.
create table attachment_contents (
    attachment_id uuid primary key references attachments (id) on delete cascade,
    content bytea not null
);
-- images and archives are compressed already
alter table attachment_contents alter column content set storage external;

-- Keys of the object store that belong to no attachment, or possibly to none. The objects are removed after the given time.
create table stray_objects (
    storage_key text primary key,
    remove_after timestamptz not null default now()
);

create function attachment_changed() returns trigger
language plpgsql
as $$
declare
    attachment constant attachments := case when tg_op = 'DELETE' then old else new end;
begin
    if tg_op = 'DELETE' and old.storage_key is not null then
        insert into stray_objects (storage_key) values (old.storage_key)
        on conflict (storage_key) do update set remove_after = now();
    end if;
    insert into outbox (event_type, data)
    values (
        'attachment.' || case tg_op when 'INSERT' then 'created' else 'deleted' end,
        jsonb_build_object('id', attachment.id, 'resource_type', attachment.resource_type,
            'resource_id', attachment.resource_id, 'filename', attachment.filename,
            'content_type', attachment.content_type, 'file_size', attachment.file_size,
            'uploaded_by', attachment.uploaded_by));
    return null;
end
$$;
create trigger attachments_changed after insert or delete on attachments
    for each row execute function attachment_changed();

-- Comments and attachments are deleted with their alarm or ticket, whatever statement deletes it.
create function remove_belongings() returns trigger
language plpgsql
as $$
begin
    delete from comments where resource_type = tg_argv[0] and resource_id = old.id;
    delete from attachments where resource_type = tg_argv[0] and resource_id = old.id;
    return null;
end
$$;
create trigger alarms_belongings after delete on alarms for each row execute function remove_belongings('alarm');
create trigger tickets_belongings after delete on tickets for each row execute function remove_belongings('ticket');

grant select, insert, update, delete on comments, attachments, stray_objects to pm_app;
grant select, insert on attachment_contents to pm_app;

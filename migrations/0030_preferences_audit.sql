-- What people choose to be told of is their doing.
create trigger notification_preferences_audit after insert or update or delete on notification_preferences
    for each row execute function audit_row('notification_preferences');

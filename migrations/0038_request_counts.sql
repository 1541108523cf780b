-- Requests per client (an account or an address) in the minute of its last request, for limits. Not worth a log:
-- after a crash of the database the counts begin anew.
create unlogged table request_counts (
    client text constraint request_counts_pkey primary key,
    minute bigint not null,
    requests bigint not null
);
grant select, insert, update, delete on request_counts to pm_app;

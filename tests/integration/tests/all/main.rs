//! Integration tests: the real components, in the local host, over a real TimescaleDB and a real broker, driven from
//! outside, from MQTT publish to HTTP answer. One module per subject; every test has a stack of its own.

mod alarm_work;
mod alarms;
mod answers;
mod attachments;
mod audit;
mod client;
mod comments;
mod crash;
mod custom_roles;
mod data_path;
mod docs;
mod documented;
mod golden;
mod jobs;
mod live;
mod manifest;
mod metrics;
mod models;
mod mqtt;
mod notifications;
mod object_store;
mod receiver;
mod report_fixture;
mod reports;
mod robust;
mod roles;
mod settings;
mod smtp;
mod statements;
mod tickets;
mod tokens;
mod users;
mod webhooks;

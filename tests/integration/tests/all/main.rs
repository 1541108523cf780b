//! Integration tests: the real components, in the local host, over a real TimescaleDB and a real broker, driven from
//! outside, from MQTT publish to HTTP answer. One module per subject; every test has a stack of its own.

mod alarms;
mod client;
mod crash;
mod data_path;
mod documented;
mod live;
mod manifest;
mod mqtt;
mod roles;
mod statements;
mod tokens;

//! The local host with a real component in it, over real sockets.

mod database;
mod limits;
mod outbound;
mod refusals;
mod running;
mod serving;
mod telemetry;

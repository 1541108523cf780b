//! The pages, one module each.

pub mod alarm_drawer;
pub mod alarms;
pub mod audit;
pub mod discussion;
pub mod limits_form;
pub mod live_table;
pub mod login;
pub mod machine;
pub mod machine_form;
pub mod machines;
pub mod not_found;
pub mod overview;
pub mod predictions;
pub mod profile;
pub mod queue;
pub mod sensor;
pub mod sensors;
pub mod start;
pub mod system;
pub mod ticket_drawer;
pub mod ticket_form;
pub mod tickets;
pub mod users;

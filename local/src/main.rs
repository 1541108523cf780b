//! The `pm-local` command.
fn main() {}

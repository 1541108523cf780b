//! Only for its dependencies, see src/lib.rs.

fn main() {}

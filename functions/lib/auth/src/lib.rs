//! Tokens, roles and the route table.

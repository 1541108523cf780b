//! The one-machine stack.

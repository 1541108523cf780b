//! No code: its dependencies choose features.
//!
//! Cargo unites the features that all chosen packages ask for. `./pm up` builds the programs alone, `./pm test` everything;
//! if a crate deep down, such as `hashbrown`, had other features then, the WebAssembly runtime would be compiled twice.

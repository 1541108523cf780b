//! All SQL of the functions.

//! Component ingest.

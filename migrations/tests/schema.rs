//! The snapshot of the schema is what the migrations give.

use pm_test_support::schema;

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_of_the_schema_is_what_the_migrations_give() -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/snapshots/schema.sql");
    let kept = std::fs::read_to_string(path)?;
    let given = schema::dump().await?;
    let first = kept.lines().zip(given.lines()).find(|(kept, given)| kept != given);
    assert!(kept == given, "run ./pm schema; first difference: {first:?}");
    Ok(())
}

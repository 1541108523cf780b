//! Every statement of the functions fits the migrated schema.

use anyhow::{Context, Result};
use pm_test_support::database;

#[tokio::test]
async fn every_statement_prepares_for_the_functions_role() -> Result<()> {
    let database = database().await?;
    let (client, connection) = tokio_postgres::connect(database.app_url(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let statements = pm_store::all_statements();
    assert!(statements.len() > 50, "only {} statements are listed", statements.len());
    for (name, sql) in statements {
        client.prepare(&sql).await.with_context(|| name)?;
    }
    Ok(())
}

#[tokio::test]
async fn the_functions_role_can_change_neither_schema_nor_history() -> Result<()> {
    let database = database().await?;
    let (client, connection) = tokio_postgres::connect(database.app_url(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    for forbidden in [
        "create table mine (n int)",
        "alter table users add column n int",
        "drop table audit_log",
        "update audit_log set details = 'x'",
        "delete from audit_log",
        "truncate audit_log",
        "delete from schema_migrations",
    ] {
        let refused = client.batch_execute(forbidden).await;
        let code = refused.err().and_then(|e| e.code().cloned());
        assert_eq!(code, Some(tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{forbidden}");
    }
    Ok(())
}

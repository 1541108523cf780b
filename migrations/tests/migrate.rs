//! Migrations: each once, in order, one caller at a time, never changed afterwards.

use pm_migrations::{GROUPS, MIGRATIONS, Outcome, apply, connect, migrate};
use pm_test_support::{database, empty_database};

const FIRST: (&str, &str) = ("0001_first", "create table first (id integer)");
const SECOND: (&str, &str) =
    ("0002_second", "insert into first values (1); create table second (id integer)");

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_has_nothing_to_do() -> anyhow::Result<()> {
    let database = database().await?;
    let outcome = migrate(database.url()).await?;
    assert_eq!(outcome, Outcome { applied: Vec::new(), already: MIGRATIONS.len() });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_migration_is_added_and_a_changed_one_refused() -> anyhow::Result<()> {
    let database = empty_database().await?;
    let url = database.url();
    assert_eq!(apply(url, &[FIRST]).await?.applied, ["0001_first"]);
    assert_eq!(
        apply(url, &[FIRST, SECOND]).await?,
        Outcome { applied: vec!["0002_second".into()], already: 1 }
    );

    let changed = ("0001_first", "create table first (id bigint)");
    let message = apply(url, &[changed, SECOND]).await.unwrap_err().to_string();
    assert!(message.contains("0001_first was changed after it was applied"), "{message}");
    let message = apply(url, &[FIRST]).await.unwrap_err().to_string();
    assert!(message.contains("0002_second, which this version does not know"), "{message}");
    let before = ("0000_before", "select 1");
    let message = apply(url, &[before, FIRST, SECOND]).await.unwrap_err().to_string();
    assert!(message.contains("0000_before comes before one that is applied"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_migration_leaves_nothing() -> anyhow::Result<()> {
    let database = empty_database().await?;
    let broken = ("0002_broken", "create table half (id integer); select 1 / 0");
    let message = format!("{:#}", apply(database.url(), &[FIRST, broken]).await.unwrap_err());
    assert!(message.contains("0002_broken") && message.contains("division by zero"), "{message}");
    let client = connect(database.url()).await?;
    let row =
        client.query_one("select to_regclass('first') is null, to_regclass('half') is null", &[]).await?;
    assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1)), (false, true));
    assert_eq!(apply(database.url(), &[FIRST, SECOND]).await?.applied, ["0002_second"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_wants_no_transaction_gets_none() -> anyhow::Result<()> {
    let database = empty_database().await?;
    let alone = ("0002_alone", "-- no transaction\nvacuum first");
    assert_eq!(apply(database.url(), &[FIRST, alone]).await?.applied.len(), 2);
    let within = ("0003_within", "vacuum first");
    let message = format!("{:#}", apply(database.url(), &[FIRST, alone, within]).await.unwrap_err());
    assert!(message.contains("transaction block"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_does_the_work() -> anyhow::Result<()> {
    let database = empty_database().await?;
    let url = database.url();
    let runs = tokio::try_join!(migrate(url), migrate(url), migrate(url), migrate(url))?;
    let applied: Vec<usize> =
        [&runs.0, &runs.1, &runs.2, &runs.3].iter().map(|outcome| outcome.applied.len()).collect();
    assert_eq!(applied.iter().sum::<usize>(), MIGRATIONS.len());
    assert_eq!(applied.iter().filter(|count| **count > 0).count(), 1, "{applied:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_work_with_rows_and_not_with_the_schema() -> anyhow::Result<()> {
    let database = database().await?;
    for group in GROUPS {
        let client = connect(database.urls().of(group)).await?;
        for denied in [
            "create table x (id integer)",
            "create temporary table machines (id integer)",
            "drop table machines",
            "delete from audit_log",
            "update audit_log set details = ''",
            "select * from schema_migrations",
        ] {
            assert!(is_denied(&client, denied).await, "{group}: {denied}");
        }
    }
    let client = connect(database.urls().of("work")).await?;
    client.execute("insert into machines (name, mqtt_id) values ('m', 'm')", &[]).await?;
    assert_eq!(client.execute("delete from machines", &[]).await?, 1);
    Ok(())
}

async fn is_denied(client: &tokio_postgres::Client, statement: &str) -> bool {
    let result = client.batch_execute(statement).await;
    result.is_err_and(|error| error.code().is_some_and(|code| code.code() == "42501"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_components_reads_and_changes_what_it_needs_and_no_more() -> anyhow::Result<()> {
    let database = database().await?;
    let statements = [
        ("select password_hash from users", "auth"),
        ("select * from users", "auth"),
        ("select current_token_id from refresh_families", "auth"),
        ("select token_hash from password_resets", "auth"),
        ("insert into users (email, role, password_hash) values ('a@b.c', 'viewer', '')", "auth"),
        ("update users set role = 'admin'", "auth"),
        ("delete from users", "auth"),
        ("select email, role, is_active from users", "auth ingest read work"),
        ("select secret from webhooks", "auth work"),
        ("select name from webhooks", "auth ingest read work"),
        ("insert into audit_log (action_type, resource_type) values ('a', 'b')", "auth ingest read work"),
        ("insert into machines (name, mqtt_id) values ('m', 'm')", "auth ingest work"),
        ("update sensor_state set evaluated_through = null", "auth ingest work"),
        ("delete from sensor_data", "auth work"),
        ("delete from alarms", "auth work"),
        ("update settings set value = ''", "auth work"),
        ("delete from refresh_families where expires_at < now()", "auth work"),
        ("delete from password_resets where expires_at < now()", "auth work"),
    ];
    for group in GROUPS {
        let client = connect(database.urls().of(group)).await?;
        for (statement, allowed) in statements {
            let expected = !allowed.split(' ').any(|name| name == group);
            assert_eq!(
                is_denied(&client, &format!("begin; {statement}; rollback")).await,
                expected,
                "{group}: {statement}"
            );
            client.batch_execute("rollback").await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_with_the_owners_rights_looks_for_a_name_in_a_temporary_schema() -> anyhow::Result<()> {
    let database = database().await?;
    let client = connect(database.url()).await?;
    let open = "
        select count(*), count(*) filter (where 'search_path=public, pg_temp' <> all (coalesce(proconfig, '{}')))
        from pg_proc where prosecdef and pronamespace = 'public'::regnamespace";
    let row = client.query_one(open, &[]).await?;
    assert!(row.get::<_, i64>(0) > 2);
    assert_eq!(row.get::<_, i64>(1), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_gives_the_roles_their_passwords_and_makes_the_first_administrator() -> anyhow::Result<()>
{
    let database = empty_database().await?;
    // the roles are the server's: other tests log in with these passwords at the same time
    let secret = database.role_secret().to_owned();
    let run = |email: &str, password: &str| -> anyhow::Result<(bool, String)> {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pm-migrate"));
        command.env("DATABASE_URL", database.url()).env("PM_ROLE_SECRET", &secret);
        let output = command.env("PM_ADMIN_EMAIL", email).env("PM_ADMIN_PASSWORD", password).output()?;
        let message = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Ok((output.status.success(), message.into_owned()))
    };
    for (email, password, good, expected) in [
        ("boss@example.org", "short", false, "fewer than 8 characters"),
        ("boss", "long enough", false, "is no mail address"),
        ("boss@example.org", "", false, "belong together"),
        ("boss@example.org", "long enough", true, "boss@example.org is the first administrator."),
        ("other@example.org", "long enough", true, "There is an administrator already."),
    ] {
        let (ended_well, message) = run(email, password)?;
        assert!(ended_well == good && message.contains(expected), "{email}: {message}");
        assert!(!message.contains("long enough"), "{message}");
    }
    let client = connect(database.app_url()).await?;
    let row = client.query_one("select string_agg(email || ' ' || role, ',') from users", &[]).await?;
    assert_eq!(row.get::<_, &str>(0), "boss@example.org admin");
    Ok(())
}

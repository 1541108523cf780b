//! Brings a database up to the schema in `migrations/`: forward only, one at a time, each file once.
//!
//! A file runs in a transaction of its own, unless its first line is `-- no transaction`. What was applied stands in
//! `schema_migrations` with a SHA-256 of the file; a file that changed afterwards is refused, because databases that
//! applied the earlier form would differ from new ones for ever.

pub mod account;

use anyhow::{Context, Result, anyhow, bail, ensure};
use sha2::{Digest, Sha256};
use tokio_postgres::{Client, Config, NoTls};
use url::Url;

/// The advisory lock under which migrations run: «pm_migra» in ASCII.
const LOCK: i64 = 0x706d_5f6d_6967_7261;

/// The embedded files, in their order: name without `.sql`, text.
pub const MIGRATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// What a run did.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Names of the files applied now, in their order.
    pub applied: Vec<String>,
    /// How many were there already.
    pub already: usize,
}

/// Applies what the database at `url` lacks of the embedded migrations.
///
/// Two callers at once are safe: the second waits, then finds nothing to do.
pub async fn migrate(url: &str) -> Result<Outcome> {
    apply(url, MIGRATIONS).await
}

/// Applies what the database at `url` lacks of `migrations`, pairs of name (`NNNN_what`) and SQL in their order.
pub async fn apply(url: &str, migrations: &[(&str, &str)]) -> Result<Outcome> {
    let client = connect(url).await?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await.context("cannot lock the schema")?;
    // The lock ends with the connection, also after an error.
    client
        .batch_execute(
            "set client_min_messages = warning;
            create table if not exists schema_migrations (
                version integer primary key,
                name text not null,
                checksum text not null,
                applied_at timestamptz not null default now()
            )",
        )
        .await
        .map_err(sentence)
        .context("cannot create the table schema_migrations")?;
    create_roles(&client).await?;
    let done: Vec<(i32, String, String)> = client
        .query("select version, name, checksum from schema_migrations order by version", &[])
        .await
        .map_err(sentence)?
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();

    let mut wanted: Vec<(i32, &str, &str, String)> = Vec::new();
    for (name, sql) in migrations {
        let version: i32 = name
            .split('_')
            .next()
            .unwrap_or_default()
            .parse()
            .with_context(|| format!("the migration {name}.sql has no number: call it NNNN_what.sql"))?;
        ensure!(
            wanted.last().is_none_or(|(last, ..)| *last < version),
            "two migrations have the number {version}: give {name}.sql the next free one"
        );
        wanted.push((version, *name, *sql, format!("{:x}", Sha256::digest(sql))));
    }
    for (version, name, checksum) in &done {
        match wanted.iter().find(|(wanted, ..)| wanted == version) {
            None => bail!(
                "the database has migration {name}, which this version does not know: use a newer version"
            ),
            Some((.., expected)) if expected != checksum => bail!(
                "migration {name} was changed after it was applied: put the file back as it was and write a new one"
            ),
            Some(_) => {}
        }
    }

    let mut applied = Vec::new();
    for (version, name, sql, checksum) in &wanted {
        if done.iter().any(|(done, ..)| done == version) {
            continue;
        }
        ensure!(
            done.last().is_none_or(|(last, ..)| last < version),
            "migration {name} comes before one that is applied already: give it the next free number"
        );
        run_one(&client, sql, *version, name, checksum)
            .await
            .with_context(|| format!("migration {name} failed"))?;
        applied.push((*name).to_owned());
    }
    Ok(Outcome { applied, already: done.len() })
}

async fn run_one(client: &Client, sql: &str, version: i32, name: &str, checksum: &str) -> Result<()> {
    let transaction = !sql.trim_start().starts_with("-- no transaction");
    if transaction {
        client.batch_execute("begin").await.map_err(sentence)?;
    }
    let result = async {
        client.batch_execute(sql).await?;
        let insert = "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)";
        client.execute(insert, &[&version, &name, &checksum]).await?;
        if transaction {
            client.batch_execute("commit").await?;
        }
        Ok(())
    };
    result.await.map_err(sentence)
}

/// The groups of components that log in to the database, each as the role `pm_<group>`. What a role may do is set by
/// migrations.
pub const GROUPS: [&str; 4] = ["auth", "ingest", "read", "work"];

/// The role that holds what is granted to several groups.
const COMMON_ROLE: &str = "pm_app";

/// The groups whose roles are members of [`COMMON_ROLE`].
const MEMBERS_OF_COMMON: [&str; 2] = ["auth", "work"];

/// The role of a group.
#[must_use]
pub fn role_of(group: &str) -> String {
    format!("pm_{group}")
}

/// Makes the roles of the functions where they lack. They belong to the database server and not to one database: the
/// migrations and what a backup holds grant to them. Nobody can log in as them before [`enable_roles`].
///
/// # Errors
/// The database refuses.
pub async fn create_roles(client: &Client) -> Result<()> {
    let list = |roles: &[String]| format!("array['{}']", roles.join("', '"));
    let members = list(&MEMBERS_OF_COMMON.map(role_of));
    let all: Vec<String> = GROUPS.into_iter().map(role_of).chain([COMMON_ROLE.to_owned()]).collect();
    let create = format!(
        "do $$
        declare
            name text;
        begin
            foreach name in array {all} loop
                begin
                    if not exists (select from pg_roles where rolname = name) then
                        execute format('create role %I nologin', name);
                    end if;
                exception when duplicate_object or unique_violation then
                    -- another database of the server was prepared at the same moment
                    null;
                end;
            end loop;
            foreach name in array {members} loop
                if not pg_has_role(name, '{COMMON_ROLE}', 'member') then
                    execute format('grant {COMMON_ROLE} to %I', name);
                end if;
            end loop;
        end
        $$",
        all = list(&all)
    );
    client.batch_execute(&create).await.map_err(sentence).context("cannot create the roles of the functions")
}

/// The password of a role: each its own, so that a component knows no other's.
#[must_use]
pub fn role_password(secret: &str, role: &str) -> String {
    format!("{:x}", Sha256::digest(format!("{role}:{secret}")))
}

/// The database's address for each group of components.
#[derive(Clone, Debug)]
pub struct GroupUrls(Vec<(&'static str, String)>);

impl GroupUrls {
    /// Addresses with the roles' passwords.
    ///
    /// # Errors
    /// `url` is no address.
    pub fn new(url: &str, secret: &str) -> Result<Self> {
        let of_group = |group: &'static str| {
            let role = role_of(group);
            Ok((group, with_user(url, &role, &role_password(secret, &role))?))
        };
        GROUPS.into_iter().map(of_group).collect::<Result<_>>().map(Self)
    }

    /// One address for all of them.
    #[must_use]
    pub fn same(url: &str) -> Self {
        Self(GROUPS.into_iter().map(|group| (group, url.to_owned())).collect())
    }

    /// The address of a group; empty if there is no such group.
    #[must_use]
    pub fn of(&self, group: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == group).map_or("", |(_, url)| url)
    }

    /// Every group with its address.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(group, url)| (*group, url.as_str()))
    }

    /// Changes every address.
    ///
    /// # Errors
    /// As `change`.
    pub fn map(self, change: impl Fn(&str) -> Result<String>) -> Result<Self> {
        let changed = self.0.into_iter().map(|(group, url)| Ok((group, change(&url)?)));
        changed.collect::<Result<_>>().map(Self)
    }
}

/// No statement of the functions runs longer than this: one whose caller is gone does not load the database for minutes.
const STATEMENT_TIMEOUT: &str = "60s";

/// Lets the roles of the groups log in, with passwords that follow from `secret`, and lets nobody but the owner make
/// temporary tables, by which a role could put its own table in the place of another.
///
/// # Errors
/// The database refuses.
pub async fn enable_roles(url: &str, secret: &str) -> Result<()> {
    let client = connect(url).await?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await.map_err(sentence)?;
    for role in GROUPS.map(role_of) {
        let password = role_password(secret, &role);
        client
            .batch_execute(&format!(
                "alter role {role} login nosuperuser nocreatedb nocreaterole noreplication password '{password}';
                alter role {role} set idle_in_transaction_session_timeout = '60s';
                alter role {role} set statement_timeout = '{STATEMENT_TIMEOUT}'"
            ))
            .await
            .map_err(sentence)
            .with_context(|| format!("cannot let the role {role} log in"))?;
    }
    revoke_temporary_tables(&client).await
}

/// Lets only the owner of the database make temporary tables in it.
///
/// # Errors
/// The database refuses.
pub async fn revoke_temporary_tables(client: &Client) -> Result<()> {
    let revoke = "do $$ begin
        execute format('revoke temporary on database %I from public', current_database());
    end $$";
    client.batch_execute(revoke).await.map_err(sentence).context("cannot revoke temporary tables")
}

/// `url` with user and password replaced.
pub fn with_user(url: &str, user: &str, password: &str) -> Result<String> {
    let mut url = parse(url)?;
    let replaced = url.set_username(user).and_then(|()| url.set_password(Some(password)));
    replaced.map_err(|()| anyhow!("the database address names no host"))?;
    Ok(url.into())
}

/// The address of a database.
pub fn parse(url: &str) -> Result<Url> {
    let url = Url::parse(url).ok().filter(Url::has_host);
    url.context("the database address is not a URL: postgres://user:password@host:port/name")
}

/// Opens a connection that lives as long as the client.
pub async fn connect(url: &str) -> Result<Client> {
    let config: Config = url
        .parse()
        .context("the database address is not a URL of the form postgres://user:password@host:port/name")?;
    let (client, connection) =
        config.connect(NoTls).await.map_err(sentence).context("cannot reach the database")?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a database connection ended");
        }
    });
    Ok(client)
}

/// The message of the database, rather than «db error».
pub fn sentence(error: tokio_postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(error) => anyhow!("{} ({})", error.message(), error.code().code()),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_user_and_password_change() {
        for (url, expected) in [
            ("postgres://a:b@h:1/d", "postgres://u:p@h:1/d"),
            ("postgres://h/d?x=y@z", "postgres://u:p@h/d?x=y@z"),
            ("postgresql://a@h", "postgresql://u:p@h"),
        ] {
            assert_eq!(with_user(url, "u", "p").unwrap(), expected);
        }
        assert!(with_user("h:1", "u", "p").is_err());
    }
}

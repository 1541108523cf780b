//! Random secrets, made once and kept in the data folder with mode 600. No secret has a default.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::paths::make_private_dir;

const KEYS: &str = "jwt_secret";
/// Keys that are kept, the signing one included. Sessions last 30 days unless the setting says otherwise: do not rotate
/// more often than they may be forgotten.
const MAX_KEYS: usize = 4;
const TOKEN: &str = "service_token";
const TOKEN_BEFORE: &str = "service_token_previous";

/// What the services of a stack know of each other.
#[derive(Clone)]
pub struct Secrets {
    /// Keys of access and refresh tokens, separated by commas: the first signs, all of them are good.
    pub jwt: String,
    /// What the bridge shows to the ingest function.
    pub service_token: String,
    /// What components show to each other.
    pub component_token: String,
    /// What the bridge showed before the last rotation, and is still accepted.
    pub service_token_previous: Option<String>,
    /// Password of the database's owner.
    pub database_owner: String,
    /// What the passwords of the functions' database roles follow from.
    pub database_roles: String,
}

impl Secrets {
    /// Reads the secrets in `dir`; makes those that are not there yet.
    pub fn load_or_make(dir: &Path) -> Result<Self> {
        make_private_dir(dir)?;
        let one = |name: &str| load_or_make_one(&dir.join(name));
        Ok(Self {
            jwt: one(KEYS)?,
            service_token: one(TOKEN)?,
            component_token: one("component_token")?,
            service_token_previous: fs::read_to_string(dir.join(TOKEN_BEFORE))
                .ok()
                .map(|t| t.trim().to_owned()),
            database_owner: one("database_owner_password")?,
            database_roles: one("database_role_secret")?,
        })
    }
}

/// Makes a new service token; the one there was stays valid until the next rotation.
pub fn rotate_service_token(dir: &Path) -> Result<()> {
    let current = Secrets::load_or_make(dir)?.service_token;
    replace(dir, TOKEN_BEFORE, &current)?;
    replace(dir, TOKEN, &random_hex()?)
}

/// Makes a new key for signing tokens; those there were stay good, so nobody is signed out.
pub fn rotate_keys(dir: &Path) -> Result<()> {
    let former = Secrets::load_or_make(dir)?.jwt;
    let new = random_hex()?;
    let keys: Vec<&str> = [new.as_str()].into_iter().chain(former.split(',')).take(MAX_KEYS).collect();
    replace(dir, KEYS, &keys.join(","))
}

fn replace(dir: &Path, name: &str, secret: &str) -> Result<()> {
    let new = dir.join(format!("{name}.new"));
    let _ = fs::remove_file(&new);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, dir.join(name)))
        .with_context(|| format!("cannot write {}", new.display()))
}

fn load_or_make_one(path: &Path) -> Result<String> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let secret = random_hex()?;
            file.write_all(secret.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(secret)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let secret =
                fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            anyhow::ensure!(
                secret.trim().len() >= 32,
                "the secret in {} is too short to be one: remove the file and start again",
                path.display()
            );
            Ok(secret.trim().to_owned())
        }
        Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
    }
}

/// 256 random bits as 64 hexadecimal digits.
pub fn random_hex() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

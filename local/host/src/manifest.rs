//! `spin.toml`, manifest version 2: the keys that the local host understands.
//!
//! A key that is not here is an error with its place in the file; a key that Spin knows and this host cannot honour is
//! refused by [`Manifest::load`] with the component's name. Nothing is ignored except `tool`, which Spin ignores too.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A whole manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Always 2.
    pub(crate) spin_manifest_version: u32,
    /// Name and version.
    pub(crate) application: Application,
    /// Application variables by name.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Variable>,
    /// What starts a component.
    pub(crate) trigger: Triggers,
    /// Components by id.
    #[serde(default)]
    pub(crate) component: BTreeMap<String, Component>,
}

/// `[application]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    /// The application's name.
    pub(crate) name: String,
    /// A semantic version, or empty.
    #[serde(default)]
    pub(crate) version: String,
    /// For people.
    #[serde(default)]
    pub(crate) description: String,
    /// For people.
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    /// Spin environments the application is meant for.
    #[serde(default)]
    pub(crate) targets: Vec<toml::Value>,
    /// Settings per trigger type.
    #[serde(default)]
    pub(crate) trigger: ApplicationTriggers,
    /// Settings of other tools; Spin ignores them.
    #[serde(default)]
    pub(crate) tool: BTreeMap<String, toml::Table>,
}

/// `[application.trigger]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationTriggers {
    /// `[application.trigger.http]`.
    #[serde(default)]
    pub(crate) http: ApplicationHttp,
}

/// `[application.trigger.http]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationHttp {
    /// Only `/`.
    pub(crate) base: Option<String>,
}

/// One entry of `[variables]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    /// Must be given from outside.
    #[serde(default)]
    pub(crate) required: bool,
    /// The value when none is given.
    pub(crate) default: Option<String>,
    /// Never shown.
    #[serde(default)]
    pub(crate) secret: bool,
    /// For people.
    #[serde(default)]
    pub(crate) description: String,
}

/// `[[trigger.*]]`; only `http` exists here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Triggers {
    /// `[[trigger.http]]` in the order of the file.
    #[serde(default)]
    pub(crate) http: Vec<HttpTrigger>,
}

/// One `[[trigger.http]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTrigger {
    /// A name for the trigger.
    #[serde(default)]
    pub(crate) id: String,
    /// Where requests come from.
    pub(crate) route: Route,
    /// The component's id.
    pub(crate) component: String,
    /// Only `{ type = "http" }`.
    pub(crate) executor: Option<Executor>,
}

/// A public pattern, or none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a route is a string like \"/items/...\" or `{ private = true }`")]
pub(crate) enum Route {
    /// `/exact`, `/with/:name`, `/under/...`.
    Public(String),
    /// Reached by service chaining only.
    Private(PrivateRoute),
}

/// `{ private = true }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrivateRoute {
    /// Must be true.
    pub(crate) private: bool,
}

/// `executor`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Executor {
    /// Only `http`.
    pub(crate) r#type: String,
}

/// `[component.ID]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Component {
    /// The component's file, relative to the manifest.
    pub(crate) source: String,
    /// For people.
    #[serde(default)]
    pub(crate) description: String,
    /// Component variables: templates over application variables.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    /// Environment variables of the component.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// What the component may read.
    #[serde(default)]
    pub(crate) files: Vec<FileMount>,
    /// Where the component may connect to: templates over application variables.
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    /// How it is built; not used to run it.
    pub(crate) build: Option<Build>,
    /// Without dependencies this changes nothing.
    #[serde(default)]
    pub(crate) dependencies_inherit_configuration: bool,
    /// Settings of other tools; Spin ignores them.
    #[serde(default)]
    pub(crate) tool: BTreeMap<String, toml::Table>,
    /// Refused unless empty.
    #[serde(default)]
    pub(crate) exclude_files: Vec<String>,
    /// Refused unless empty.
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    /// Refused unless empty.
    #[serde(default)]
    pub(crate) sqlite_databases: Vec<String>,
    /// Refused unless empty.
    #[serde(default)]
    pub(crate) ai_models: Vec<String>,
    /// Refused unless empty.
    #[serde(default)]
    pub(crate) dependencies: BTreeMap<String, toml::Value>,
    /// Refused unless empty.
    #[serde(default)]
    pub(crate) profile: BTreeMap<String, toml::Value>,
}

/// One entry of `files`.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "an entry of `files` is a pattern or `{ source = \"…\", destination = \"…\" }`"
)]
pub(crate) enum FileMount {
    /// A file or a glob pattern; each match appears under its own relative path.
    Pattern(String),
    /// A folder under another name.
    Placed(PlacedFiles),
}

/// `{ source, destination }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacedFiles {
    /// A folder, relative to the manifest.
    pub(crate) source: String,
    /// An absolute path in the component.
    pub(crate) destination: String,
}

/// `[component.ID.build]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Build {
    /// One command or several.
    pub(crate) command: Commands,
    /// Relative to the manifest.
    pub(crate) workdir: Option<String>,
    /// Patterns for `spin watch`.
    #[serde(default)]
    pub(crate) watch: Vec<String>,
}

/// One command or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`command` is a string or a list of strings")]
pub(crate) enum Commands {
    /// One.
    One(String),
    /// Several, one after the other.
    Several(Vec<String>),
}

impl Manifest {
    /// Reads and checks a manifest file.
    ///
    /// # Errors
    /// A sentence with the file, the key and the component when something is unknown, missing or not offered here.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not usable", path.display()))
    }

    /// Reads and checks a manifest's text.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        ensure!(self.spin_manifest_version == 2, "spin_manifest_version must be 2");
        if let Some(base) = &self.application.trigger.http.base {
            ensure!(base == "/", "application.trigger.http.base = {base:?}: only \"/\" is offered");
        }
        for (name, variable) in &self.variables {
            ensure!(is_variable_name(name), "variables.{name}: a variable's name is lower_snake_case");
            ensure!(
                variable.required != variable.default.is_some(),
                "variables.{name}: give either `required = true` or a `default`"
            );
        }
        ensure!(!self.trigger.http.is_empty(), "there is no [[trigger.http]]");
        for trigger in &self.trigger.http {
            let id = &trigger.component;
            ensure!(
                self.component.contains_key(id),
                "trigger.http names the component {id:?}, which does not exist"
            );
            if let Route::Private(route) = &trigger.route {
                ensure!(
                    route.private,
                    "trigger.http of {id:?}: a route is a pattern or {{ private = true }}"
                );
            }
            if let Some(executor) = &trigger.executor {
                ensure!(
                    executor.r#type == "http",
                    "trigger.http of {id:?}: only the executor \"http\" is offered"
                );
            }
        }
        for (id, component) in &self.component {
            component.check().with_context(|| format!("component.{id}"))?;
        }
        Ok(())
    }
}

impl Component {
    fn check(&self) -> Result<()> {
        if let Some(name) = self.variables.keys().find(|name| !is_variable_name(name)) {
            bail!("variables.{name}: a variable's name is lower_snake_case");
        }
        let refused = [
            ("exclude_files", self.exclude_files.is_empty()),
            ("key_value_stores", self.key_value_stores.is_empty()),
            ("sqlite_databases", self.sqlite_databases.is_empty()),
            ("ai_models", self.ai_models.is_empty()),
            ("dependencies", self.dependencies.is_empty()),
            ("profile", self.profile.is_empty()),
        ];
        match refused.into_iter().find(|(_, empty)| !empty) {
            Some((key, _)) => bail!("`{key}` is not offered by the local host; use `spin up` or remove it"),
            None => Ok(()),
        }
    }
}

/// Whether Spin takes the name for a variable: lower-case words that begin with a letter, joined by single `_`.
#[must_use]
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.split('_').all(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

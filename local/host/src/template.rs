//! `{{ name }}` expressions and the values of application variables.

use super::manifest::{Variable, is_variable_name};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, HashMap};

/// Application variables with their final values.
pub(crate) type Values = BTreeMap<String, String>;

/// Gives every application variable its value: from `given`, else from `SPIN_VARIABLE_<NAME>`, else its default.
///
/// # Errors
/// One sentence that names every required variable without a value, or a given one that the manifest does not know.
pub(crate) fn values(
    declared: &BTreeMap<String, Variable>,
    given: &HashMap<String, String>,
) -> Result<Values> {
    if let Some(name) = given.keys().find(|name| !declared.contains_key(*name)) {
        bail!("the manifest declares no variable {name:?}");
    }
    let mut values = Values::new();
    let mut missing = Vec::new();
    for (name, variable) in declared {
        let environment = || std::env::var(environment_name(name)).ok();
        match given.get(name).cloned().or_else(environment).or_else(|| variable.default.clone()) {
            Some(value) => drop(values.insert(name.clone(), value)),
            None => missing.push(environment_name(name)),
        }
    }
    ensure!(missing.is_empty(), "required variables have no value; set {}", missing.join(", "));
    Ok(values)
}

fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

/// Puts the values into a template.
///
/// # Errors
/// Unclosed braces, or a name that is not an application variable.
pub(crate) fn expand(template: &str, values: &Values) -> Result<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once("{{") {
        let (name, tail) =
            after.split_once("}}").with_context(|| format!("{template:?} opens {{{{ without }}}}"))?;
        let name = name.trim();
        ensure!(is_variable_name(name), "{template:?}: {name:?} is not a variable's name");
        out.push_str(literal);
        out.push_str(
            values.get(name).with_context(|| format!("{template:?}: there is no variable {name:?}"))?,
        );
        rest = tail;
    }
    ensure!(!rest.contains("}}"), "{template:?} closes }}}} without {{{{");
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> BTreeMap<String, Variable> {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn templates_take_their_values() {
        let values = Values::from([("host".into(), "db".into()), ("port".into(), "5432".into())]);
        assert_eq!(expand("postgres://{{ host }}:{{port}}", &values).unwrap(), "postgres://db:5432");
        assert_eq!(expand("plain", &values).unwrap(), "plain");
        for wrong in ["{{ host", "host }}", "{{ other }}", "{{ Host }}"] {
            assert!(expand(wrong, &values).is_err(), "{wrong}");
        }
    }

    #[test]
    fn given_values_win_over_defaults_and_a_missing_one_is_named() {
        let declared =
            declared("a = { default = \"1\" }\nlonely_secret = { required = true, secret = true }");
        let error = values(&declared, &HashMap::new()).unwrap_err().to_string();
        assert!(error.contains("SPIN_VARIABLE_LONELY_SECRET"), "{error}");
        let given = HashMap::from([("lonely_secret".to_owned(), "x".to_owned())]);
        let values = values(&declared, &given).unwrap();
        assert_eq!((values["a"].as_str(), values["lonely_secret"].as_str()), ("1", "x"));
    }

    #[test]
    fn an_undeclared_value_is_refused() {
        let given = HashMap::from([("typo".to_owned(), "x".to_owned())]);
        assert!(values(&declared("a = { default = \"1\" }"), &given).is_err());
    }
}

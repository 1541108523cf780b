//! Which events a listener wants: `alarm.*,ticket.created`.

use pm_web::Refusal;

/// The kinds wanted; without any, all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Kinds that begin so.
    Prefix(String),
    /// This kind.
    Kind(String),
}

impl Filter {
    /// Reads a list of kinds; `*` at the end of one stands for anything.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let names = text.unwrap_or_default().split(',').map(str::trim).filter(|n| !n.is_empty());
        let pattern = |name: &str| {
            let (stem, prefix) = name.strip_suffix('*').map_or((name, false), |stem| (stem, true));
            let sane =
                stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
            match (sane, prefix) {
                (false, _) => Err(Refusal::field(
                    "value_error",
                    &["query", "events"],
                    "Input should be kinds of events such as alarm.created or alarm.*, by commas",
                    name.into(),
                )),
                (true, true) => Ok(Pattern::Prefix(stem.to_owned())),
                (true, false) => Ok(Pattern::Kind(stem.to_owned())),
            }
        };
        names.map(pattern).collect::<Result<_, _>>().map(Self)
    }

    /// Is this kind wanted?
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|pattern| match pattern {
                Pattern::Prefix(stem) => kind.starts_with(stem.as_str()),
                Pattern::Kind(name) => kind == name,
            })
    }
}

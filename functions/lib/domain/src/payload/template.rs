//! Where a mapping finds a text: a topic level, a JSON pointer, a constant, or a text made of these.
//!
//! | Written | Means |
//! |---|---|
//! | `press7` | this text |
//! | `{topic:2}`, `{topic:-1}`, `{topic}` | second level of the topic, its last level, the whole topic |
//! | `{/deviceInfo/deviceName}` | what stands there in the payload (RFC 6901) |
//! | `{/values/*/id}` | the same, next to the value that is read: `*` is what it is in the value's pointer |
//! | `{name}`, `{name:1}` | what `*` or `**` stands for: the last one, the first one |
//! | `{/tags\|except host,line}` | the other members there, by their names, each with a point before it; perhaps nothing |
//! | `{/id\|number}` | what stands there, if it is a number |
//! | `{…\|parent}`, `{…\|leaf}` | what is before, and after, the last point or slash |
//! | `{/a} \| {/b}` | the first of them that is there |

use serde_json::Value;

/// Longest pointer or template, in bytes.
const MAX_BYTES: usize = 500;
/// Most wildcards of a pointer.
const MAX_WILDCARDS: usize = 4;

/// One step of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The member with this name, or the element with this number.
    Key(String),
    /// Every member or element.
    Any,
    /// Every value below, however deep.
    Deep,
}

/// A JSON pointer that may have wildcards.
pub type Pointer = Vec<Step>;

/// Reads a pointer: empty, or `/a/b/*`.
pub fn pointer(text: &str) -> Result<Pointer, String> {
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let Some(steps) = text.strip_prefix('/') else {
        return if text.is_empty() {
            Ok(Vec::new())
        } else {
            Err(format!("{text}: a pointer begins with /"))
        };
    };
    let steps: Pointer = steps
        .split('/')
        .map(|step| match step {
            "*" => Step::Any,
            "**" => Step::Deep,
            key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
        })
        .collect();
    if steps.iter().rev().skip(1).any(|step| *step == Step::Deep) {
        return Err(format!("{text}: ** stands at the end only"));
    }
    if wildcards(&steps) > MAX_WILDCARDS {
        return Err(format!("{text}: more than {MAX_WILDCARDS} wildcards"));
    }
    Ok(steps)
}

/// Number of the pointer's wildcards.
pub fn wildcards(pointer: &[Step]) -> usize {
    pointer.iter().filter(|step| !matches!(step, Step::Key(_))).count()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Parent,
    Leaf,
    Number,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Counted from 1, or from the end with -1; 0 is the whole topic.
    Topic(i32, Part),
    Pointer(Pointer, Part),
    /// The members of an object but those with these names.
    Others(Pointer, Vec<String>),
    /// What the wildcard with this number stands for, from 1; 0 is the last.
    Name(usize, Part),
}

/// Texts by preference, each made of pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Vec<Piece>>);

/// What the wildcards of a value's pointer stand for.
#[derive(Debug, Clone, Default)]
pub struct Found<'a> {
    /// Members and elements, in order.
    pub steps: Vec<Name<'a>>,
}

/// What one wildcard stands for.
#[derive(Debug, Clone)]
pub enum Name<'a> {
    /// A member.
    Key(&'a str),
    /// An element.
    Index(usize),
    /// Names of a value that is deeper, with points between them.
    Path(String),
}

impl Name<'_> {
    fn text(&self) -> String {
        match self {
            Self::Key(key) => (*key).to_owned(),
            Self::Index(index) => index.to_string(),
            Self::Path(path) => path.clone(),
        }
    }
}

/// What a template is resolved against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The payload.
    pub root: &'a Value,
    /// What the wildcards of the value's pointer stand for.
    pub found: &'a Found<'a>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("longer than {MAX_BYTES} bytes"));
        }
        let mut alternatives = vec![Vec::new()];
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let pieces = alternatives.last_mut().ok_or_else(String::new)?;
            if let Some(inner) = rest.strip_prefix('{') {
                let (inside, after) =
                    inner.split_once('}').ok_or_else(|| format!("{text}: a {{ without }}"))?;
                pieces.push(piece(inside)?);
                rest = after;
            } else if let Some(after) = rest.strip_prefix(" | ") {
                rest = after.trim_start();
                alternatives.push(Vec::new());
            } else {
                let end =
                    rest.char_indices().skip(1).find(|(at, c)| *c == '{' || rest[*at..].starts_with(" | "));
                let (constant, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
                if constant.contains('}') {
                    return Err(format!("{text}: a }} without {{"));
                }
                pieces.push(Piece::Text(constant.to_owned()));
                rest = after;
            }
        }
        if alternatives.iter().any(Vec::is_empty) {
            return Err("empty".to_owned());
        }
        Ok(Self(alternatives))
    }

    /// The pointers in it.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().flatten().filter_map(|piece| match piece {
            Piece::Pointer(pointer, _) | Piece::Others(pointer, _) => Some(pointer),
            _ => None,
        })
    }

    /// The number of the highest wildcard that it names, and the most wildcards in one of its pointers.
    pub fn wildcards(&self) -> usize {
        let of_piece = |piece: &Piece| match piece {
            Piece::Pointer(pointer, _) | Piece::Others(pointer, _) => wildcards(pointer),
            Piece::Name(number, _) => (*number).max(1),
            _ => 0,
        };
        self.0.iter().flatten().map(of_piece).max().unwrap_or(0)
    }

    /// Does one of its pointers lead to this very value?
    pub fn points_to(&self, context: Context<'_>, value: &Value) -> bool {
        self.pointers().any(|pointer| resolve(pointer, context).is_some_and(|at| std::ptr::eq(at, value)))
    }

    /// The text, of the first alternative all pieces of which are there.
    pub fn text(&self, context: Context<'_>) -> Option<String> {
        self.0.iter().find_map(|pieces| {
            if let [piece] = pieces.as_slice() {
                return text_of(piece, context);
            }
            pieces.iter().map(|piece| text_of(piece, context)).collect()
        })
    }

    /// The JSON value, with the name under which it stands.
    pub fn value<'a>(&'a self, context: Context<'a>) -> Option<(&'a str, std::borrow::Cow<'a, Value>)> {
        use std::borrow::Cow;
        self.0.iter().find_map(|pieces| match pieces.as_slice() {
            [Piece::Pointer(pointer, Part::All)] => {
                let value = resolve(pointer, context)?;
                let key = pointer.iter().rev().find_map(|step| match step {
                    Step::Key(key) => Some(key.as_str()),
                    _ => None,
                });
                (!value.is_null()).then_some((key.unwrap_or("value"), Cow::Borrowed(value)))
            }
            pieces => {
                let text: Option<String> = pieces.iter().map(|piece| text_of(piece, context)).collect();
                Some(("timestamp", Cow::Owned(Value::String(text?))))
            }
        })
    }
}

fn piece(inside: &str) -> Result<Piece, String> {
    let (place, part) = match inside.rsplit_once('|') {
        Some((place, "parent")) => (place, Part::Parent),
        Some((place, "leaf")) => (place, Part::Leaf),
        Some((place, "number")) => (place, Part::Number),
        Some((place, names)) if place.starts_with('/') && names.starts_with("except ") => {
            let names = names["except ".len()..].split(',').map(|name| name.trim().to_owned()).collect();
            return Ok(Piece::Others(pointer(place)?, names));
        }
        _ => (inside, Part::All),
    };
    let unknown = || format!("{{{inside}}}: not topic, topic:1, name or /a/pointer");
    if place.starts_with('/') {
        let pointer = pointer(place)?;
        if pointer.contains(&Step::Deep) {
            return Err(format!("{{{inside}}}: ** stands in the pointer of the value only"));
        }
        return Ok(Piece::Pointer(pointer, part));
    }
    match place.split_once(':').unwrap_or((place, "0")) {
        ("topic", level) => Ok(Piece::Topic(level.parse().map_err(|_| unknown())?, part)),
        ("name", number) => Ok(Piece::Name(number.parse().map_err(|_| unknown())?, part)),
        _ => Err(unknown()),
    }
}

fn text_of(piece: &Piece, context: Context<'_>) -> Option<String> {
    match piece {
        Piece::Text(text) => Some(text.clone()),
        Piece::Topic(level, part) => of(topic_level(context.topic, *level)?, *part),
        Piece::Pointer(pointer, part) => match resolve(pointer, context)? {
            Value::String(text) if *part != Part::Number => of(text.trim(), *part),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
        Piece::Others(pointer, except) => {
            let members = resolve(pointer, context).and_then(Value::as_object);
            let others = members.into_iter().flatten().filter(|(name, _)| !except.contains(name));
            let text = |(_, value): (_, &Value)| match value {
                Value::String(text) => Some(format!(".{}", text.trim())),
                Value::Number(number) => Some(format!(".{number}")),
                _ => None,
            };
            Some(others.filter_map(text).collect())
        }
        Piece::Name(number, part) => {
            let steps = &context.found.steps;
            let name = if *number == 0 { steps.last() } else { steps.get(number - 1) };
            of(&name?.text(), *part)
        }
    }
}

fn of(text: &str, part: Part) -> Option<String> {
    let text = match part {
        Part::All | Part::Number => text,
        Part::Parent => text.rsplit_once(['.', '/'])?.0,
        Part::Leaf => text.rsplit_once(['.', '/']).map_or(text, |(_, leaf)| leaf),
    };
    (!text.is_empty()).then(|| text.to_owned())
}

fn topic_level(topic: &str, level: i32) -> Option<&str> {
    match level {
        0 => Some(topic),
        1.. => topic.split('/').nth(level as usize - 1),
        _ => topic.rsplit('/').nth(level.unsigned_abs() as usize - 1),
    }
}

/// What stands at the pointer; its wildcards are those that were found.
fn resolve<'a>(pointer: &[Step], context: Context<'a>) -> Option<&'a Value> {
    let mut at = context.root;
    let mut found = context.found.steps.iter();
    for step in pointer {
        at = match step {
            Step::Key(key) => child(at, key)?,
            Step::Any => match found.next()? {
                Name::Key(key) => at.get(*key)?,
                Name::Index(index) => at.get(*index)?,
                Name::Path(_) => return None,
            },
            Step::Deep => return None,
        };
    }
    Some(at)
}

/// The member with this name, or the element with this number.
pub fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Array(elements) => elements.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(template: &str) -> Option<String> {
        let root = json!({"device": {"name": "Line1.Press7", "id": 7}, "values": [{"id": "a"}, {"id": "b"}]});
        let found = Found { steps: vec![Name::Index(1), Name::Path("x.y".to_owned())] };
        let context = Context { topic: "factory/line1/press7/temp", root: &root, found: &found };
        Template::read(template).ok()?.text(context)
    }

    #[test]
    fn every_form_is_resolved() {
        for (template, expected) in [
            ("press 7", "press 7"),
            ("{topic:2}", "line1"),
            ("{topic:-1}", "temp"),
            ("{topic}", "factory/line1/press7/temp"),
            ("{topic|parent}", "factory/line1/press7"),
            ("{/device/name}", "Line1.Press7"),
            ("{/device/name|leaf}", "Press7"),
            ("{/device/name|parent}", "Line1"),
            ("{/device/id}", "7"),
            ("{/values/*/id}", "b"),
            ("{/values/0/id}", "a"),
            ("{name}", "x.y"),
            ("{name:1}", "1"),
            ("{/missing} | {/device/id}", "7"),
            ("{/device/name|number} | {/device/id|number}", "7"),
            ("t{/device|except name}", "t.7"),
            ("t{/device|except id, more}", "t.Line1.Press7"),
            ("t{/device|except id,name}{/missing|except x}", "t"),
            ("{/missing}-x | {topic:2}-{/device/id}", "line1-7"),
        ] {
            assert_eq!(text(template).as_deref(), Some(expected), "{template}");
        }
        assert_eq!(text("{/missing}"), None);
        assert_eq!(text("{topic:9}"), None);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in ["", "{", "}", "{nothing}", "{topic:x}", "{/a/**}", "a | ", "{/a} | "] {
            assert!(Template::read(bad).is_err(), "{bad}");
        }
        for bad in ["a/b", "/**/a", "/*/*/*/*/*"] {
            assert!(pointer(bad).is_err(), "{bad}");
        }
        assert!(pointer("").is_ok_and(|steps| steps.is_empty()));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(template in "[{}a-z/:|*. 0-9-]{0,30}") {
            let _ = text(&template);
            let _ = pointer(&template);
        }
    }
}

//! The fields of a JSON body. Every problem is collected, so that one answer names all bad fields.

use crate::Refusal;
use pm_api::{Metadata, Timestamp, error::FieldError, word::UnknownWord};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, str::FromStr};

fn unreadable(body: &[u8], error: &serde_json::Error) -> Refusal {
    if body.is_empty() {
        return Refusal::field("missing", &["body"], "Field required", Value::Null);
    }
    Refusal::field("json_invalid", &["body"], format!("JSON decode error: {error}"), json!({}))
}

/// A refusal of what stands at `place` in the body.
fn located(kind: &str, place: &[Value], message: impl Into<String>, input: Value) -> Refusal {
    let mut error = FieldError::new(kind, &["body"], message, input);
    error.loc.extend(place.iter().cloned());
    Refusal::Invalid(vec![error])
}

/// What was read of the objects of a list; if any was refused for its fields, one refusal names them all.
///
/// # Errors
/// The first refusal of another kind, or 422.
pub fn all_valid<T>(read: impl Iterator<Item = Result<T, Refusal>>) -> Result<Vec<T>, Refusal> {
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for item in read {
        match item {
            Ok(item) => items.push(item),
            Err(Refusal::Invalid(more)) => errors.extend(more),
            Err(other) => return Err(other),
        }
        if errors.len() >= MOST_ERRORS {
            break;
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(Refusal::Invalid(errors)) }
}

/// Errors that one answer names.
const MOST_ERRORS: usize = 100;

/// A field that may be absent, null, or given.
pub type Presence<T> = Option<Option<T>>;

/// A JSON object under reading.
pub struct Fields {
    object: Map<String, Value>,
    errors: Vec<FieldError>,
    /// Where the object stands in the body.
    place: Vec<Value>,
}

impl Fields {
    /// Reads a body.
    ///
    /// # Errors
    /// 422 if it is not a JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            // old clients send it where they have no body
            Ok(Value::Null) => Self::of(Map::new().into(), Vec::new()),
            Ok(other) => Self::of(other, Vec::new()),
            Err(error) => Err(unreadable(body, &error)),
        }
    }

    /// Reads a body that is a list of 1 to `most` objects; their problems are located by their index.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn parse_list(body: &[u8], most: usize) -> Result<Vec<Self>, Refusal> {
        match serde_json::from_slice(body) {
            Ok(value) => Self::list(value, Vec::new(), most),
            Err(error) => Err(unreadable(body, &error)),
        }
    }

    /// The objects of a list inside the body.
    ///
    /// # Errors
    /// 422 if there is no list of 1 to `most` objects under this name.
    pub fn list_in(&mut self, name: &str, most: usize) -> Result<Vec<Self>, Refusal> {
        match self.object.remove(name) {
            Some(value) => Self::list(value, vec![name.into()], most),
            None => Err(Refusal::field("missing", &["body", name], "Field required", Value::Null)),
        }
    }

    fn list(value: Value, place: Vec<Value>, most: usize) -> Result<Vec<Self>, Refusal> {
        let wrong = |kind, message: String, input| Err(located(kind, &place, message, input));
        match value {
            Value::Array(items) if items.is_empty() => {
                wrong("too_short", "List should have at least 1 item".to_owned(), Value::Null)
            }
            Value::Array(items) if items.len() > most => {
                wrong("too_long", format!("List should have at most {most} items"), items.len().into())
            }
            Value::Array(items) => {
                let at = |i: usize| place.iter().cloned().chain([i.into()]).collect();
                items.into_iter().enumerate().map(|(i, item)| Self::of(item, at(i))).collect()
            }
            other => wrong("list_type", "Input should be a valid list".to_owned(), other),
        }
    }

    fn of(value: Value, place: Vec<Value>) -> Result<Self, Refusal> {
        match value {
            Value::Object(object) => Ok(Self { object, errors: Vec::new(), place }),
            other => Err(located(
                "model_attributes_type",
                &place,
                "Input should be a valid dictionary or object to extract fields from",
                other,
            )),
        }
    }

    /// The fields' names.
    pub fn names(&self) -> Vec<String> {
        self.object.keys().cloned().collect()
    }

    /// An object inside this one; its problems join this one's with [`Fields::take_errors`].
    pub fn inner(&mut self, name: &str) -> Option<Self> {
        let mut place = self.place.clone();
        place.push(name.into());
        match self.object.get(name).cloned()? {
            Value::Object(object) => Some(Self { object, errors: Vec::new(), place }),
            other => {
                self.wrong("dict_type", name, "Input should be a valid dictionary", other);
                None
            }
        }
    }

    /// Takes over the problems of another object.
    pub fn take_errors(&mut self, other: Self) {
        self.errors.extend(other.errors);
    }

    fn wrong(&mut self, kind: &str, name: &str, message: impl Into<String>, input: Value) {
        let mut error = FieldError::new(kind, &["body"], message, input);
        error.loc.extend(self.place.iter().cloned());
        error.loc.push(name.into());
        self.errors.push(error);
    }

    /// The whole object as a refusal may repeat it: without secrets.
    fn shown(&self) -> Value {
        let secret_value = self.object.get("is_secret") == Some(&Value::Bool(true));
        let hides = |name: &str| {
            ["password", "secret", "token"].iter().any(|word| name.contains(word))
                || (secret_value && name == "value")
        };
        let shown = |(name, value): (&String, &Value)| {
            let keep = !value.is_string() || !hides(name);
            (name.clone(), if keep { value.clone() } else { "********".into() })
        };
        Value::Object(self.object.iter().map(shown).collect())
    }

    /// A text of 1 to `longest` characters (blank counts as empty); absent, null or given.
    pub fn text(&mut self, name: &str, longest: usize) -> Presence<String> {
        match self.object.get(name).cloned() {
            None => None,
            Some(Value::Null) => Some(None),
            Some(Value::String(text)) => {
                if text.chars().count() > longest {
                    self.wrong(
                        "string_too_long",
                        name,
                        format!("String should have at most {longest} characters"),
                        text.into(),
                    );
                    return None;
                }
                if text.contains('\0') {
                    self.wrong("value_error", name, "String should not contain NUL characters", text.into());
                    return None;
                }
                Some(Some(text))
            }
            Some(other) => {
                self.wrong("string_type", name, "Input should be a valid string", other);
                None
            }
        }
    }

    /// A text that must be given and not be blank.
    pub fn required_text(&mut self, name: &str, longest: usize) -> String {
        match self.text(name, longest) {
            Some(Some(text)) if !text.trim().is_empty() => return text,
            Some(Some(text)) => {
                self.wrong("string_too_short", name, "String should have at least 1 character", text.into());
            }
            Some(None) => self.wrong("string_type", name, "Input should be a valid string", Value::Null),
            None => self.require(name),
        }
        String::new()
    }

    /// A finite number; absent, null or given.
    pub fn number(&mut self, name: &str) -> Presence<f64> {
        match self.object.get(name).cloned() {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => {
                let number = value.as_f64().or_else(|| value.as_str().and_then(|s| s.trim().parse().ok()));
                match number.filter(|n| n.is_finite()) {
                    Some(number) => Some(Some(number)),
                    None => {
                        self.wrong("float_type", name, "Input should be a valid number", value);
                        None
                    }
                }
            }
        }
    }

    /// A finite number that must be given.
    pub fn required_number(&mut self, name: &str) -> Option<f64> {
        let number = self.number(name).flatten();
        if number.is_none() {
            self.require(name);
        }
        number
    }

    /// A point in time that must be given.
    pub fn required_time(&mut self, name: &str) -> Option<Timestamp> {
        let time = self.time(name).flatten();
        if time.is_none() {
            self.require(name);
        }
        time
    }

    /// A truth value.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.object.get(name).cloned() {
            None | Some(Value::Null) => None,
            Some(Value::Bool(value)) => Some(value),
            Some(other) => {
                self.wrong("bool_type", name, "Input should be a valid boolean", other);
                None
            }
        }
    }

    /// A word of a vocabulary.
    pub fn word<T: FromStr<Err = UnknownWord>>(&mut self, name: &str) -> Option<T> {
        match self.object.get(name).cloned() {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => match text.parse::<T>() {
                Ok(word) => Some(word),
                Err(unknown) => {
                    self.wrong("enum", name, unknown.to_string(), text.into());
                    None
                }
            },
            Some(other) => {
                self.wrong("string_type", name, "Input should be a valid string", other);
                None
            }
        }
    }

    /// A word of a vocabulary that must be given.
    pub fn required_word<T: FromStr<Err = UnknownWord>>(&mut self, name: &str) -> Option<T> {
        let word = self.word(name);
        if word.is_none() {
            self.require(name);
        }
        word
    }

    /// A whole number within bounds that must be given; `min` if it is not, and the reading is refused.
    pub fn required_integer(&mut self, name: &str, min: i64, max: i64) -> i64 {
        match self.object.get(name).cloned() {
            None => self.require(name),
            Some(value) => match value.as_i64() {
                Some(number) if number >= min && number <= max => return number,
                Some(_) => {
                    let message = format!("Input should be at least {min} and at most {max}");
                    self.wrong("value_error", name, message, value);
                }
                None => self.wrong("int_type", name, "Input should be a valid integer", value),
            },
        }
        min
    }

    /// A list of texts of 1 to `longest` characters each; absent, or given.
    pub fn texts(&mut self, name: &str, longest: usize) -> Option<Vec<String>> {
        let value = self.object.get(name).cloned().filter(|v| !v.is_null())?;
        let texts = value.as_array().and_then(|list| {
            let fits = |t: &&str| !t.trim().is_empty() && t.chars().count() <= longest && !t.contains('\0');
            list.iter().map(|v| v.as_str().filter(fits).map(str::to_owned)).collect()
        });
        if texts.is_none() {
            let message = format!("Input should be a list of strings of 1 to {longest} characters");
            self.wrong("list_type", name, message, value);
        }
        texts
    }

    /// An id.
    pub fn id<T: From<uuid::Uuid>>(&mut self, name: &str) -> Option<T> {
        match self.object.get(name).cloned() {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_str().map(uuid::Uuid::parse_str) {
                Some(Ok(id)) => Some(T::from(id)),
                Some(Err(error)) => {
                    self.wrong("uuid_parsing", name, format!("Input should be a valid UUID, {error}"), value);
                    None
                }
                None => {
                    self.wrong("uuid_type", name, "UUID input should be a string", value);
                    None
                }
            },
        }
    }

    /// An id that must be given.
    pub fn required_id<T: From<uuid::Uuid>>(&mut self, name: &str) -> Option<T> {
        let id = self.id(name);
        if id.is_none() {
            self.require(name);
        }
        id
    }

    /// A point in time (RFC 3339).
    pub fn time(&mut self, name: &str) -> Presence<Timestamp> {
        match self.object.get(name).cloned() {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => match value.as_str().map(str::parse) {
                Some(Ok(time)) => Some(Some(time)),
                _ => {
                    self.wrong("datetime_parsing", name, "Input should be a valid datetime", value);
                    None
                }
            },
        }
    }

    /// A calendar day, `YYYY-MM-DD`.
    pub fn date(&mut self, name: &str) -> Presence<String> {
        let text = self.text(name, 10)?;
        let Some(text) = text else { return Some(None) };
        if text.len() == 10 && text.parse::<Timestamp>().is_ok() {
            return Some(Some(text));
        }
        self.wrong(
            "date_from_datetime_parsing",
            name,
            "Input should be a valid date, e.g. 2026-11-23",
            text.into(),
        );
        None
    }

    /// A free object, under any of several names.
    pub fn object(&mut self, names: &[&str]) -> Presence<Metadata> {
        let name = names.iter().find(|name| self.object.contains_key(**name))?;
        match self.object.get(*name).cloned() {
            Some(Value::Object(object)) => {
                if Value::Object(object.clone()).to_string().contains("\\u0000") {
                    self.wrong("value_error", name, "Texts should not contain NUL characters", object.into());
                    return None;
                }
                Some(Some(object))
            }
            Some(Value::Null) | None => Some(None),
            Some(other) => {
                self.wrong("dict_type", name, "Input should be a valid dictionary", other);
                None
            }
        }
    }

    /// Like [`Fields::text`], for a secret: a refusal does not repeat it.
    pub fn secret(&mut self, name: &str, longest: usize) -> Presence<String> {
        let before = self.errors.len();
        let text = self.text(name, longest);
        for error in &mut self.errors[before..] {
            error.input = Value::Null;
        }
        text
    }

    /// Like [`Fields::required_text`], for a secret: a refusal does not repeat it.
    pub fn required_secret(&mut self, name: &str, longest: usize) -> String {
        let before = self.errors.len();
        let text = self.required_text(name, longest);
        for error in &mut self.errors[before..] {
            error.input = Value::Null;
        }
        text
    }

    /// An object whose values are texts.
    pub fn text_map(&mut self, name: &str) -> Presence<BTreeMap<String, String>> {
        let value = self.object.get(name).cloned()?;
        if value.is_null() {
            return Some(None);
        }
        match serde_json::from_value(value.clone()) {
            Ok(map) => Some(Some(map)),
            Err(_) => {
                self.wrong("dict_type", name, "Input should be a valid dictionary of strings", value);
                None
            }
        }
    }

    /// A whole number within bounds, given as a number or as text.
    pub fn integer(&mut self, name: &str, min: i32, max: i32) -> Option<i32> {
        let number = self.number(name)??;
        let integer = (number.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(&number))
            .then_some(number as i32);
        if integer.is_none() {
            self.refuse("int_range", name, format!("Input should be a whole number from {min} to {max}"));
        }
        integer
    }

    /// Says that a field is missing, unless something else is wrong with it.
    pub fn require(&mut self, name: &str) {
        if self.errors.iter().all(|e| e.loc.last() != Some(&Value::from(name))) {
            let input = self.shown();
            self.wrong("missing", name, "Field required", input);
        }
    }

    /// Refuses a field for a reason of the caller's.
    pub fn refuse(&mut self, kind: &str, name: &str, message: impl Into<String>) {
        let input = self.object.get(name).cloned().unwrap_or(Value::Null);
        self.wrong(kind, name, message, input);
    }

    /// Refuses a secret field; the answer does not repeat it.
    pub fn refuse_secret(&mut self, kind: &str, name: &str, message: impl Into<String>) {
        self.wrong(kind, name, message, Value::Null);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 422 with every problem found.
    pub fn end(self) -> Result<(), Refusal> {
        if self.errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.errors)) }
    }
}

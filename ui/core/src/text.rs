//! Numbers, times and words as text for users.

/// `value` with as many decimals as `span`, the range it lies in, makes meaningful.
#[must_use]
pub fn number(value: f64, span: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let span = if span.is_finite() && span > 0.0 { span } else { value.abs().max(1.0) };
    let decimals = (2.0 - span.log10().floor()).clamp(0.0, 4.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

/// A reading for a table or a tile: four significant digits at most.
#[must_use]
pub fn reading(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1_000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    if value.is_finite() { format!("{value:.decimals$}") } else { "–".to_owned() }
}

/// The browser and system that a user agent names; another program by its first words.
#[must_use]
pub fn device(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = named(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => user_agent.chars().take(60).collect(),
    }
}

/// A count with thin spaces between thousands.
#[must_use]
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if n < 0 { format!("−{text}") } else { text }
}

/// A length of time in its two largest units: `42 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
#[must_use]
pub fn duration(ms: f64) -> String {
    let seconds = (ms / 1000.0).max(0.0).round() as i64;
    let two = |n: i64, large: &str, rest: i64, small: &str| {
        if rest == 0 { format!("{n} {large}") } else { format!("{n} {large} {rest} {small}") }
    };
    match seconds {
        s if s < 60 => format!("{s} s"),
        s if s < 600 => two(s / 60, "min", s % 60, "s"),
        s if s < 3_600 => format!("{} min", s / 60),
        s if s < 86_400 => two(s / 3_600, "h", s % 3_600 / 60, "min"),
        s => two(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

/// A size of a file: `1 kB`, `820 kB`, `12.8 MB`.
#[must_use]
pub fn size(bytes: i64) -> String {
    match bytes {
        b if b >= 1_000_000 => format!("{:.1} MB", b as f64 / 1e6),
        b => format!("{} kB", (b as f64 / 1e3).ceil()),
    }
}

/// What a sensor measures, for people; nothing where its readings did not say.
#[must_use]
pub fn kind(sensor_type: &str) -> String {
    if sensor_type == "unknown" { String::new() } else { title(sensor_type) }
}

/// How long ago `then` was, in one unit: `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`, `in 4 h`.
#[must_use]
pub fn ago(now_ms: f64, then_ms: f64) -> String {
    let seconds = (now_ms - then_ms) / 1000.0;
    let size = seconds.abs();
    if !size.is_finite() {
        return "–".to_owned();
    }
    let text = match size {
        s if s < 2.0 => return "now".to_owned(),
        s if s < 60.0 => format!("{} s", s as i64),
        s if s < 3_600.0 => format!("{} min", (s / 60.0) as i64),
        s if s < 86_400.0 => format!("{} h", (s / 3_600.0) as i64),
        s => format!("{} d", (s / 86_400.0) as i64),
    };
    if seconds < 0.0 { format!("in {text}") } else { format!("{text} ago") }
}

/// Words that stand for their first letters.
const ABBREVIATIONS: &[&str] = &["ai", "cors", "csv", "json", "pdf", "xlsx"];

/// The first letter in upper case, underscores as blanks; all of `pdf` and its like in upper case.
#[must_use]
pub fn title(word: &str) -> String {
    let spelled = |(place, word): (usize, &str)| {
        if ABBREVIATIONS.contains(&word) {
            return word.to_uppercase();
        }
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if place == 0 => first.to_uppercase().chain(letters).collect(),
            _ => word.to_owned(),
        }
    };
    word.split('_').enumerate().map(spelled).collect::<Vec<_>>().join(" ")
}

/// How long the healthy reference of a sensor is still learned.
#[must_use]
pub fn learning(days_left: f64) -> String {
    match days_left.ceil() {
        days if days > 1.0 => format!("Learning, {days:.0} days left"),
        _ if days_left * 24.0 > 1.0 => format!("Learning, {:.0} hours left", (days_left * 24.0).ceil()),
        _ => "Learning, less than an hour left".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_is_told_in_days_and_in_hours_on_the_last_one() {
        for (days, expected) in [
            (7.0, "Learning, 7 days left"),
            (1.2, "Learning, 2 days left"),
            (0.5, "Learning, 12 hours left"),
            (0.01, "Learning, less than an hour left"),
            (0.0, "Learning, less than an hour left"),
        ] {
            assert_eq!(learning(days), expected);
        }
    }

    #[test]
    fn devices_have_short_names() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile Safari/604.1";
        for (user_agent, name) in
            [(linux, "Chrome on Linux"), (phone, "Safari on iPhone"), ("curl/8.5", "curl/8.5"), ("", "")]
        {
            assert_eq!(device(user_agent), name);
        }
    }

    #[test]
    fn sizes_have_a_unit_and_unknown_kinds_are_empty() {
        assert_eq!(
            [size(0), size(1), size(999_999), size(12_848_000)],
            ["0 kB", "1 kB", "1000 kB", "12.8 MB"]
        );
        assert_eq!([kind("flow_rate"), kind("unknown")], ["Flow rate", ""]);
    }

    #[test]
    fn title_spells_words_of_the_api_for_users() {
        for (word, text) in
            [("true_fault", "True fault"), ("pdf", "PDF"), ("ai_model", "AI model"), ("", ""), ("_", " ")]
        {
            assert_eq!(title(word), text, "{word}");
        }
    }

    #[test]
    fn numbers_get_the_decimals_their_range_needs() {
        for (value, span, text) in [
            (93.456, 200.0, "93"),
            (93.456, 20.0, "93.5"),
            (0.1234, 0.05, "0.1234"),
            (-0.001, 100.0, "0"),
            (f64::NAN, 1.0, "–"),
            (5.0, 0.0, "5.00"),
        ] {
            assert_eq!(number(value, span), text, "{value} in {span}");
        }
    }

    #[test]
    fn readings_have_four_significant_digits() {
        for (value, text) in [(1523.4, "1523"), (140.25, "140.2"), (3.456, "3.46"), (0.01234, "0.012")] {
            assert_eq!(reading(value), text);
        }
    }

    #[test]
    fn counts_have_thin_spaces_between_thousands() {
        for (n, text) in
            [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (-1_234_567, "−1\u{202f}234\u{202f}567")]
        {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        for (s, text) in [
            (0.0, "0 s"),
            (59.4, "59 s"),
            (200.0, "3 min 20 s"),
            (3_500.0, "58 min"),
            (7_500.0, "2 h 5 min"),
            (360_000.0, "4 d 4 h"),
        ] {
            assert_eq!(duration(s * 1000.0), text);
        }
    }

    #[test]
    fn relative_times_have_one_unit() {
        for (then, text) in
            [(0.0, "2 min ago"), (119_000.0, "now"), (90_000.0, "30 s ago"), (14_520_000.0, "in 4 h")]
        {
            assert_eq!(ago(120_000.0, then), text);
        }
    }

    #[test]
    fn titles_begin_in_upper_case_and_have_no_underscores() {
        assert_eq!(title("in_progress"), "In progress");
        assert_eq!(title(""), "");
    }
}

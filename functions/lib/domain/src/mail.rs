//! The words of mails: plain text and HTML of each, and the text for Slack-compatible webhooks.
//!
//! Everything that comes from outside (names, messages) is escaped for the form it stands in: a subject is one line,
//! HTML cannot be opened by a sensor's name, and Slack's control characters are entities.

use pm_api::{
    Timestamp,
    mail::{Digest, Notice},
};
use std::fmt::Write;

/// Longest subject, characters.
const SUBJECT_CHARS: usize = 200;

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// For every mail program.
    pub text: String,
    /// For those that show HTML.
    pub html: String,
}

/// The mail that shows that mail works.
#[must_use]
pub fn test() -> Rendered {
    let said = "Mail from the predictive-maintenance platform works: this message was sent to test it.";
    Rendered {
        subject: "Test mail".to_owned(),
        text: format!("{said}\n"),
        html: page("Test mail", &format!("<p>{}</p>", escaped(said))),
    }
}

/// The mail with the link to set a new password. `valid_minutes` is how long the link works.
#[must_use]
pub fn password_reset(name: Option<&str>, link: &str, valid_minutes: i64) -> Rendered {
    let greeting = name.map_or("Hello,".to_owned(), |n| format!("Hello {},", one_line(n)));
    let asked = "somebody, probably you, asked for a new password for your account.";
    let note = format!(
        "The link works once, within {valid_minutes} minutes. If you did not ask for it, do nothing: your password stays as it is."
    );
    let html = format!(
        "<p>{}</p><p>{}</p><p><a href=\"{link}\" style=\"{BUTTON}\">Set a new password</a></p>\
         <p>Or open this address: {link}</p><p>{}</p>",
        escaped(&greeting),
        escaped(asked),
        escaped(&note),
        link = escaped(link),
    );
    Rendered {
        subject: "Set a new password".to_owned(),
        text: format!("{greeting}\n\n{asked} Set it here:\n\n{link}\n\n{note}\n"),
        html: page("Set a new password", &html),
    }
}

/// The mail with the link by which the person of a new account chooses a password. `valid_days` is how long it works.
#[must_use]
pub fn invitation(name: Option<&str>, link: &str, valid_days: i64) -> Rendered {
    let greeting = name.map_or("Hello,".to_owned(), |n| format!("Hello {},", one_line(n)));
    let said = "an account of the predictive-maintenance platform was created for you.";
    let note =
        format!("The link works once, within {valid_days} days. Your sign-in name is this mail address.");
    let html = format!(
        "<p>{}</p><p>{}</p><p><a href=\"{link}\" style=\"{BUTTON}\">Choose a password</a></p>\
         <p>Or open this address: {link}</p><p>{}</p>",
        escaped(&greeting),
        escaped(said),
        escaped(&note),
        link = escaped(link),
    );
    Rendered {
        subject: "Your account".to_owned(),
        text: format!("{greeting}\n\n{said} Choose a password here:\n\n{link}\n\n{note}\n"),
        html: page("Your account", &html),
    }
}

/// The mail that a scheduled report has been made. `link` leads to the file; whoever follows it has to sign in.
#[must_use]
pub fn report(title: &str, period: &str, readings: i64, link: &str) -> Rendered {
    let title = one_line(title);
    let said = format!("The report of {period} is ready. It covers {readings} readings.");
    let note = "The link asks for a sign-in with the account of this mail address, or of an engineer.";
    let html = format!(
        "<p>{}</p><p><a href=\"{link}\" style=\"{BUTTON}\">Open the report</a></p><p>Or open this address: {link}</p><p>{}</p>",
        escaped(&said),
        escaped(note),
        link = escaped(link),
    );
    Rendered { text: format!("{said}\n\n{link}\n\n{note}\n"), html: page(&title, &html), subject: title }
}

/// The mail of an escalation's notice: a line for each fact, and the link to the alarm.
pub(crate) fn paged(title: &str, facts: &[(&str, String)], link: Option<&str>) -> Rendered {
    let (mut text, mut rows) = (format!("{title}\n\n"), String::new());
    for (name, value) in facts {
        let _ = writeln!(text, "{name}: {value}");
        let _ = write!(
            rows,
            "<tr><td style=\"{CELL}\">{}</td><td style=\"{CELL}\">{}</td></tr>",
            escaped(name),
            escaped(value)
        );
    }
    let mut html = format!("<table style=\"border-collapse:collapse;width:100%\">{rows}</table>");
    if let Some(link) = link {
        let _ = writeln!(text, "\nAcknowledge the alarm here: {link}");
        let _ = write!(
            html,
            "<p><a href=\"{link}\" style=\"{BUTTON}\">Open the alarm</a></p><p>Or open this address: {link}</p>",
            link = escaped(link)
        );
    }
    Rendered { subject: title.to_owned(), text, html: page(title, &html) }
}

/// A part of the daily summary.
pub(crate) struct SummaryPart {
    /// What it lists.
    pub(crate) name: &'static str,
    /// How many there are; `lines` may be fewer.
    pub(crate) total: usize,
    /// Each with its link, if there is one.
    pub(crate) lines: Vec<(String, Option<String>)>,
}

/// The daily summary.
pub(crate) fn summary_page(title: &str, parts: &[SummaryPart]) -> Rendered {
    let (mut text, mut html) = (format!("{title}\n"), String::new());
    for SummaryPart { name, total, lines } in parts {
        let _ = writeln!(text, "\n{name}: {total}");
        let _ = write!(html, "<h2 style=\"font-size:15px\">{}: {total}</h2><ul>", escaped(name));
        for (line, link) in lines {
            let line = one_line(line);
            let _ = writeln!(text, "- {line}");
            let mut shown = escaped(&line);
            if let Some(link) = link {
                let _ = writeln!(text, "  {link}");
                shown = format!("<a href=\"{}\">{shown}</a>", escaped(link));
            }
            let _ = write!(html, "<li>{shown}</li>");
        }
        html.push_str("</ul>");
        let more = total.saturating_sub(lines.len());
        if more > 0 {
            let _ = writeln!(text, "… and {more} more.");
            let _ = write!(html, "<p>… and {more} more.</p>");
        }
    }
    Rendered { subject: title.to_owned(), text, html: page(title, &html) }
}

/// A mail that tells of one or many notices. `product_url` is the address of the web page, without a slash at its end.
#[must_use]
pub fn digest(digest: &Digest, product_url: &str) -> Rendered {
    let headline = headline(digest);
    let (mut text, mut rows) = (format!("{headline}\n\n"), String::new());
    for notice in &digest.items {
        let link = format!("{product_url}{}", notice.path);
        let place = notice.machine.as_deref().map(|m| format!("{} · ", one_line(m))).unwrap_or_default();
        let _ = writeln!(
            text,
            "{} {}\n    {place}{}\n    {link}\n",
            notice.severity.to_uppercase(),
            one_line(&notice.title),
            second(&notice.at)
        );
        let _ = write!(
            rows,
            "<tr><td style=\"{CELL}color:{};font-weight:600\">{}</td><td style=\"{CELL}\"><a href=\"{}\">{}</a><br>\
             <span style=\"color:#555\">{}{}</span></td></tr>",
            color(&notice.severity),
            escaped(&notice.severity),
            escaped(&link),
            escaped(&one_line(&notice.title)),
            escaped(&place),
            second(&notice.at)
        );
    }
    let left_out = left_out(digest);
    if let Some(more) = &left_out {
        let _ = writeln!(text, "{more}");
    }
    let settings = format!("{product_url}/app/profile");
    let _ = writeln!(text, "Which notices you get is set at {settings}");
    let html = format!(
        "<table style=\"border-collapse:collapse;width:100%\">{rows}</table>{}<p style=\"color:#555\">Which notices you \
         get is set in <a href=\"{}\">your profile</a>.</p>",
        left_out.map(|more| format!("<p>{}</p>", escaped(&more))).unwrap_or_default(),
        escaped(&settings)
    );
    Rendered { html: page(&headline, &html), subject: headline, text }
}

/// The same notices as the `text` of a Slack-compatible webhook (Slack's mrkdwn).
#[must_use]
pub fn slack(digest: &Digest, product_url: &str) -> String {
    let mut text = format!("*{}*", for_slack(&headline(digest)));
    for notice in &digest.items {
        let place = notice.machine.as_deref().map(|m| format!(" ({})", one_line(m))).unwrap_or_default();
        let said = format!("{}{place}", one_line(&notice.title));
        let link = format!("{product_url}{}", notice.path);
        let _ = write!(
            text,
            "\n• {}: <{}|{}>",
            notice.severity.to_uppercase(),
            for_slack(&link),
            for_slack(&said).replace('|', "¦")
        );
    }
    if let Some(more) = left_out(digest) {
        let _ = write!(text, "\n{more}");
    }
    text
}

fn headline(digest: &Digest) -> String {
    let line = match digest.items.as_slice() {
        [only] if digest.total <= 1 => format!("{} {}: {}", capital(&only.severity), what(only), only.title),
        items => {
            let critical = items.iter().filter(|i| i.severity == "critical").count();
            let some_critical = if critical > 0 { ", some of them critical" } else { "" };
            format!("{} notices{}{some_critical}", digest.total, places(items))
        }
    };
    one_line(&line)
}

/// ` on Pump-01, Motor-02 and others`: where it is, for a reader who sees the subject alone.
fn places(items: &[Notice]) -> String {
    let mut named: Vec<&str> = Vec::new();
    for machine in items.iter().filter_map(|i| i.machine.as_deref()) {
        if !named.contains(&machine) {
            named.push(machine);
        }
    }
    match named.as_slice() {
        [] => String::new(),
        few if few.len() <= 3 => format!(" on {}", few.join(", ")),
        many => format!(" on {} and others", many[..2].join(", ")),
    }
}

/// The time to the second, as people read it.
pub(crate) fn second(at: &Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.split('.').next().unwrap_or_default())
}

fn left_out(digest: &Digest) -> Option<String> {
    let more = digest.total.saturating_sub(digest.items.len() as u64);
    (more > 0).then(|| format!("… and {more} more."))
}

fn what(notice: &Notice) -> &str {
    match notice.kind.as_str() {
        "alarm" => "alarm",
        "prediction" => "prediction alert",
        "security" => "security notice",
        _ => "ticket for you",
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

const BUTTON: &str = "background:#0b5cad;color:#fff;padding:10px 16px;border-radius:4px;text-decoration:none";
const CELL: &str = "padding:8px;border-bottom:1px solid #ddd;vertical-align:top;";

fn color(severity: &str) -> &'static str {
    match severity {
        "critical" => "#b3261e",
        "warning" => "#8a5a00",
        _ => "#0b5cad",
    }
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body style=\"font-family:system-ui,sans-serif;color:#1a1a1a;max-width:640px;margin:0 auto;padding:16px\">\
         <h1 style=\"font-size:18px\">{title}</h1>{body}</body></html>"
    )
}

/// The text without line breaks and other control characters, not longer than a subject may be.
#[must_use]
pub fn one_line(text: &str) -> String {
    let joined = text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= SUBJECT_CHARS {
        return joined;
    }
    joined.chars().take(SUBJECT_CHARS - 1).chain(['…']).collect()
}

/// The text as HTML, in an element or in an attribute with quotes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

/// The text with Slack's control characters as entities.
#[must_use]
pub fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn notice(title: &str) -> Notice {
        Notice {
            kind: "alarm".to_owned(),
            severity: "critical".to_owned(),
            title: title.to_owned(),
            machine: Some("Pump <1>".to_owned()),
            path: "/app/alarms".to_owned(),
            ..Notice::default()
        }
    }

    #[test]
    fn one_notice_is_the_subject() {
        let one = Digest { total: 1, items: vec![notice("temp reported\r\nBcc: x@y 93.5 °C")] };
        let mail = digest(&one, "https://pm.example");
        assert_eq!(mail.subject, "Critical alarm: temp reported Bcc: x@y 93.5 °C");
        assert!(mail.html.contains("Pump &lt;1&gt;") && !mail.html.contains("Pump <1>"), "{}", mail.html);
        assert!(mail.text.contains("Pump <1> · ") && mail.text.contains("https://pm.example/app/alarms"));
    }

    #[test]
    fn many_notices_are_counted() {
        let many = Digest { total: 100, items: vec![notice("a"), notice("b")] };
        let mail = digest(&many, "");
        assert_eq!(mail.subject, "100 notices on Pump <1>, some of them critical");
        assert!(mail.text.contains("… and 98 more.") && mail.html.contains("… and 98 more."));
        assert!(slack(&many, "https://pm.example").ends_with("\n… and 98 more."));
    }

    #[test]
    fn texts_cannot_cause_mentions_in_slack() {
        let one = Digest { total: 1, items: vec![notice("<!channel> a|b & c")] };
        let text = slack(&one, "https://pm.example");
        assert!(!text.contains("<!channel>"), "{text}");
        assert!(
            text.contains("<https://pm.example/app/alarms|&lt;!channel&gt; a¦b &amp; c (Pump &lt;1&gt;)>")
        );
    }

    #[test]
    fn a_reset_link_stands_in_both_forms() {
        let mail = password_reset(Some("A\nB <i>"), "https://pm.example/app/reset?token=a&b", 60);
        assert!(mail.text.starts_with("Hello A B <i>,"), "{}", mail.text);
        assert!(mail.text.contains("https://pm.example/app/reset?token=a&b"));
        assert!(mail.html.contains("href=\"https://pm.example/app/reset?token=a&amp;b\""));
        assert!(mail.html.contains("Hello A B &lt;i&gt;,"));
    }

    proptest! {
        #[test]
        fn a_subject_is_one_bounded_line_and_html_stays_closed(title in any::<String>()) {
            let mail = digest(&Digest { total: 1, items: vec![notice(&title)] }, "");
            prop_assert!(!mail.subject.contains(char::is_control));
            prop_assert!(mail.subject.chars().count() <= SUBJECT_CHARS);
            let harmless = digest(&Digest { total: 1, items: vec![notice("x")] }, "");
            let tags = |html: &str| html.matches('<').count();
            prop_assert_eq!(tags(&mail.html), tags(&harmless.html));
        }
    }
}

//! Sending one mail by SMTP: TLS from the start or STARTTLS, with the system's certificates or a given authority.

use crate::config::MailConfig;
use crate::deliver::with_causes;
use anyhow::{Context, bail, ensure};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use pm_api::mail::OutgoingMail;
use std::net::IpAddr;
use std::time::Duration;
use url::Url;

/// For connecting and for each answer of the server.
const TIMEOUT: Duration = Duration::from_secs(15);
/// For a whole mail; shorter than the notifier's lease.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_ERROR_CHARS: usize = 300;

/// An SMTP server and who the mails are from.
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why a mail was not sent.
#[derive(Debug)]
pub struct Failure {
    /// The message for users.
    pub error: String,
    /// A further attempt would fail as well.
    pub permanent: bool,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    FromTheStart,
    StartTls,
    /// STARTTLS if the server offers it: for servers on this machine only.
    IfOffered,
    None,
}

#[derive(Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
    protection: Protection,
    user: Option<(String, String)>,
}

impl Relay {
    /// The relay that is configured; `None` if there is none.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn from_config(config: &MailConfig) -> anyhow::Result<Option<Self>> {
        let Some(server) = server(config)? else { return Ok(None) };
        let user = server.user.as_ref().map(|(user, _)| user.as_str());
        let from = given(&config.email_from).or(user.filter(|u| u.contains('@')));
        let from = from.unwrap_or("Predictive maintenance <predictive-maintenance@localhost>");
        let from = from.parse().with_context(|| format!("EMAIL_FROM: {from:?} is not a mail address"))?;
        let tls = match server.protection {
            Protection::None => Tls::None,
            Protection::FromTheStart => Tls::Wrapper(tls_parameters(&server.host, config)?),
            Protection::StartTls => Tls::Required(tls_parameters(&server.host, config)?),
            Protection::IfOffered => Tls::Opportunistic(tls_parameters(&server.host, config)?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = server.user {
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Some(Self { transport: transport.build(), from }))
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn send(&self, mail: &OutgoingMail) -> Result<(), Failure> {
        let message = self.message(mail).map_err(|e| Failure { error: shown(&e), permanent: true })?;
        match tokio::time::timeout(WHOLE_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => {
                // 53x concerns our login, which can be corrected; other 5xx concern the mail
                let about_login = e.status().is_some_and(|code| u16::from(code) / 10 == 53);
                Err(Failure { permanent: e.is_permanent() && !about_login, error: shown(&e.into()) })
            }
            Err(_) => {
                let error = format!("the server took longer than {} s", WHOLE_TIMEOUT.as_secs());
                Err(Failure { error, permanent: false })
            }
        }
    }

    fn message(&self, mail: &OutgoingMail) -> anyhow::Result<Message> {
        let to: Mailbox = mail.to.parse().context("the recipient's address is not one")?;
        let domain = self.from.email.domain();
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let plain = mail.text.clone();
        Ok(match &mail.html {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(plain, html.clone()))?,
            None => builder.singlepart(SinglePart::plain(plain))?,
        })
    }
}

fn tls_parameters(host: &str, config: &MailConfig) -> anyhow::Result<TlsParameters> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(file) = config.smtp_ca.as_ref().filter(|file| !file.as_os_str().is_empty()) {
        let pem =
            std::fs::read(file).with_context(|| format!("cannot read PM_SMTP_CA {}", file.display()))?;
        let authority = Certificate::from_pem(&pem)
            .with_context(|| format!("PM_SMTP_CA {} holds no PEM certificate", file.display()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    tls.build().context("cannot prepare TLS for the SMTP server")
}

/// The server that is configured; an empty variable counts as unset.
fn server(config: &MailConfig) -> anyhow::Result<Option<Server>> {
    if let Some(url) = given(&config.smtp_url) {
        return from_url(url).map(Some);
    }
    let Some(host) = given(&config.email_smtp_host) else { return Ok(None) };
    let port = given(&config.email_smtp_port).unwrap_or("587");
    let port = port.parse().with_context(|| format!("EMAIL_SMTP_PORT: {port:?} is not a port"))?;
    let protection = if port == 465 { Protection::FromTheStart } else { start_tls(host) };
    let user = given(&config.email_smtp_user)
        .map(|user| (user.to_owned(), given(&config.email_smtp_pass).unwrap_or_default().to_owned()));
    Ok(Some(Server { host: host.to_owned(), port, protection, user }))
}

fn from_url(url: &str) -> anyhow::Result<Server> {
    // The address may hold a password: it is not repeated in messages.
    let url = Url::parse(url).context("PM_SMTP_URL is not an address such as smtps://user:password@host")?;
    let host = url.host_str().context("PM_SMTP_URL names no host")?.trim_matches(['[', ']']);
    let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    let (protection, default_port) = match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => (Protection::FromTheStart, 465),
        ("smtp", None) => (start_tls(host), 587),
        ("smtp", Some("required")) => (Protection::StartTls, 587),
        ("smtp", Some("none")) => (Protection::None, 25),
        ("smtp", Some(other)) => bail!("PM_SMTP_URL: tls={other} is unknown; required and none are known"),
        (other, _) => bail!("PM_SMTP_URL must start with smtps:// or smtp://, not {other}:"),
    };
    let decoded = |text| {
        let text = percent_decode_str(text).decode_utf8();
        text.context("PM_SMTP_URL: user or password not UTF-8").map(std::borrow::Cow::into_owned)
    };
    let user = match url.username() {
        "" => None,
        user => Some((decoded(user)?, decoded(url.password().unwrap_or_default())?)),
    };
    ensure!(
        user.is_none() || protection != Protection::None || is_local(host),
        "PM_SMTP_URL: with tls=none the password would cross the network unprotected"
    );
    Ok(Server { host: host.to_owned(), port: url.port().unwrap_or(default_port), protection, user })
}

fn start_tls(host: &str) -> Protection {
    if is_local(host) { Protection::IfOffered } else { Protection::StartTls }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|v| !v.is_empty())
}

fn shown(error: &anyhow::Error) -> String {
    let text = with_causes(error.as_ref());
    text.chars().filter(|c| !c.is_control()).take(MAX_ERROR_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> anyhow::Result<Server> {
        from_url(url)
    }

    #[test]
    fn the_smtp_address_gives_server_port_and_protection() -> anyhow::Result<()> {
        for (url, host, port, protection) in [
            ("smtps://mail.example", "mail.example", 465, Protection::FromTheStart),
            ("smtp://mail.example", "mail.example", 587, Protection::StartTls),
            ("smtp://mail.example:2525?tls=required", "mail.example", 2525, Protection::StartTls),
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Protection::IfOffered),
            ("smtp://relay.example?tls=none", "relay.example", 25, Protection::None),
        ] {
            let server = at(url)?;
            assert_eq!((&*server.host, server.port, server.protection), (host, port, protection), "{url}");
        }
        let user = at("smtps://us%40r:p%3Aw@mail.example")?.user;
        assert_eq!(user, Some(("us@r".to_owned(), "p:w".to_owned())));
        for bad in
            ["mail.example", "http://x", "smtp://x?tls=maybe", "smtp://u:secret@x?tls=none", "smtps://"]
        {
            let error = at(bad).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("PM_SMTP_URL") && !error.contains("secret"), "{bad}: {error}");
        }
        Ok(())
    }

    #[test]
    fn the_documented_email_variables_give_the_server() -> anyhow::Result<()> {
        let text = |s: &str| Some(s.to_owned());
        let mut config = MailConfig { email_smtp_host: text("smtp.gmail.com"), ..MailConfig::default() };
        let found = server(&config)?.context("a server")?;
        assert_eq!((found.port, found.protection, found.user), (587, Protection::StartTls, None));
        config.email_smtp_port = text("465");
        config.email_smtp_user = text("me@gmail.com");
        config.email_smtp_pass = text("app password");
        let found = server(&config)?.context("a server")?;
        assert_eq!(found.protection, Protection::FromTheStart);
        assert_eq!(found.user, Some(("me@gmail.com".to_owned(), "app password".to_owned())));
        assert!(Relay::from_config(&config)?.is_some_and(|r| r.from.to_string() == "me@gmail.com"));
        config.email_from = text("nobody");
        assert!(Relay::from_config(&config).is_err());
        let empty = MailConfig { email_smtp_host: text(" "), ..MailConfig::default() };
        assert!(Relay::from_config(&empty)?.is_none());
        Ok(())
    }
}

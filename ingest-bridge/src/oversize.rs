//! Packets above [`MAX_PACKET_BYTES`] are refused. The client library ends the connection at such a packet, and the broker
//! would deliver it again on every next one. So a connection of its own, made in between, reads past the packet without
//! holding it, acknowledges it, and ends. Everything else that the broker delivers on it stays unacknowledged and comes
//! again.

use bytes::BytesMut;
use rumqttc::mqttbytes::v4::Connect;
use rumqttc::tokio_rustls::TlsConnector;
use rumqttc::{ConnectionError, MqttOptions, StateError, TlsConfiguration, Transport};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Largest packet that is received, in bytes.
pub const MAX_PACKET_BYTES: usize = 4 * 1024 * 1024;
/// How long the broker may send nothing before the packet counts as gone, as one of quality of service 0 is.
const QUIET: Duration = Duration::from_secs(3);
/// How long one packet may take.
const PACKET_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest topic of MQTT, in bytes.
const MAX_TOPIC_BYTES: usize = 65_535;
const CHUNK_BYTES: usize = 64 * 1024;

const PUBLISH: u8 = 3;
const DISCONNECT: [u8; 2] = [0xe0, 0];

/// A packet that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its topic.
    pub topic: String,
    /// Its length without the fixed header, in bytes.
    pub bytes: usize,
}

/// Did the connection end because of a packet that is too large?
#[must_use]
pub fn is_cause(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::MqttState(StateError::Deserialization(
            rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded(_)
        ))
    )
}

/// Takes the next packet that is too large from the broker; `None` if there is none.
///
/// # Errors
/// The broker cannot be reached, or ends the connection.
pub async fn refuse(broker: &MqttOptions) -> io::Result<Option<Refused>> {
    let (host, port) = broker.broker_address();
    let tcp = timeout(QUIET, TcpStream::connect((host.as_str(), port))).await??;
    match broker.transport() {
        Transport::Tls(TlsConfiguration::Rustls(config)) => {
            let name = rustls::pki_types::ServerName::try_from(host).map_err(io::Error::other)?;
            refuse_on(TlsConnector::from(config).connect(name, tcp).await?, broker).await
        }
        _ => refuse_on(tcp, broker).await,
    }
}

async fn refuse_on(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    broker: &MqttOptions,
) -> io::Result<Option<Refused>> {
    let mut connect = Connect::new(broker.client_id());
    connect.clean_session = false;
    if let Some(login) = broker.credentials() {
        connect.set_login(login.username, login.password);
    }
    let mut packet = BytesMut::new();
    connect.write(&mut packet).map_err(io::Error::other)?;
    stream.write_all(&packet).await?;
    let refused = loop {
        let Ok(header) = timeout(QUIET, fixed_header(&mut stream)).await else { break None };
        let (first, length) = header?;
        let body = timeout(PACKET_TIMEOUT, body(&mut stream, first, length)).await??;
        if body.is_some() {
            break body;
        }
    };
    stream.write_all(&DISCONNECT).await?;
    stream.flush().await?;
    // until the broker has closed the connection: closed from here, with bytes unread, it would be reset, and the reset can
    // overtake the acknowledgement
    let _ = timeout(QUIET, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    Ok(refused)
}

/// Reads past one packet; acknowledges it if it is too large.
async fn body(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    first: u8,
    length: usize,
) -> io::Result<Option<Refused>> {
    if first >> 4 != PUBLISH || length <= MAX_PACKET_BYTES {
        skip(stream, length).await?;
        return Ok(None);
    }
    let topic_length = usize::from(stream.read_u16().await?).min(MAX_TOPIC_BYTES);
    let mut topic = vec![0; topic_length];
    stream.read_exact(&mut topic).await?;
    let quality_of_service = (first >> 1) & 3;
    let packet_id = if quality_of_service > 0 { Some(stream.read_u16().await?) } else { None };
    let read = 2 + topic_length + if packet_id.is_some() { 2 } else { 0 };
    skip(stream, length - read).await?;
    if let Some(id) = packet_id {
        let [high, low] = id.to_be_bytes();
        stream.write_all(&[0x40, 2, high, low]).await?;
        stream.flush().await?;
    }
    Ok(Some(Refused { topic: String::from_utf8_lossy(&topic).into_owned(), bytes: length }))
}

/// First byte and remaining length of a packet (MQTT 3.1.1, 2.2).
async fn fixed_header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, usize)> {
    let first = stream.read_u8().await?;
    let mut length = 0;
    for place in 0..4 {
        let byte = stream.read_u8().await?;
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok((first, length));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the length of a packet has more than four bytes"))
}

async fn skip(stream: &mut (impl AsyncRead + Unpin), mut bytes: usize) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES.min(bytes)];
    while bytes > 0 {
        let part = CHUNK_BYTES.min(bytes);
        stream.read_exact(&mut chunk[..part]).await?;
        bytes -= part;
    }
    Ok(())
}

//! Ports: free ones, and who holds a taken one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use crate::paths::{cache_dir, make_private_dir};

/// Below the ports that Linux gives to outgoing connections and to listeners that ask for any.
const RANGE: Range<u16> = 20_000..32_768;

/// A port of 127.0.0.1 that nobody listens on now, and that no other process gets from here as long as this one lives, also
/// while what listens on it is down.
pub fn free_port() -> Result<u16> {
    static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
    // not in the system's temporary folder, where others could put links to files of ours in its place
    let folder = cache_dir().join("ports");
    make_private_dir(&folder)?;
    let length = RANGE.end - RANGE.start;
    let begin = fastrand::u16(..length);
    for n in 0..length {
        let port = RANGE.start + (begin + n) % length;
        let Ok(file) = File::create(folder.join(port.to_string())) else { continue };
        if file.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            HELD.lock().unwrap_or_else(PoisonError::into_inner).push(file);
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1 from {} to {}", RANGE.start, RANGE.end - 1)
}

/// Refuses a taken port, saying who has it and which flag chooses another.
pub fn require_free(address: SocketAddr, flag: &str) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let holder = holder_of(address).map_or_else(
                || "another program".to_owned(),
                |(name, pid)| format!("{name} (process {pid})"),
            );
            bail!("{address} is taken by {holder}: stop it, or choose another address with {flag}")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("this user may not listen on {address}: choose a port above 1023 with {flag}")
        }
        Err(error) => bail!("cannot listen on {address} ({error}): choose another address with {flag}"),
    }
}

/// Name and id of the process that listens on `address`, as far as /proc tells.
pub fn holder_of(address: SocketAddr) -> Option<(String, u32)> {
    let inode = listening_inode(address)?;
    let target = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        if files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == target.as_str()))
        {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((name.trim().to_owned(), pid));
        }
    }
    None
}

/// The inode of the listening socket in /proc/net/tcp: `sl local remote state … inode`.
fn listening_inode(address: SocketAddr) -> Option<String> {
    const LISTEN: &str = "0A";
    let IpAddr::V4(_) = address.ip() else { return None };
    let port = format!("{:04X}", address.port());
    fs::read_to_string("/proc/net/tcp").ok()?.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local_port = fields.get(1)?.split(':').nth(1)?;
        (local_port == port && *fields.get(3)? == LISTEN)
            .then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_given_once() {
        let ports: std::collections::HashSet<u16> = (0..20).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 20);
        assert!(ports.iter().all(|port| RANGE.contains(port)));
    }

    #[test]
    fn a_taken_port_names_its_holder_and_the_flag() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let message = require_free(address, "--http").unwrap_err().to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        assert!(message.contains(&address.to_string()) && message.contains("--http"), "{message}");
        drop(listener);
        require_free(address, "--http").unwrap();
    }
}

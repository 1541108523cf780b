//! Connections of clients: how many there may be in all and from one address.
//!
//! A connection that exceeds a limit is not refused as long as another one of the same address waits for its client: for a
//! request, or for the rest of one. The one that has waited longest is closed instead. So whoever opens many connections
//! and leaves them idle loses those, and the next client at the same address is served.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// Every open connection.
#[derive(Debug)]
pub(crate) struct Clients {
    max: usize,
    max_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next_number: u64,
    count: usize,
    by_address: HashMap<IpAddr, BTreeMap<u64, Arc<Client>>>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    /// Since when it has waited for its client; none while a request is served.
    waiting_since: Mutex<Option<Instant>>,
    close: Notify,
}

/// A connection's entry; it ends with this value.
#[derive(Debug)]
pub(crate) struct Entry {
    clients: Arc<Clients>,
    address: IpAddr,
    number: u64,
    /// The connection.
    pub(crate) client: Arc<Client>,
}

/// A request is served on the connection while this exists.
#[derive(Debug)]
pub(crate) struct Serving(Arc<Client>);

impl Clients {
    /// None are open yet.
    pub(crate) fn new(max: usize, max_per_address: usize) -> Arc<Self> {
        Arc::new(Self { max, max_per_address, open: Mutex::default() })
    }

    /// Takes in a connection from `address`, at the expense of one that waits if there are too many; `None` if none
    /// waits.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Entry> {
        let address = network(address);
        let mut open = self.lock();
        let of_address = open.by_address.get(&address).map_or(0, BTreeMap::len);
        if of_address >= self.max_per_address {
            open.close_longest_waiting(address)?;
        } else if open.count >= self.max {
            let largest = open.by_address.iter().max_by_key(|(_, clients)| clients.len());
            let largest = *largest?.0;
            open.close_longest_waiting(largest)?;
        }
        let client =
            Arc::new(Client { waiting_since: Mutex::new(Some(Instant::now())), close: Notify::new() });
        let number = open.next_number;
        open.next_number += 1;
        open.count += 1;
        open.by_address.entry(address).or_default().insert(number, client.clone());
        Some(Entry { clients: self.clone(), address, number, client })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn close_longest_waiting(&mut self, address: IpAddr) -> Option<()> {
        let clients = self.by_address.get(&address)?;
        let waiting = clients.iter().filter_map(|(number, client)| Some((client.waiting_since()?, *number)));
        let (_, number) = waiting.min()?;
        // its place is free at once, though its task ends a little later
        self.remove(address, number).map(|client| client.close.notify_one())
    }

    fn remove(&mut self, address: IpAddr, number: u64) -> Option<Arc<Client>> {
        let clients = self.by_address.get_mut(&address)?;
        let client = clients.remove(&number)?;
        if clients.is_empty() {
            self.by_address.remove(&address);
        }
        self.count -= 1;
        Some(client)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.clients.lock().remove(self.address, self.number);
    }
}

impl Client {
    /// Marks the connection as one whose client waits for us.
    pub(crate) fn serving(self: &Arc<Self>) -> Serving {
        self.set_waiting_since(None);
        Serving(self.clone())
    }

    /// Returns when the connection has to make room.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    fn waiting_since(&self) -> Option<Instant> {
        *self.waiting_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_waiting_since(&self, since: Option<Instant>) {
        *self.waiting_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.set_waiting_since(Some(Instant::now()));
    }
}

/// What counts as one address: of IPv6 a network of 64 bits, which one client usually has for itself.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn count(clients: &Clients) -> usize {
        clients.lock().count
    }

    #[tokio::test]
    async fn the_connection_that_waited_longest_makes_room_for_a_new_one() {
        let clients = Clients::new(10, 2);
        let busy = clients.admit(address("10.0.0.1")).unwrap();
        let serving = busy.client.serving();
        let idle = clients.admit(address("10.0.0.1")).unwrap();
        let new = clients.admit(address("10.0.0.1")).unwrap();
        idle.client.closed().await;
        drop(idle);
        assert_eq!(count(&clients), 2);
        let _new_serving = new.client.serving();
        assert!(clients.admit(address("10.0.0.1")).is_none(), "both are served");
        assert!(clients.admit(address("10.0.0.2")).is_some(), "another address");
        drop(serving);
        assert!(clients.admit(address("10.0.0.1")).is_some());
        busy.client.closed().await;
    }

    #[tokio::test]
    async fn the_address_with_most_connections_makes_room_when_there_are_too_many_in_all() {
        let clients = Clients::new(3, 3);
        let two = [clients.admit(address("10.0.0.1")).unwrap(), clients.admit(address("10.0.0.1")).unwrap()];
        let other = clients.admit(address("10.0.0.2")).unwrap();
        let _new = clients.admit(address("10.0.0.3")).unwrap();
        two[0].client.closed().await;
        assert_eq!(count(&clients), 3);
        drop((two, other));
        assert_eq!(count(&clients), 1);
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_ipv4_address_count_as_one() {
        assert_eq!(network(address("2001:db8::1")), network(address("2001:db8::ffff")));
        assert_ne!(network(address("2001:db8::1")), network(address("2001:db8:0:1::1")));
        assert_eq!(network(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }
}

//! A name server for tests: it knows what a test tells it, over UDP on loopback. Never part of the product.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::{DnsSettings, Resolver};

/// How the server behaves for one name.
#[derive(Clone)]
enum Manner {
    Records(Vec<RData>),
    Code(ResponseCode),
    Silent,
}

/// A name server that runs until it is dropped. What it was not told about does not exist.
pub(crate) struct Zone {
    address: SocketAddr,
    names: Arc<Mutex<HashMap<String, Manner>>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Zone {
    pub(crate) async fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let names = Arc::<Mutex<HashMap<String, Manner>>>::default();
        let asked = Arc::<AtomicUsize>::default();
        let task = tokio::spawn(serve(socket, names.clone(), asked.clone()));
        Self { address, names, asked, task }
    }

    /// A resolver that asks this server only.
    pub(crate) fn resolver(&self) -> Resolver {
        Resolver::new(&self.settings(Duration::from_secs(20))).unwrap()
    }

    pub(crate) fn settings(&self, timeout: Duration) -> DnsSettings {
        DnsSettings { servers: vec![self.address], timeout }
    }

    /// Questions that arrived so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn txt(&self, name: &str, text: &str) -> &Self {
        let strings = text.as_bytes().chunks(255).collect();
        self.add(name, RData::TXT(TXT::from_bytes(strings)))
    }

    pub(crate) fn mx(&self, name: &str, preference: u16, host: &str) -> &Self {
        self.add(name, RData::MX(MX::new(preference, host.parse().unwrap())))
    }

    pub(crate) fn host(&self, name: &str, address: &str) -> &Self {
        self.add(
            name,
            match address.parse().unwrap() {
                IpAddr::V4(four) => RData::A(A(four)),
                IpAddr::V6(six) => RData::AAAA(AAAA(six)),
            },
        )
    }

    pub(crate) fn alias(&self, name: &str, other: &str) -> &Self {
        self.add(name, RData::CNAME(CNAME(other.parse().unwrap())))
    }

    /// From now on the server fails for this name (SERVFAIL).
    pub(crate) fn fails(&self, name: &str) -> &Self {
        self.set(name, Manner::Code(ResponseCode::ServFail))
    }

    pub(crate) fn refuses(&self, name: &str) -> &Self {
        self.set(name, Manner::Code(ResponseCode::Refused))
    }

    pub(crate) fn silent(&self, name: &str) -> &Self {
        self.set(name, Manner::Silent)
    }

    fn add(&self, name: &str, data: RData) -> &Self {
        let mut names = self.names.lock().unwrap();
        match names.entry(key(name)).or_insert_with(|| Manner::Records(Vec::new())) {
            Manner::Records(records) => records.push(data),
            other => *other = Manner::Records(vec![data]),
        }
        drop(names);
        self
    }

    fn set(&self, name: &str, manner: Manner) -> &Self {
        self.names.lock().unwrap().insert(key(name), manner);
        self
    }
}

impl Drop for Zone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

async fn serve(socket: UdpSocket, names: Arc<Mutex<HashMap<String, Manner>>>, asked: Arc<AtomicUsize>) {
    let mut datagram = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut datagram).await {
        asked.fetch_add(1, Ordering::SeqCst);
        let Some(answer) = Message::from_vec(&datagram[..length])
            .ok()
            .and_then(|question| answer(question, &names.lock().unwrap()))
        else {
            continue;
        };
        socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
    }
}

fn answer(question: Message, names: &HashMap<String, Manner>) -> Option<Message> {
    let query = question.queries.first()?;
    let (name, kind) = (query.name().clone(), query.query_type());
    let manner = names.get(&key(&name.to_ascii())).cloned();
    let mut answer = question.into_response();
    answer.metadata.recursion_available = true;
    match manner {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(Manner::Silent) => return None,
        Some(Manner::Code(code)) => answer.metadata.response_code = code,
        Some(Manner::Records(records)) => follow(&name, kind, &records, names, &mut answer),
    }
    Some(answer)
}

/// The records of the kind that was asked for; an alias is followed once, as a resolver would.
fn follow(
    name: &Name,
    kind: RecordType,
    records: &[RData],
    names: &HashMap<String, Manner>,
    answer: &mut Message,
) {
    for data in records {
        if let RData::CNAME(target) = data {
            answer.add_answer(Record::from_rdata(name.clone(), 60, data.clone()));
            if let Some(Manner::Records(there)) = names.get(&key(&target.0.to_ascii())) {
                follow(&target.0, kind, there, &HashMap::new(), answer);
            }
        } else if data.record_type() == kind {
            answer.add_answer(Record::from_rdata(name.clone(), 60, data.clone()));
        }
    }
}

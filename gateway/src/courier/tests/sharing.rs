//! How connections are shared: so many to one host, none beyond its time, and nobody waits for a turn for ever.

use tokio::time::advance;

use super::*;

const KEY: &str = "mx.example:25//d";

fn hosts(per_host: usize) -> Hosts {
    Hosts::new(per_host, Duration::from_secs(5))
}

async fn visit(hosts: &Hosts, key: &str) -> Result<Visit, Cause> {
    hosts.visit(key.to_owned(), Duration::from_secs(60)).await
}

#[tokio::test(start_paused = true)]
async fn a_host_has_so_many_connections_and_no_more() {
    let hosts = hosts(2);
    let (first, _second) = (visit(&hosts, KEY).await.unwrap(), visit(&hosts, KEY).await.unwrap());
    assert_eq!(visit(&hosts, KEY).await.err(), Some(Cause::Busy));
    assert!(visit(&hosts, "other.example:25//d").await.is_ok(), "another host is another matter");
    drop(first);
    assert!(visit(&hosts, KEY).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_rests_is_asked_again_later() {
    let hosts = hosts(2);
    let first = visit(&hosts, KEY).await.unwrap();
    hosts.let_rest(&first, Duration::from_secs(120));
    drop(first);
    assert_eq!(visit(&hosts, KEY).await.err(), Some(Cause::Resting));
    hosts.sweep(false);
    assert_eq!(visit(&hosts, KEY).await.err(), Some(Cause::Resting), "forgotten too early");
    advance(Duration::from_secs(121)).await;
    assert!(visit(&hosts, KEY).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn hosts_that_nobody_speaks_to_are_forgotten() {
    let hosts = hosts(2);
    let held = visit(&hosts, KEY).await.unwrap();
    for number in 0..1000 {
        visit(&hosts, &format!("mx{number}.example")).await.unwrap();
    }
    assert_eq!(hosts.count(), 1001);
    hosts.sweep(false);
    assert_eq!(hosts.count(), 1);
    drop(held);
    hosts.sweep(false);
    assert_eq!(hosts.count(), 0);
}

//! Serves the portal of a small market in memory on loopback, to look at it in a browser:
//! `cargo run -p portal --example look -- 127.0.0.1:8080 [mail.eml …]`. Never part of the product.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

#[path = "../tests/pages/market.rs"]
#[allow(dead_code)]
mod market;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().expect("name an address to listen on");
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let market = market::Market::at(&url, true).await;
    println!("{}/case/{}", url, market.send(&market::rich_mail()).await.case);
    for file in arguments {
        let mail = std::fs::read(&file).unwrap();
        println!("{url}/case/{} {file}", market.send(&mail).await.case);
    }
    portal::serve(listener, Arc::clone(&market.portal), std::future::pending()).await;
}

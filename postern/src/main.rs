//! Postern, the binary: command line, configuration, wiring. What a command does is in the file of its name.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod cli;
mod commands;
mod config;
mod control;
mod directory_file;
mod engine;
mod installation;
mod log;
mod print;
mod server;
mod tools;

fn main() -> std::process::ExitCode {
    certs::install_provider();
    cli::run(std::env::args_os())
}

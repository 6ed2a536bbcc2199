//! The command line as people type it. Holds words and defaults only; every subcommand lives in its own file.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    audit, case, certs, config, connector, demo, directory, health, init, policy, queue, read_documents,
    serve, user,
};
use crate::print;

/// A secure mail gateway with a portal: mail in, sealed case, notice out.
#[derive(Parser)]
#[command(name = "postern", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a sample market on loopback, all included
    Demo(demo::Demo),
    /// Make configuration, root key, private CA and server certificate in a new folder
    Init(init::Init),
    /// Run the gateway, the portal and the workers
    Serve(serve::Serve),
    /// Check the configuration, or print it with all keys explained
    #[command(subcommand)]
    Config(config::Config),
    /// Check and try the policy files, and tell what they make of a mail
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Read and change companies, users, permissions and mailboxes
    #[command(subcommand)]
    Directory(directory::Directory),
    /// Add a user, give one a new password or passwords for mail programs
    #[command(subcommand)]
    User(user::User),
    /// See and mend the queue of mail that leaves
    #[command(subcommand)]
    Queue(queue::Queue),
    /// See cases, and export one with its originals
    #[command(subcommand)]
    Case(case::Case),
    /// Verify the audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Issue, revoke and list client certificates; make signing keys
    #[command(subcommand)]
    Certs(certs::Certs),
    /// Bind customers of mail services to companies
    #[command(subcommand)]
    Connector(connector::Connector),
    /// Ask whether the server answers and its ledger works
    Health(health::Health),
    /// Turn documents into text, as the server asks on standard input; it starts this itself
    #[command(name = read_documents::NAME, hide = true)]
    ReadDocuments,
}

/// Where the configuration lies.
#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(id = "config", short = 'c', long = "config", value_name = "FILE", default_value = "postern.toml")]
    pub(crate) file: PathBuf,
}

/// How a list is printed.
#[derive(Args)]
pub(crate) struct Output {
    /// Print JSON for programs instead of a table for people
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a command ended, when it ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// A verification ran to its end and found something.
    Found,
}

/// Runs the command line: 0 done, 1 failed, 2 usage, 3 a verification found something.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too.
            let unprinted = error.print().is_err_and(|failed| failed.kind() != ErrorKind::BrokenPipe);
            return ExitCode::from(match (error.use_stderr(), unprinted) {
                (true, _) => 2,
                (false, true) => 1,
                (false, false) => 0,
            });
        }
    };
    match perform(cli.command) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(3),
        Err(error) => {
            eprintln!("postern: {}", print::told(&error));
            ExitCode::from(1)
        }
    }
}

fn perform(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(command) => command.run(),
        Command::Init(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Directory(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Queue(command) => command.run(),
        Command::Case(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Certs(command) => command.run(),
        Command::Connector(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::ReadDocuments => read_documents::run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}

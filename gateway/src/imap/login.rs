//! The login, and what the server says that it can do. Only ever under TLS: the type of the client says so.

use std::{path::Path, time::Duration};

use async_imap::{
    Authenticator, Client,
    error::Error,
    imap_proto::{Capability, Response},
    types::UnsolicitedResponse,
};
use tokio::{
    fs,
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{fault::Fault, settings::Login, wire::Wire};

/// What a server says that it can do, in upper case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Capabilities(Vec<String>);

impl Capabilities {
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|known| known == word)
    }

    pub(super) fn forget(&mut self, word: &str) {
        self.0.retain(|known| known != word);
    }
}

impl From<&[Capability<'_>]> for Capabilities {
    fn from(list: &[Capability<'_>]) -> Self {
        let word = |capability: &Capability<'_>| match capability {
            Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
            Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
            Capability::Atom(atom) => atom.to_ascii_uppercase(),
        };
        Self(list.iter().map(word).collect())
    }
}

/// Logs in with what was configured, or not at all. Capabilities are asked for anew: those from before TLS count for
/// nothing.
pub(super) async fn login<S>(
    mut client: Client<Wire<S>>,
    login: &Login,
    patience: Duration,
) -> Result<async_imap::Session<Wire<S>>, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let offered = timeout(patience, capabilities(&mut client)).await.map_err(|_| Fault::TimedOut)??;
    let tried = async {
        match login {
            Login::XOAuth2 { .. } if !offered.has("AUTH=XOAUTH2") => Err(Fault::LoginNotOffered),
            Login::XOAuth2 { user, token_file } => {
                let token = token(token_file).await?;
                let answer = format!("user={user}\x01auth=Bearer {}\x01\x01", token.as_str());
                Ok(client.authenticate("XOAUTH2", Once(Some(answer.into_bytes()))).await)
            }
            Login::Password { user, password } if offered.has("AUTH=PLAIN") => {
                let answer = format!("\0{user}\0{password}");
                Ok(client.authenticate("PLAIN", Once(Some(answer.into_bytes()))).await)
            }
            Login::Password { .. } if offered.has("LOGINDISABLED") => Err(Fault::LoginNotOffered),
            Login::Password { user, password } => Ok(client.login(user, password).await),
        }
    };
    let answer = timeout(patience, tried).await.map_err(|_| Fault::TimedOut)??;
    answer.map_err(|(error, _)| match error {
        Error::No(_) | Error::Validate(_) => Fault::LoginRefused,
        other => other.into(),
    })
}

async fn capabilities<S>(client: &mut Client<Wire<S>>) -> Result<Capabilities, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // The last of them counts; what does not fit is dropped by the sender.
    let (told, heard) = async_channel::bounded(16);
    client.run_command_and_check_ok("CAPABILITY", Some(told)).await?;
    let mut known = Capabilities::default();
    while let Ok(response) = heard.try_recv() {
        if let UnsolicitedResponse::Other(response) = response
            && let Response::Capabilities(list) = response.parsed()
        {
            known = list.as_slice().into();
        }
    }
    Ok(known)
}

/// Reads the token, of which the file has nothing else.
async fn token(file: &Path) -> Result<Zeroizing<String>, Fault> {
    let text = Zeroizing::new(fs::read_to_string(file).await.map_err(|error| {
        tracing::warn!(%error, file = %file.display(), "the token for a polled mailbox cannot be read");
        Fault::Token
    })?);
    let token = text.trim();
    match !token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic()) {
        true => Ok(Zeroizing::new(token.to_owned())),
        false => Err(Fault::Token),
    }
}

/// Says what there is to say once. To the challenge that explains a failure the answer is empty, and only then the
/// server ends the exchange.
struct Once(Option<Vec<u8>>);

impl Authenticator for Once {
    type Response = Zeroizing<Vec<u8>>;

    fn process(&mut self, _: &[u8]) -> Self::Response {
        Zeroizing::new(self.0.take().unwrap_or_default())
    }
}

//! The client's side of an SMTP dialogue, command after command. It says what each reply means for the mail that is
//! being sent; who is spoken to, and over what, was decided before.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail::{Notify, Rcpt, ReportWish, ReturnWhat, ReversePath};

use super::{
    failure::{Cause, Step},
    offers::Offers,
    reply::Reply,
    settings::{Login, Times},
    stuffing::Stuffing,
    wire::{Stream, Wire},
};
use crate::guard::Cleared;

/// A failed step.
pub(super) type Fault = (Step, Cause);

/// One mail for one recipient.
pub(crate) struct Parcel<'a> {
    pub(crate) reverse_path: &'a ReversePath,
    pub(crate) to: &'a Rcpt,
    pub(crate) report: &'a ReportWish,
    pub(crate) mail: &'a Cleared,
}

/// A server that greeted, told what it offers, and may be given mail.
pub(super) struct Dialogue<S> {
    pub(super) wire: Wire<S>,
    pub(super) offers: Offers,
    times: Times,
}

/// Waits for the greeting. Only 220 is one (RFC 5321 §3.1).
pub(super) async fn greeting<S: Stream>(wire: &mut Wire<S>, times: &Times) -> Result<(), Fault> {
    let reply = wire.reply(times.step).await.map_err(|cause| (Step::Greeting, cause))?;
    expect(reply, Step::Greeting, |code| code == 220).map(drop)
}

impl<S: Stream> Dialogue<S> {
    /// EHLO, and HELO for a server from before 1995, which offers nothing (RFC 5321 §4.1.4).
    pub(super) async fn open(mut wire: Wire<S>, helo: &str, times: Times) -> Result<Self, Fault> {
        let at = |cause| (Step::Hello, cause);
        let reply = wire.command(&format!("EHLO {helo}"), times.step).await.map_err(at)?;
        let offers = match reply.code {
            250 => Offers::read(&reply),
            500 | 502 | 504 => {
                let reply = wire.command(&format!("HELO {helo}"), times.step).await.map_err(at)?;
                let reply = expect(reply, Step::Hello, |code| code == 250)?;
                Offers { name: Offers::read(&reply).name, ..Offers::default() }
            }
            _ => return Err((Step::Hello, Cause::Refused(reply))),
        };
        Ok(Self { wire, offers, times })
    }

    /// Goes on where the dialogue was left when what carries it was boxed.
    pub(super) fn resume(wire: Wire<S>, offers: Offers, times: Times) -> Self {
        Self { wire, offers, times }
    }

    /// Asks for TLS and gives back the bare stream (RFC 3207 §4). What was offered before is forgotten with it.
    pub(super) async fn starttls(mut self) -> Result<S, Fault> {
        let at = |cause| (Step::Tls, cause);
        let reply = self.wire.command("STARTTLS", self.times.step).await.map_err(at)?;
        expect(reply, Step::Tls, |code| code == 220)?;
        self.wire.into_stream().map_err(at)
    }

    /// Only ever called over TLS: `connect.rs`.
    pub(super) async fn log_in(&mut self, login: &Login) -> Result<(), Fault> {
        let at = |cause| (Step::Login, cause);
        let reply = if self.offers.plain {
            let secret = STANDARD.encode(format!("\0{}\0{}", login.user, login.password));
            self.wire.command(&format!("AUTH PLAIN {secret}"), self.times.step).await.map_err(at)?
        } else if self.offers.login {
            let reply = self.wire.command("AUTH LOGIN", self.times.step).await.map_err(at)?;
            expect(reply, Step::Login, |code| code == 334)?;
            let user = STANDARD.encode(&login.user);
            let reply = self.wire.command(&user, self.times.step).await.map_err(at)?;
            expect(reply, Step::Login, |code| code == 334)?;
            let password = STANDARD.encode(&login.password);
            self.wire.command(&password, self.times.step).await.map_err(at)?
        } else {
            return Err((Step::Login, Cause::NoLogin));
        };
        expect(reply, Step::Login, |code| code == 235).map(drop)
    }

    /// Sends one mail; gives back what the server said at its end.
    pub(super) async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Reply, Fault> {
        let from = self.mail_from(parcel).map_err(|cause| (Step::Mail, cause))?;
        self.step(&from, Step::Mail, |code| code / 100 == 2).await?;
        self.step(&self.rcpt_to(parcel.to), Step::Recipient, |code| code / 100 == 2).await?;
        self.step("DATA", Step::Data, |code| code == 354).await?;
        self.data(parcel.mail).await?;
        let reply = self.wire.reply(self.times.end).await.map_err(|cause| (Step::End, cause))?;
        expect(reply, Step::End, |code| code / 100 == 2)
    }

    async fn step(&mut self, line: &str, step: Step, wanted: impl Fn(u16) -> bool) -> Result<(), Fault> {
        let reply = self.wire.command(line, self.times.step).await.map_err(|cause| (step, cause))?;
        expect(reply, step, wanted).map(drop)
    }

    /// A server that was given half a mail must not take it for a whole one: whatever goes wrong here, the final dot
    /// is not sent and the connection is closed.
    async fn data(&mut self, mail: &Cleared) -> Result<(), Fault> {
        let at = |cause| (Step::Data, cause);
        self.wire.is_quiet().map_err(at)?;
        let mut stuffing = Stuffing::new();
        let mut block = Vec::new();
        let mut pieces = mail.read();
        while let Some(piece) =
            pieces.next().await.map_err(|error| at(Cause::Unreadable(error.to_string())))?
        {
            block.clear();
            stuffing.push(&piece, &mut block).map_err(|bare| at(bare.into()))?;
            self.wire.write(&block, self.times.step).await.map_err(at)?;
        }
        block.clear();
        stuffing.finish(&mut block).map_err(|bare| at(bare.into()))?;
        self.wire.write(&block, self.times.step).await.map_err(at)
    }

    /// The server has what it was given; if it hangs up first, or has no answer, nothing is lost.
    pub(super) async fn quit(mut self) {
        const POLITE: Duration = Duration::from_secs(5);
        let _ = self.wire.command("QUIT", self.times.step.min(POLITE)).await;
    }

    fn mail_from(&self, parcel: &Parcel<'_>) -> Result<String, Cause> {
        let Parcel { reverse_path, to, report, mail } = parcel;
        let offers = &self.offers;
        if offers.size.is_some_and(|largest| mail.size() > largest) {
            return Err(Cause::TooLarge(offers.size.unwrap_or_default()));
        }
        if mail.is_eight_bit() && !offers.eight_bit {
            return Err(Cause::NeedsEightBit);
        }
        let from = reverse_path.to_string();
        let utf8_addresses = !from.is_ascii() || !to.address.to_string().is_ascii();
        if utf8_addresses && !offers.utf8 {
            return Err(Cause::NeedsUtf8);
        }
        let mut line = format!("MAIL FROM:{from}");
        if offers.knows_size {
            line.push_str(&format!(" SIZE={}", mail.size()));
        }
        if mail.is_eight_bit() {
            line.push_str(" BODY=8BITMIME");
        }
        if utf8_addresses || (offers.utf8 && mail.has_utf8_header()) {
            line.push_str(" SMTPUTF8");
        }
        if offers.reports {
            line.push_str(&report_wish(report));
        }
        Ok(line)
    }

    fn rcpt_to(&self, to: &Rcpt) -> String {
        let mut line = format!("RCPT TO:<{}>", to.address);
        if self.offers.reports {
            line.push_str(&notify(to));
        }
        line
    }
}

fn expect(reply: Reply, step: Step, wanted: impl Fn(u16) -> bool) -> Result<Reply, Fault> {
    if wanted(reply.code) { Ok(reply) } else { Err((step, Cause::Refused(reply))) }
}

/// RFC 3461 §4.3, §4.4
fn report_wish(wish: &ReportWish) -> String {
    let what = match wish.what {
        Some(ReturnWhat::Full) => " RET=FULL",
        Some(ReturnWhat::Headers) => " RET=HDRS",
        None => "",
    };
    let id = wish.id.as_deref().map(xtext).filter(|id| id.len() <= 100);
    format!("{what}{}", id.map(|id| format!(" ENVID={id}")).unwrap_or_default())
}

/// RFC 3461 §4.1, §4.2
fn notify(to: &Rcpt) -> String {
    let wanted = match to.notify {
        Notify::Default => String::new(),
        Notify::Never => " NOTIFY=NEVER".to_owned(),
        Notify::On { success, failure, delay } => {
            let named = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
            let named: Vec<_> = named.into_iter().filter_map(|(on, name)| on.then_some(name)).collect();
            format!(" NOTIFY={}", if named.is_empty() { "NEVER".to_owned() } else { named.join(",") })
        }
    };
    let original = to.original.as_deref().and_then(|original| {
        let (kind, address) = original.split_once(';')?;
        let atom = kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Some(format!("{kind};{}", xtext(address))).filter(|text| atom && text.len() <= 500)
    });
    format!("{wanted}{}", original.map(|original| format!(" ORCPT={original}")).unwrap_or_default())
}

/// RFC 3461 §4: everything but printable ASCII, `+` and `=` as hexadecimal digits.
fn xtext(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'+' | b'=' => out.push_str(&format!("+{byte:02X}")),
            b'!'..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("+{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use mail::Address;

    use super::*;

    fn rcpt(notify: Notify, original: Option<&str>) -> Rcpt {
        let address = Address::parse("jo@beta.example").unwrap();
        Rcpt { address, notify, original: original.map(str::to_owned) }
    }

    #[test]
    fn wishes_about_reports_are_passed_on() {
        let on = |success, failure, delay| notify(&rcpt(Notify::On { success, failure, delay }, None));
        assert_eq!(on(true, true, false), " NOTIFY=SUCCESS,FAILURE");
        assert_eq!(on(false, false, true), " NOTIFY=DELAY");
        assert_eq!(notify(&rcpt(Notify::Never, None)), " NOTIFY=NEVER");
        let original = Some("rfc822;jo+x=y@beta.example");
        assert_eq!(notify(&rcpt(Notify::Default, original)), " ORCPT=rfc822;jo+2Bx+3Dy@beta.example");
        let wish = ReportWish { what: Some(ReturnWhat::Headers), id: Some("a b\r\n".to_owned()) };
        assert_eq!(report_wish(&wish), " RET=HDRS ENVID=a+20b+0D+0A");
        assert_eq!(report_wish(&ReportWish::default()), "");
    }

    #[test]
    fn what_is_too_long_to_pass_on_is_left_out() {
        let long = format!("rfc822;{}@x.example", "y".repeat(600));
        assert_eq!(notify(&rcpt(Notify::Default, Some(&long))), "");
        assert_eq!(notify(&rcpt(Notify::Default, Some("rfc822 SIZE=1;a@b.example"))), "");
        let wish = ReportWish { what: None, id: Some("z".repeat(101)) };
        assert_eq!(report_wish(&wish), "");
    }
}

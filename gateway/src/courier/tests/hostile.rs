//! Servers that lie, stall, flood and inject. Each case ends, with the failure it should have, and neither a login nor a
//! mail was in clear where TLS is demanded.

use super::{
    server::{Act, Manner, Server},
    *,
};

/// A client that trusts the server's certificate: what goes wrong is never that.
struct Arena {
    trusted: Trusted,
    tls: Arc<ServerConfig>,
}

impl Arena {
    fn new() -> Self {
        let trusted = Trusted::new();
        Self { tls: trusted.server(&["localhost"]), trusted }
    }

    fn encrypting(&self) -> Manner {
        Manner::encrypting(Arc::clone(&self.tls))
    }

    /// Delivers to a hostile server under `require`; how it ended, and the last that the server heard.
    async fn attack(&self, manner: Manner, times: Times) -> (Failure, String) {
        let server = Server::open(manner).await;
        let courier = smarthost(server.port, TlsPolicy::Require, &self.trusted, times);
        let failure = deliver(&courier, "a@b.example").await.unwrap_err();
        for line in server.seen.lines().iter().filter(|line| !line.starts_with("TLS ")) {
            let secret = ["AUTH", "MAIL", "RCPT", "DATA"].iter().any(|verb| line.starts_with(verb));
            assert!(!secret, "{line} in clear");
        }
        assert!(server.seen.mails().is_empty());
        assert_eq!(failure.lasting, Lasting::Temporary, "{failure}");
        (failure, server.seen.lines().pop().unwrap_or_default())
    }
}

#[tokio::test]
async fn floods_of_every_kind_end() {
    let arena = Arena::new();
    for flood in [b"2".as_slice(), b"220-more\r\n", b"220-\r\n", b"\r\n", b"\0", b"x\r\n", b"220 \xff\r\n"] {
        for step in ["GREETING", "EHLO", "STARTTLS"] {
            arena.attack(arena.encrypting().acts(step, Act::Endless(flood)), times()).await;
        }
    }
}

#[tokio::test]
async fn silence_is_waited_for_only_so_long() {
    let arena = Arena::new();
    for step in ["GREETING", "EHLO", "STARTTLS"] {
        let (failure, _) = arena.attack(arena.encrypting().acts(step, Act::Silence), short()).await;
        assert!(failure.to_string().contains("did not answer in time"), "{failure}");
    }
}

#[tokio::test]
async fn a_wrong_reply_before_the_mail_is_a_passing_failure() {
    let arena = Arena::new();
    let wrong =
        ["250 ok", "221 bye", "354 go", "421 closing", "454 later", "500 what", "530 tls first", "554 no"];
    for reply in wrong {
        for step in ["GREETING", "EHLO", "STARTTLS"] {
            arena.attack(arena.encrypting().says(step, reply), times()).await;
        }
    }
}

/// CVE-2011-0411: what stands behind the 220 in clear must not be read as if it had come encrypted.
#[tokio::test]
async fn replies_injected_before_tls_end_the_connection() {
    let arena = Arena::new();
    for injected in
        [b"250-mx.example\r\n250 AUTH LOGIN\r\n".as_slice(), b"250 ok\r\n", b"x", b"\r\n", b"220 again\r\n"]
    {
        let (failure, last) = arena.attack(arena.encrypting().injecting(injected), times()).await;
        assert!(failure.to_string().contains("out of turn"), "{failure}");
        assert_eq!(last, "STARTTLS", "{}", injected.escape_ascii());
    }
}

#[tokio::test]
async fn two_replies_at_once_are_one_too_many() {
    let arena = Arena::new();
    for (step, replies) in
        [("GREETING", "220 a\r\n250 b\r\n"), ("EHLO", "250-a\r\n250 STARTTLS\r\n220 go\r\n")]
    {
        let manner = arena.encrypting().acts(step, Act::Say(replies.as_bytes().to_vec()));
        let (failure, _) = arena.attack(manner, times()).await;
        assert!(failure.to_string().contains("out of turn"), "{failure}");
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_check_out_is_nobody() {
    let other = Trusted::new();
    let trusted = Trusted::new();
    let wrong_name = trusted.server(&["other.example"]);
    let unknown = other.server(&["localhost"]);
    for tls in [wrong_name, unknown] {
        for policy in [TlsPolicy::Require, TlsPolicy::Prefer] {
            let server = Server::open(Manner::encrypting(Arc::clone(&tls))).await;
            let courier = smarthost(server.port, policy, &trusted, times());
            let failure = deliver(&courier, "a@b.example").await.unwrap_err();
            assert_eq!((failure.step, failure.lasting), (Step::Tls, Lasting::Temporary));
            assert_eq!(server.seen.count("TLS"), 0, "nothing was said over it");
        }
    }
}

/// Where clear is allowed, TLS that was begun is still not left again.
#[tokio::test]
async fn nothing_goes_on_in_clear_after_starttls() {
    let trusted = Trusted::new();
    for reply in ["454 not now", "502 what", "354 go"] {
        let server = Server::open(Manner::default().offers(&["STARTTLS"]).says("STARTTLS", reply)).await;
        let courier = smarthost(server.port, TlsPolicy::Prefer, &trusted, times());
        let failure = deliver(&courier, "a@b.example").await.unwrap_err();
        assert_eq!((failure.step, failure.lasting), (Step::Tls, Lasting::Temporary), "{reply}");
        assert_eq!((server.seen.count("MAIL"), server.seen.count("AUTH")), (0, 0));
    }
}

async fn during_the_mail(step: &'static str, act: Act, times: Times) -> Failure {
    let trusted = Trusted::new();
    let server = Server::open(Manner::default().acts(step, act)).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times);
    deliver(&courier, "a@b.example").await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_during_the_mail_is_told_once_and_right() {
    let say = |reply: &str| Act::Say(format!("{reply}\r\n").into_bytes());
    for (step, at) in [("RCPT", Step::Recipient), ("DATA", Step::Data), ("END", Step::End)] {
        for (reply, lasting) in [
            ("550 5.1.1 no such user", Lasting::Permanent),
            ("450 4.2.0 later", Lasting::Temporary),
            ("421 4.3.2 closing", Lasting::Temporary),
            ("220 what", Lasting::Temporary),
            ("354 what", Lasting::Temporary),
        ] {
            if (step, reply) == ("DATA", "354 what")
                || (step, reply) == ("RCPT", "220 what")
                || (step, reply) == ("END", "220 what")
            {
                continue;
            }
            let failure = during_the_mail(step, say(reply), times()).await;
            assert_eq!((failure.step, failure.lasting), (at, lasting), "{step} {reply}");
        }
    }
    let failure = during_the_mail("RCPT", say("550 5.1.1 no such user"), times()).await;
    assert_eq!(failure.to_string(), "5.1.1 550 5.1.1 no such user [localhost]");
}

#[tokio::test]
async fn a_server_that_hangs_up_or_stalls_during_the_mail_has_not_taken_it() {
    for step in ["MAIL", "RCPT", "DATA", "END"] {
        let failure = during_the_mail(step, Act::Close, times()).await;
        assert_eq!(failure.lasting, Lasting::Temporary, "{step}");
        let failure = during_the_mail(step, Act::Silence, short()).await;
        assert_eq!(failure.lasting, Lasting::Temporary, "{step}");
        let failure = during_the_mail(step, Act::Endless(b"250-x\r\n"), times()).await;
        assert_eq!(failure.lasting, Lasting::Temporary, "{step}");
    }
}

/// A 250 that was there before it was asked for answers nothing.
#[tokio::test]
async fn an_answer_given_ahead_is_no_answer() {
    for (step, reply) in
        [("EHLO", "250 mx\r\n250 ok\r\n"), ("MAIL", "250 ok\r\n250 ok\r\n"), ("RCPT", "250 ok\r\n354 go\r\n")]
    {
        let failure = during_the_mail(step, Act::Say(reply.as_bytes().to_vec()), times()).await;
        assert!(failure.to_string().contains("out of turn"), "{step}: {failure}");
    }
    let trusted = Trusted::new();
    let early = Act::Say(b"354 go\r\n250 taken\r\n".to_vec());
    let server = Server::open(Manner::default().acts("DATA", early)).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times());
    let failure = deliver(&courier, "a@b.example").await.unwrap_err();
    assert!(failure.to_string().contains("out of turn"), "{failure}");
}

/// Whatever a server does, a mail with a bare line end never leaves whole.
#[tokio::test]
async fn a_mail_with_a_bare_line_end_is_not_finished() {
    let trusted = Trusted::new();
    let server = Server::open(Manner::default()).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times());
    for text in ["Subject: x\r\n\r\na\n.\nb\r\n", "Subject: x\r\n\r\na\r.\rb\r\n", "Subject: x\r\n\r\n\0\r\n"]
    {
        let failure = deliver_mail(&courier, "a@b.example", &cleared(text)).await.unwrap_err();
        assert_eq!(failure.lasting, Lasting::Permanent);
    }
    assert!(server.seen.mails().is_empty());
}

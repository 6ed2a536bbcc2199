//! Mails of people that look like a machine's, and mails of machines that say so only in their own words and languages.
//! All texts are written for these tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail::{Budget, Class, Message, Scanner};

const ANN: &str = "From: Ann Archer <ann@alpha.example>\nTo: desk@beta.example\n";
const POST: &str = "From: postmaster@beta.example\nTo: ann@alpha.example\n";

fn scan(mail: &str) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail.as_bytes());
    scanner.finish()
}

fn class(head: &str, text: &str) -> Class {
    scan(&format!("{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}\n")).class
}

/// Subjects and words of people that sound like a machine's.
const PEOPLE: &[(&str, &str)] = &[
    ("Out of office next week?", "Will you be out of the office next week? I need a date for the visit."),
    ("Out of office cover", "Who covers for Sam while he is out of office?"),
    ("Out of office next Monday", "I will be out of the office next Monday, Sarah covers for me."),
    ("Out of office", "Who covers for Sam while he is out of office?"),
    ("Vacation rota", "Please send me the vacation rota of the meter team."),
    ("Holiday cover for the Leeds desk", "I am on leave from Monday, Priya has the case."),
    ("Urlaub", "Wann hat Herr Maier Urlaub? Ich brauche die Zählernummer."),
    ("Absence of readings", "There is an absence of readings since May."),
    ("Abwesenheit des Zählers", "Der Zähler fehlt seit Mai."),
    ("Auto: meter 12", "The automatic meter sends nothing."),
    ("Automatic reply from your system", "Your system sent me an automatic reply. Can a person look at it?"),
    ("Automatic meter reading failed", "The meter did not answer."),
    ("Re: Automatic reply: Meter 12", "Thanks, I will wait until you are back.\n\n> I am out of the office."),
    (
        "AW: Automatische Antwort: Zähler",
        "Danke, dann bis Montag.\n\nVon: Bob\n\nIch bin bis Montag nicht im Büro.",
    ),
    ("RE: Out of Office: Meter 12", "Please answer once you are back."),
    ("Re: Undeliverable: Meter 12", "Odd, that address worked yesterday. Please try again."),
    ("WG: Unzustellbar: Zähler", "Diese Mail kam zurück, bitte prüfen."),
    ("TR: Non remis : compteur", "Pouvez-vous vérifier l'adresse ?"),
    ("Delivery failure", "There was a delivery failure at the depot: the meter was not delivered to site."),
    ("Delivery of meters", "The delivery of your meters failed on Monday. A new date follows."),
    ("Delivery report for May", "Attached are the delivery figures. All meters were delivered."),
    ("Mailbox full", "My mailbox was full yesterday, please send the file again."),
    (
        "Returned mail",
        "We had returned mail from the customer's old address, a letter I mean. What is the new one?",
    ),
    ("User unknown in your portal", "Your portal says user unknown when I sign in."),
    ("Failure notice period", "What is the notice period for a failure of supply?"),
    ("Re: Meter", "I am out of the office until Monday, but the reading is 1234."),
    ("Your message", "Your message could not be clearer, thank you."),
    ("Your message", "Your message to Sam reached me instead. I have sent it on."),
    ("Read: the new rules", "Please read the new rules before Friday."),
    ("Accepted: your proposal", "We accept the proposal of 5 May."),
    ("Recall: the meters of 2019", "We would like to recall the meters built in 2019."),
    ("Rappel : facture", "Merci de régler la facture avant vendredi."),
    ("Complaint about message from your desk", "Your desk wrote an unfriendly message to our customer."),
    ("Warning: message from the network", "The network warns of low voltage on Monday."),
    ("No reply", "I have had no reply for two weeks."),
    (
        "[meters] Virus on the depot's machine",
        "The machine that reads the meters has a virus, it reads nothing.",
    ),
    ("Re: [Auto-Reply] Meter 12", "Thanks, I will wait."),
    ("Message held", "I held back your message to the network until you confirm the reading."),
    ("", "1200023305967 reads 1234."),
    ("不在の連絡", "来週の会議に出席できません。"),
    ("Delivery Status", "What is the delivery status of the meter? 550 are still missing."),
];

#[test]
fn people_stay_people() {
    let bounce = "This is the mail system at host mx.beta.example.\n\n<bob@beta.example>: host mx said: 550 5.1.1 User unknown";
    let away = "I am out of the office until 5 June. For urgent matters call 020.";
    let quoted = |text: &str| format!("> {}", text.replace('\n', "\n> "));
    let quoting = [
        ("RE: Undeliverable: Meter 12", format!("See below, what shall I do?\n\n{}", quoted(bounce))),
        ("Fwd: Undelivered Mail Returned to Sender", format!("Can you look into this?\n\n{bounce}")),
        ("FW: Delivery Status Notification (Failure)", bounce.to_owned()),
        ("Meter", format!("Bob asked me to pass this on:\n\n{away}")),
        (
            "Re: Meter",
            format!("The reading is 1234.\n\nOn 5 May Bob wrote:\n{}", quoted("This is an automatic reply.")),
        ),
    ];
    let quoting = quoting.iter().map(|(subject, text): &(&str, String)| (*subject, text.as_str()));
    for (subject, text) in PEOPLE.iter().copied().chain(quoting) {
        let head = format!("{ANN}Subject: {subject}\n");
        assert_eq!(class(&head, text), Class::Human, "{subject}: {text}");
    }
}

#[test]
fn a_persons_program_outweighs_words() {
    let head = format!("{ANN}User-Agent: Mozilla Thunderbird\nReturn-Path: <>\nSubject: Out of office\n");
    assert_eq!(class(&head, "The list of people who are out of the office is attached."), Class::Human);
    let head = format!("{POST}X-Mailer: Microsoft Outlook 16.0\nSubject: Mail delivery to your domain\n");
    assert_eq!(
        class(&head, "Since Monday your server refuses our mail. Can you look into it?"),
        Class::Human
    );
    let head = format!("{POST}In-Reply-To: <1@beta.example>\nSubject: Re: Mail delivery to your domain\n");
    assert_eq!(class(&head, "I have opened the firewall for your server."), Class::Human);
}

#[test]
fn filters_report_under_names_of_their_own() {
    for (from, subject) in [
        ("virus-alert@beta.example", "Virus found in a mail from you"),
        ("\"Content-filter at mx\" <postmaster@beta.example>", "BANNED contents from you (.exe)"),
        ("mailscanner@beta.example", "Warning: E-mail viruses detected"),
    ] {
        let head = format!("From: {from}\nSubject: {subject}\n");
        assert_ne!(class(&head, "We blocked it."), Class::Human, "{subject}");
        let answered = format!("From: {from}\nSubject: Re: {subject}\nIn-Reply-To: <1@beta.example>\n");
        assert_eq!(class(&answered, "We have opened the filter for you."), Class::Human, "{subject}");
    }
}

#[test]
fn a_bounce_passed_on_as_a_file_is_a_persons_mail() {
    let mail = format!(
        "{ANN}Subject: Fwd: failure notice\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n\
         See the attached.\n--b\nContent-Type: message/rfc822\n\nFrom: MAILER-DAEMON@beta.example\nSubject: failure \
         notice\nContent-Type: multipart/report; report-type=delivery-status; boundary=c\n\n--c\nContent-Type: \
         message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; bob@beta.example\nAction: \
         failed\nStatus: 5.1.1\n--c--\n--b--\n"
    );
    let message = scan(&mail);
    assert_eq!(message.class, Class::Human);
    assert_eq!(message.report, None);
    let parts = mail.replace("message/rfc822\n\nFrom: MAILER-DAEMON@beta.example\nSubject: failure notice\nContent-Type: \
                              multipart/report; report-type=delivery-status; boundary=c\n\n--c\nContent-Type: ", "");
    assert_eq!(scan(&parts).class, Class::Human);
}

#[test]
fn machines_are_seen_by_their_words() {
    for (subject, text) in [
        ("Automatic reply: Meter 12", "I am away."),
        ("Automatische Antwort: Zähler 12", "Ich bin im Urlaub."),
        ("Réponse automatique : compteur", "Je suis absent."),
        ("Respuesta automática: contador", "Estoy de vacaciones."),
        ("Risposta automatica: contatore", "Sono in ferie."),
        ("Automatisch antwoord: meter", "Ik ben afwezig."),
        ("Odpowiedź automatyczna: licznik", "Jestem na urlopie."),
        ("Resposta automática: contador", "Estou de férias."),
        ("Automatiskt svar: mätare", "Jag är på semester."),
        ("Automatisk svar: måler", "Jeg er på ferie."),
        ("Autosvar: måler", "Jeg er på ferie."),
        ("Automaattinen vastaus: mittari", "Olen lomalla."),
        ("Automatická odpověď: elektroměr", "Jsem na dovolené."),
        ("Automatikus válasz: mérő", "Szabadságon vagyok."),
        ("Автоматический ответ: счётчик", "Я в отпуске."),
        ("自動応答: メーター", "休暇中です。"),
        ("自动答复: 电表", "我不在办公室。"),
        ("자동 회신: 계량기", "부재중입니다."),
        ("Otomatik yanıt: sayaç", "İzindeyim."),
        ("Out of Office AutoReply: Meter", "I am out of the office."),
        ("Out of Office: Meter 12", "I am currently out of the office and will be back on 5 June."),
        (
            "Jo Baker is out of the office.",
            "I will be out of the office starting 2026-05-05 and will not return until 2026-05-12.",
        ),
        ("Abwesenheitsnotiz: Zähler", "Bis Montag."),
        ("Abwesend: Zähler 12", "Ich bin bis 5. Juni nicht im Büro."),
        ("Fuera de la oficina: contador", "Estoy fuera de la oficina hasta el lunes."),
        ("Meter 12", "This is an automatic reply. Your mail has arrived."),
        ("Zähler 12", "Guten Tag,\n\ndiese E-Mail wurde automatisch erstellt."),
        ("Compteur", "Ceci est une réponse automatique."),
        ("[Auto-Reply] Meter 12", "We have your mail."),
        ("Automatic reply to your email", "We have your mail."),
        ("Meter 12", "Please note that this is an automated response."),
        ("Meter 12", "Your message is being held. To prove that you are a person, follow the link."),
    ] {
        assert_eq!(class(&format!("{ANN}Subject: {subject}\n"), text), Class::AutoReply, "{subject}: {text}");
    }
}

#[test]
fn bounces_without_form_are_seen_in_many_languages() {
    for (subject, text) in [
        ("Undeliverable: Meter 12", "Your message did not reach some or all of the intended recipients."),
        ("Unzustellbar: Zähler 12", "Ihre Nachricht hat einige Empfänger nicht erreicht."),
        ("Non remis : compteur", "Votre message n'a pas pu être remis."),
        ("No se puede entregar: contador", "Su mensaje no llegó a los destinatarios."),
        ("Non recapitabile: contatore", "Il messaggio non è stato recapitato."),
        ("Onbestelbaar: meter", "Uw bericht is niet bezorgd."),
        ("Não é possível entregar: contador", "Sua mensagem não foi entregue."),
        ("Kan inte levereras: mätare", "Ditt meddelande kunde inte levereras."),
        ("Kan ikke leveres: måler", "Din melding ble ikke levert."),
        ("Niedostarczone: licznik", "Twoja wiadomość nie została dostarczona."),
        ("Nedoručitelné: elektroměr", "Vaše zpráva nebyla doručena."),
        ("Недоставлено: счётчик", "Ваше сообщение не доставлено."),
        ("配信不能: メーター", "次の受信者に配信できませんでした。"),
        ("未送达: 电表", "您的邮件无法送达。"),
        ("배달되지 않음: 계량기", "메일이 전송되지 않았습니다."),
    ] {
        assert_eq!(class(&format!("{POST}Subject: {subject}\n"), text), Class::Bounce, "{subject}");
        let nobody = format!("Return-Path: <>\n{ANN}Subject: {subject}\n");
        assert_eq!(class(&nobody, text), Class::Bounce, "{subject} from the null sender");
        let answered = format!("{ANN}Subject: Re: {subject}\n");
        assert_eq!(class(&answered, "Thanks, I have sent it again."), Class::Human, "{subject}");
    }
}

#[test]
fn receipts_recalls_and_meetings_are_seen() {
    for (subject, text, expected) in [
        (
            "Read: Meter 12",
            "Your message\n\nTo: Ann\nSubject: Meter 12\nSent: Monday\n\nwas read on Tuesday.",
            Class::Receipt,
        ),
        ("Gelesen: Zähler", "Ihre Nachricht\n\nAn: Ann\n\nwurde am Dienstag gelesen.", Class::Receipt),
        ("Lu : compteur", "Votre message\n\na été lu le mardi.", Class::Receipt),
        ("Not read: Meter 12", "Your message was deleted without being read on Tuesday.", Class::Receipt),
        ("Recall: Meter 12", "Archer, Ann would like to recall the message, \"Meter 12\".", Class::Recall),
        ("Rückruf: Zähler", "Archer, Ann möchte die Nachricht \"Zähler\" zurückrufen.", Class::Recall),
        ("Rappel : compteur", "Ann Archer souhaite rappeler le message « compteur ».", Class::Recall),
        ("Intrekken: meter", "Ann Archer wil het bericht 'meter' intrekken.", Class::Recall),
        ("Accepted: Visit on Monday", "", Class::Calendar),
        ("Abgelehnt: Termin am Montag", "", Class::Calendar),
    ] {
        assert_eq!(class(&format!("{ANN}Subject: {subject}\n"), text), expected, "{subject}");
    }
    for (field, expected) in [
        ("X-Message-Class: REPORT.IPM.Note.IPNRN", Class::Receipt),
        ("X-Message-Class: REPORT.IPM.Note.NDR", Class::Bounce),
        ("X-Message-Class: IPM.Schedule.Meeting.Resp.Pos", Class::Calendar),
        ("X-Message-Class: IPM.Note.Rules.OofTemplate.Microsoft", Class::AutoReply),
        ("Content-Class: urn:content-classes:calendarmessage", Class::Calendar),
        ("Content-Class: urn:content-classes:message", Class::Human),
        ("X-Autogenerated: Reply", Class::AutoReply),
        ("X-Autogenerated: Forward", Class::Human),
        ("Delivered-To: Autoresponder", Class::AutoReply),
    ] {
        assert_eq!(class(&format!("{ANN}{field}\nSubject: Meter\n"), "text"), expected, "{field}");
    }
}

#[test]
fn authors_who_are_no_people_are_seen() {
    for (from, expected) in [
        ("Mail Delivery Subsystem <x1@beta.example>", Class::Bounce),
        ("MAILER-DAEMON@beta.example", Class::Bounce),
        ("\"Mail Delivery System\" <Mailer-Daemon@beta.example>", Class::Bounce),
        ("no-reply@beta.example", Class::AutoReply),
        ("do.not.reply@beta.example", Class::AutoReply),
        ("billing-noreply@beta.example", Class::AutoReply),
        ("NichtAntworten@beta.example", Class::AutoReply),
        ("autoresponder@beta.example", Class::AutoReply),
        ("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@beta.example", Class::AutoReply),
        ("postmaster@beta.example", Class::Human),
        ("Noreen Plyer <noreen@beta.example>", Class::Human),
        ("desk-admin@beta.example", Class::Human),
        ("virus-alert@beta.example", Class::Human),
    ] {
        assert_eq!(
            class(&format!("From: {from}\nSubject: Meter 12\n"), "It reads 1234."),
            expected,
            "{from}"
        );
    }
}

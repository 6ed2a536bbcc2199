//! One exchange of mails in the making: who writes to whom, what is said, quoted, listed and attached.

use super::{
    Form, Labelled, Route,
    chance::Chance,
    dress::{Below, Program, Written, dress},
    files::{self, File},
    letter::{self, Envelope},
    numbers,
    people::{self, COMPANIES, Clerk, Company},
    story::{self, Marks, Story},
    wording::{self, BETWEEN_SUPPLIERS, CHASERS, OTHER_BUSINESS, Wording},
    wordings,
};

/// The companies on both sides of one mail.
fn sides(chance: &mut Chance, network: bool) -> (Company, Company) {
    let of = |chance: &mut Chance, network: bool| {
        *chance.pick(&COMPANIES.iter().filter(|company| company.network == network).collect::<Vec<_>>())
    };
    let ours = of(chance, false);
    loop {
        let theirs = of(chance, network);
        if theirs != ours {
            return if network && chance.percent(20) { (theirs, ours) } else { (ours, theirs) };
        }
    }
}

/// One exchange in the making.
struct Scene {
    wording: &'static Wording,
    story: Story,
    writer: Clerk,
    reader: Clerk,
    typing: u64,
    marks: Marks,
}

/// How it goes.
struct Sent {
    number: u64,
    form: Form,
    route: Route,
    /// Name, perhaps empty, and address.
    rcpt: (String, String),
    files: Vec<File>,
}

pub(super) fn of_a_process(chance: &mut Chance, number: u64) -> Labelled {
    let wording = &wordings().nth(chance.index(12)).unwrap_or(&BETWEEN_SUPPLIERS[0]);
    let (ours, theirs) = sides(chance, wording.network);
    let scene = Scene {
        wording,
        story: Story::invented(chance, wording, ours, theirs),
        writer: Clerk::of(chance, ours),
        reader: Clerk::of(chance, theirs),
        typing: if chance.percent(15) { 35 } else { 0 },
        marks: Marks::default(),
    };
    let form = match chance.between(0, 99) {
        0..=54 => Form::Fresh,
        55..=68 => Form::Answer,
        69..=76 => Form::Chaser,
        77..=83 => Form::Forward,
        84..=87 => Form::SubjectOnly,
        _ => Form::Listed,
    };
    let route = match chance.between(0, 99) {
        0..=34 => Route::Mailbox,
        35..=42 => Route::Code,
        _ => Route::Words,
    };
    scene.mail(chance, number, form, route)
}

impl Scene {
    fn mail(mut self, chance: &mut Chance, number: u64, form: Form, route: Route) -> Labelled {
        let mut subject = self.subject(chance, form);
        if route == Route::Code {
            let code = self.wording.code;
            self.marks.meter_point(self.story.meter.kind, &self.story.meter.number);
            let by = if chance.percent(80) { code.to_owned() } else { code.to_lowercase() };
            subject = format!("[{by}] {} {subject}", self.story.meter.number);
        }
        let mut files = Vec::new();
        let (paragraphs, table) = match form {
            Form::Fresh | Form::Other => self.request(chance),
            Form::Answer => (self.greeted(chance, ANSWERS), Vec::new()),
            Form::Chaser => (self.greeted(chance, CHASERS), Vec::new()),
            Form::Forward => (self.greeted(chance, FORWARDED), Vec::new()),
            Form::SubjectOnly => (vec![chance.pick(SUBJECT_ONLY).to_owned()], Vec::new()),
            Form::Listed => {
                files.push(self.list(chance));
                (self.covering(chance), Vec::new())
            }
        };
        if form == Form::Fresh && chance.percent(12) {
            files.push(self.letter(chance));
        }
        let earlier = match form {
            Form::Answer | Form::Chaser | Form::Forward => Some(self.earlier(chance, form, &subject)),
            Form::Fresh | Form::SubjectOnly | Form::Listed | Form::Other => None,
        };
        let below = if form == Form::Forward { Below::Forwarded } else { Below::Quoted };
        let subject = match form {
            Form::Answer | Form::Chaser => format!("{}{subject}", chance.pick(&["RE: ", "Re: "])),
            Form::Forward => format!("{}{subject}", chance.pick(&["FW: ", "Fwd: "])),
            Form::Fresh | Form::SubjectOnly | Form::Listed | Form::Other => subject,
        };
        let new = Written {
            by: self.writer.clone(),
            to: self.reader.clone(),
            subject,
            date: written_date(chance),
            paragraphs,
            table,
        };
        let rcpt = self.recipient(chance, route);
        let sent = Sent { number, form, route, rcpt, files };
        self.finished(chance, &new, earlier.as_ref().map(|earlier| (earlier, below)), sent)
    }

    fn finished(
        self,
        chance: &mut Chance,
        new: &Written,
        earlier: Option<(&Written, Below)>,
        sent: Sent,
    ) -> Labelled {
        let Sent { number, form, route, rcpt, files } = sent;
        let program = *chance.one(&[
            Program::Outlook,
            Program::Outlook,
            Program::OutlookHtmlOnly,
            Program::Gmail,
            Program::Thunderbird,
        ]);
        let body = dress(chance, program, new, earlier);
        let head = Envelope {
            from: (self.writer.name.clone(), self.writer.address.clone()),
            to: rcpt.clone(),
            cc: chance
                .percent(20)
                .then(|| Clerk::of(chance, self.writer.company))
                .map(|clerk| (clerk.name, clerk.address)),
            subject: new.subject.clone(),
            date: header_date(chance),
            number: number + 1,
            reply: earlier.is_some(),
        };
        Labelled {
            number,
            eml: letter::mail(chance, &head, &body, &files),
            from: self.writer.address,
            rcpt: rcpt.1,
            form,
            route,
            process: (form != Form::Other).then_some(self.wording.process),
            marks: self.marks,
            files,
        }
    }

    fn subject(&mut self, chance: &mut Chance, form: Form) -> String {
        let with_number: Vec<&str> =
            self.wording.subjects.iter().copied().filter(|subject| subject.contains("{meter}")).collect();
        let subject = match (form, with_number.is_empty()) {
            // All of it has to stand there.
            (Form::SubjectOnly, false) => chance.pick(&with_number),
            _ => chance.pick(self.wording.subjects),
        };
        self.tell(chance, subject)
    }

    fn tell(&mut self, chance: &mut Chance, sentence: &str) -> String {
        let sentence =
            if chance.percent(self.typing) { mistyped(chance, sentence) } else { sentence.to_owned() };
        self.story.tell(chance, &sentence, &mut self.marks)
    }

    /// A request in full: what it is about, particulars, asides, what is wanted.
    fn request(&mut self, chance: &mut Chance) -> (Vec<String>, Vec<Vec<String>>) {
        let mut paragraphs = vec![self.greeting(chance)];
        let opening = chance.pick(self.wording.openings);
        paragraphs.push(self.tell(chance, opening));
        for _ in 0..chance.between(0, 2) {
            let detail = chance.pick(self.wording.details);
            paragraphs.push(self.tell(chance, detail));
        }
        let asides: Vec<String> =
            (0..chance.between(0, 3)).map(|_| self.story.aside(chance, &mut self.marks)).collect();
        match chance.percent(30) {
            true if !asides.is_empty() => paragraphs.push(asides.join("\n")),
            _ => paragraphs.extend(asides),
        }
        if chance.percent(35) {
            paragraphs.push(numbers::misleading(chance));
        }
        if chance.percent(4) {
            paragraphs.push(self.another_matter(chance));
        }
        let ask = chance.pick(self.wording.asks);
        paragraphs.push(self.tell(chance, ask));
        let table = if chance.percent(12) { self.table(chance) } else { Vec::new() };
        (paragraphs, table)
    }

    fn greeting(&self, chance: &mut Chance) -> String {
        match chance.between(0, 5) {
            0 => format!("Hi {},", self.reader.first),
            1 => "Hi all,".to_owned(),
            2 => "Dear team,".to_owned(),
            3 => "Good morning,".to_owned(),
            4 => "Dear Sir or Madam,".to_owned(),
            _ => "Hello,".to_owned(),
        }
    }

    fn greeted(&mut self, chance: &mut Chance, words: &[&'static str]) -> Vec<String> {
        vec![self.greeting(chance), chance.pick(words).to_owned()]
    }

    /// A second process is named, but the mail is not about it.
    fn another_matter(&self, chance: &mut Chance) -> String {
        let other = loop {
            let other = wordings().nth(chance.index(12)).unwrap_or(self.wording);
            if other.process != self.wording.process {
                break other.process.replace('-', " ");
            }
        };
        match chance.between(0, 1) {
            0 => format!("(The {other} mail of last week is a different matter and can be closed.)"),
            _ => format!("PS: We will write about the {other} case separately."),
        }
    }

    /// Facts one below the other, as a form would have them.
    fn table(&mut self, chance: &mut Chance) -> Vec<Vec<String>> {
        let consumer = &self.story.consumer;
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut rows = vec![row(
            if self.story.meter.kind == "mpan" { "MPAN" } else { "MPRN" },
            self.story.meter.written(chance),
        )];
        self.marks.meter_point(self.story.meter.kind, &self.story.meter.number);
        if chance.percent(70) {
            self.marks.personal("name", consumer.full_name());
            rows.push(row(
                chance.pick(&["Customer name", "Account holder", "Customer Name:"]),
                consumer.full_name(),
            ));
        }
        if chance.percent(50) {
            self.marks.personal("postal-address", consumer.street.clone());
            self.marks.personal("postcode", consumer.postcode.replace(' ', ""));
            rows.push(row(
                "Supply address",
                format!("{}, {}, {}", consumer.street, consumer.town, consumer.postcode),
            ));
        }
        rows
    }

    fn earlier(&mut self, chance: &mut Chance, form: Form, subject: &str) -> Written {
        let (paragraphs, table) = self.request(chance);
        let (by, to) = match form {
            // Somebody answers what the other side has asked, or sends on what a colleague wrote; a reminder repeats.
            Form::Answer => (self.reader.clone(), self.writer.clone()),
            Form::Forward => (Clerk::of(chance, self.writer.company), self.writer.clone()),
            _ => (self.writer.clone(), self.reader.clone()),
        };
        Written { by, to, subject: subject.to_owned(), date: written_date(chance), paragraphs, table }
    }

    fn covering(&mut self, chance: &mut Chance) -> Vec<String> {
        let what = self.wording.process.replace('-', " ");
        let count = chance.between(2, 9);
        let covering = match chance.between(0, 2) {
            0 => format!("Please find attached {count} {what} for your attention."),
            1 => format!("Attached is this week's list of {what}. Please respond by row."),
            _ => format!("See the attached file for the {what} we discussed."),
        };
        vec![self.greeting(chance), covering]
    }

    /// Several meter points with their people, in a file.
    fn list(&mut self, chance: &mut Chance) -> File {
        let electricity = self.story.meter.kind == "mpan";
        let mut header = vec![
            chance
                .pick(match electricity {
                    true => &["MPAN", "MPAN Core", "Mpan number"],
                    false => &["MPRN", "MPRN", "Meter Point Reference (MPRN)"],
                })
                .to_owned(),
        ];
        let optional = [
            ("name", *chance.one(&["Customer Name", "Account Holder", "Customer name"])),
            ("address", *chance.one(&["Supply Address", "Address"])),
            ("postcode", *chance.one(&["Postcode", "Post code"])),
            ("serial", *chance.one(&["MSN", "Meter Serial Number"])),
            ("telephone", *chance.one(&["Telephone", "Contact Number"])),
            ("order", *chance.one(&["Job No", "Order number"])),
        ];
        let columns: Vec<(&str, &str)> = optional.into_iter().filter(|_| chance.percent(50)).collect();
        header.extend(columns.iter().map(|(_, title)| (*title).to_owned()));
        let mut rows = vec![header];
        for _ in 0..chance.between(2, 12) {
            let row = self.row(chance, &columns);
            rows.push(row);
        }
        let name = format!("{}_{}", self.wording.code, chance.digits(8));
        if chance.percent(35) { files::csv(&name, &rows) } else { files::xlsx(&name, &rows) }
    }

    fn row(&mut self, chance: &mut Chance, columns: &[(&str, &str)]) -> Vec<String> {
        let fuel =
            if self.story.meter.kind == "mpan" { wording::Fuel::Electricity } else { wording::Fuel::Gas };
        let meter = story::Meter::invented(chance, fuel);
        let consumer = people::Consumer::invented(chance);
        self.marks.meter_point(meter.kind, &meter.number);
        let mut row = vec![meter.number];
        for (column, _) in columns {
            row.push(match *column {
                "name" => {
                    self.marks.personal("name", consumer.full_name());
                    format!("{} {}", consumer.title, consumer.full_name())
                }
                "address" => {
                    self.marks.personal("postal-address", consumer.street.clone());
                    format!("{}, {}", consumer.street, consumer.town)
                }
                "postcode" => {
                    self.marks.personal("postcode", consumer.postcode.replace(' ', ""));
                    consumer.postcode.clone()
                }
                "serial" => {
                    let serial = numbers::serial(chance);
                    self.marks.personal("meter-serial", serial.clone());
                    serial
                }
                "telephone" => {
                    let (plain, written) = numbers::telephone(chance);
                    self.marks.personal("telephone", plain);
                    written
                }
                _ => chance.digits(10),
            });
        }
        row
    }

    /// A letter with the same facts, as a document.
    fn letter(&mut self, chance: &mut Chance) -> File {
        let opening = chance.pick(self.wording.openings);
        let mut lines = vec!["Dear Sir or Madam".to_owned(), self.tell(chance, opening)];
        for _ in 0..chance.between(1, 3) {
            lines.push(self.story.aside(chance, &mut self.marks));
        }
        lines.push("Yours faithfully".to_owned());
        let name = chance.pick(&["Letter to supplier", "Customer letter", "Evidence", "Case summary"]);
        if chance.percent(50) { files::docx(name, &lines) } else { files::pdf(name, &lines) }
    }

    fn recipient(&self, chance: &mut Chance, route: Route) -> (String, String) {
        let domain = self.reader.company.domain;
        match route {
            Route::Mailbox => (String::new(), format!("{}@{domain}", self.wording.mailbox)),
            Route::Code | Route::Words if chance.percent(60) => {
                (self.reader.name.clone(), self.reader.address.clone())
            }
            Route::Code | Route::Words => (
                String::new(),
                format!(
                    "{}@{domain}",
                    chance.pick(&["industry", "resolutions", "switching.desk", "customer.ops"])
                ),
            ),
        }
    }
}

pub(super) fn other_business(chance: &mut Chance, number: u64) -> Labelled {
    let (subject, text) = *chance.one(OTHER_BUSINESS);
    let wording = &BETWEEN_SUPPLIERS[0];
    let (ours, theirs) = sides(chance, chance.clone().percent(30));
    let mut scene = Scene {
        wording,
        story: Story::invented(chance, wording, ours, theirs),
        writer: Clerk::of(chance, ours),
        reader: Clerk::of(chance, theirs),
        typing: 0,
        marks: Marks::default(),
    };
    let mut paragraphs = vec![scene.greeting(chance), scene.tell(chance, text)];
    if chance.percent(40) {
        paragraphs.push(numbers::misleading(chance));
    }
    let new = Written {
        by: scene.writer.clone(),
        to: scene.reader.clone(),
        subject: scene.tell(chance, subject),
        date: written_date(chance),
        paragraphs,
        table: Vec::new(),
    };
    let rcpt = scene.recipient(chance, Route::Words);
    let sent = Sent { number, form: Form::Other, route: Route::Words, rcpt, files: Vec::new() };
    scene.finished(chance, &new, None, sent)
}

/// Two letters of a longer word change places; words that stand for facts are left alone.
fn mistyped(chance: &mut Chance, sentence: &str) -> String {
    let words: Vec<&str> = sentence.split(' ').collect();
    let long = |word: &str| word.len() > 5 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let candidates: Vec<usize> =
        words.iter().enumerate().filter(|(_, word)| long(word)).map(|(place, _)| place).collect();
    if candidates.is_empty() {
        return sentence.to_owned();
    }
    let chosen = *chance.one(&candidates);
    let mut letters: Vec<char> = words[chosen].chars().collect();
    let at = chance.index(letters.len() - 3) + 1;
    letters.swap(at, at + 1);
    let wrong: String = letters.into_iter().collect();
    let spelled =
        words.iter().enumerate().map(|(place, word)| if place == chosen { wrong.as_str() } else { word });
    spelled.collect::<Vec<_>>().join(" ")
}

fn written_date(chance: &mut Chance) -> String {
    format!(
        "{} November 2026 {:02}:{:02}",
        chance.between(2, 20),
        chance.between(8, 17),
        chance.between(0, 59)
    )
}

fn header_date(chance: &mut Chance) -> String {
    format!(
        "{:02} Nov 2026 {:02}:{:02}:{:02} +0000",
        chance.between(2, 20),
        chance.between(8, 17),
        chance.between(0, 59),
        chance.between(0, 59)
    )
}

const ANSWERS: &[&str] = &[
    "We have looked into this and accept your request. The date will follow.",
    "Rejected: our records show a valid contract with the customer. Evidence can be sent.",
    "Thanks for this. It has been passed to the team and we will reply within the agreed time.",
    "Agreed as below. Please go ahead on your side.",
    "Could you send us the missing information? We cannot find the account with what is given below.",
    "Confirmed, this is completed. You may close your side.",
];

const FORWARDED: &[&str] = &[
    "FYI, this came to me by mistake and looks like one for you.",
    "Please see below, can you pick this up?",
    "As discussed on the phone.",
];

const SUBJECT_ONLY: &[&str] =
    &["As per subject, please.", "See subject line. Thanks", "Please action as above.", "."];

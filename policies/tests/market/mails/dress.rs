//! What mail programs make of a text: signature, disclaimer, quoting, forwarding, HTML as Office, Gmail and Thunderbird
//! write it. What is added here belongs to companies, never to a consumer.

use super::{chance::Chance, files::escaped, people::Clerk};

/// The program that a clerk writes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Outlook,
    OutlookHtmlOnly,
    Gmail,
    Thunderbird,
}

/// What somebody wrote, before a program dresses it.
pub(crate) struct Written {
    pub(crate) by: Clerk,
    pub(crate) to: Clerk,
    pub(crate) subject: String,
    pub(crate) date: String,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) table: Vec<Vec<String>>,
}

/// How the earlier mail stands below the new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    Quoted,
    Forwarded,
}

/// The two forms of a body; one may be missing.
pub(crate) struct Dressed {
    pub(crate) plain: Option<String>,
    pub(crate) html: Option<String>,
}

pub(crate) fn dress(
    chance: &mut Chance,
    program: Program,
    new: &Written,
    earlier: Option<(&Written, Below)>,
) -> Dressed {
    let plain = plain(chance, program, new, earlier);
    match program {
        Program::Thunderbird => Dressed { plain: Some(plain), html: None },
        Program::Gmail => Dressed { plain: Some(plain), html: Some(gmail(chance, new, earlier)) },
        Program::Outlook => Dressed { plain: Some(plain), html: Some(office(chance, new, earlier)) },
        Program::OutlookHtmlOnly => Dressed { plain: None, html: Some(office(chance, new, earlier)) },
    }
}

fn signature(chance: &mut Chance, clerk: &Clerk) -> Vec<String> {
    let Clerk { name, job, address, extension, company, .. } = clerk;
    let mut lines = vec![
        chance.pick(&["Kind regards", "Many thanks,", "Regards", "Best wishes", "Thanks"]).to_owned(),
        name.clone(),
    ];
    lines.push((*job).to_owned());
    lines.push(company.name.to_owned());
    match chance.between(0, 2) {
        0 => lines.push(format!("T: {} ext. {extension}", company.switchboard)),
        1 => lines.push(format!("Tel: {} | E: {address}", company.switchboard)),
        _ => lines.push(format!("{address} | www.{}", company.domain)),
    }
    if chance.percent(60) {
        lines.push(format!(
            "{}. Registered office: {}. Registered in England and Wales No. 0{}",
            company.name,
            company.office,
            4_000_000 + u64::from(extension.len() as u32) * 771
        ));
    }
    if chance.percent(55) {
        lines.push(chance.pick(&[
            "This email and any files transmitted with it are confidential and intended solely for the use of the individual or entity to whom they are addressed. If you have received it in error please tell the sender and delete it.",
            "Please consider the environment before printing this e-mail. Calls may be recorded. If you are worried about a vulnerable neighbour, our Priority Services team can help.",
            "CONFIDENTIALITY NOTICE: the contents may be privileged. Supplying energy is regulated by Ofgem. To complain, write to the address above; unresolved complaints may be taken to the Energy Ombudsman after 8 weeks.",
        ]).to_owned());
    }
    lines
}

fn plain(chance: &mut Chance, program: Program, new: &Written, earlier: Option<(&Written, Below)>) -> String {
    let mut text = body(new);
    text.push_str(if program == Program::Thunderbird { "-- \n" } else { "\n" });
    text.push_str(&(signature(chance, &new.by).join("\n") + "\n"));
    let Some((old, below)) = earlier else { return text };
    let told = body(old) + &signature(chance, &old.by).join("\n") + "\n";
    match (program, below) {
        (Program::Outlook | Program::OutlookHtmlOnly, Below::Quoted) => {
            text.push_str(&format!("\n________________________________\n{}\n{told}", office_head(old)));
        }
        (Program::Outlook | Program::OutlookHtmlOnly, Below::Forwarded) => {
            text.push_str(&format!("\n-----Original Message-----\n{}\n{told}", office_head(old)));
        }
        (_, Below::Quoted) => {
            let quoted: String = told.lines().map(|line| format!("> {line}\n")).collect();
            text.push_str(&format!("\nOn {}, {} <{}> wrote:\n{quoted}", old.date, old.by.name, old.by.address));
        }
        (_, Below::Forwarded) => text.push_str(&format!(
            "\n---------- Forwarded message ---------\nFrom: {} <{}>\nDate: {}\nSubject: {}\nTo: <{}>\n\n{told}",
            old.by.name, old.by.address, old.date, old.subject, old.to.address
        )),
    }
    text
}

fn body(written: &Written) -> String {
    let mut text: String = written.paragraphs.iter().map(|paragraph| format!("{paragraph}\n\n")).collect();
    for row in &written.table {
        text.push_str(&(row.join("\t") + "\n"));
    }
    text
}

fn office_head(old: &Written) -> String {
    format!(
        "From: {} <{}>\nSent: {}\nTo: {} <{}>\nSubject: {}\n",
        old.by.name, old.by.address, old.date, old.to.name, old.to.address, old.subject
    )
}

/// Word writes every paragraph with its own style, cuts lines where it likes, and puts styles of lists and pages in front.
fn office(chance: &mut Chance, new: &Written, earlier: Option<(&Written, Below)>) -> String {
    let mut html = String::from(OFFICE_HEAD);
    html.push_str(&office_body(chance, new));
    if let Some((old, _)) = earlier {
        html.push_str("<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>");
        let head = office_head(old);
        let fields = head.trim_end().lines().map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            format!("<b><span lang=EN-US>{name}:</span></b><span lang=EN-US> {}<br></span>", escaped(value))
        });
        html.push_str(&fields.collect::<Vec<_>>().join("\r\n"));
        html.push_str("<o:p></o:p></p></div></div><p class=MsoNormal><o:p>&nbsp;</o:p></p>");
        html.push_str(&office_body(chance, old));
    }
    html.push_str("</div></body></html>\r\n");
    html
}

fn office_body(chance: &mut Chance, written: &Written) -> String {
    let style = "style='font-size:11.0pt;font-family:\"Calibri\",sans-serif;mso-fareast-language:EN-US'";
    let line = |text: &str| {
        let text = escaped(text).replace("  ", "&nbsp; ").replace('£', "&pound;");
        format!(
            "<p class=MsoNormal><span {style}>{text}<o:p></o:p></span></p>\r\n<p class=MsoNormal><span {style}><o:p>&nbsp;</o:p></span></p>\r\n"
        )
    };
    let mut html: String = written.paragraphs.iter().map(|paragraph| line(paragraph)).collect();
    if !written.table.is_empty() {
        html.push_str(
            "<table class=MsoTableGrid border=1 cellspacing=0 cellpadding=0><tr><td><table border=0>",
        );
        for row in &written.table {
            html.push_str("<tr style='mso-yfti-irow:0'>");
            for cell in row {
                html.push_str(&format!("<td width=180 valign=top style='width:134.8pt;padding:0cm 5.4pt 0cm 5.4pt'><p class=MsoNormal>{}<o:p></o:p></p></td>", escaped(cell)));
            }
            html.push_str("</tr>\r\n");
        }
        html.push_str("</table></td></tr></table>");
    }
    let signed = signature(chance, &written.by).into_iter();
    html.extend(signed.map(|text| {
        format!("<p class=MsoNormal><span style='color:#1F497D'>{}<o:p></o:p></span></p>\r\n", escaped(&text))
    }));
    html.push_str(
        "<p class=MsoNormal><img width=120 height=40 src=\"cid:logo@company\" alt=\"logo\"><o:p></o:p></p>",
    );
    html
}

fn gmail(chance: &mut Chance, new: &Written, earlier: Option<(&Written, Below)>) -> String {
    let block = |chance: &mut Chance, written: &Written| {
        let mut html: String = written
            .paragraphs
            .iter()
            .map(|paragraph| format!("<div>{}</div><div><br></div>", escaped(paragraph)))
            .collect();
        html.extend(written.table.iter().map(|row| format!("<div>{}</div>", escaped(&row.join(" ")))));
        html.push_str(&format!(
            "<div class=\"gmail_signature\">{}</div>",
            signature(chance, &written.by).iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>")
        ));
        html
    };
    let mut html = format!("<div dir=\"ltr\">{}</div>", block(chance, new));
    if let Some((old, _)) = earlier {
        html.push_str(&format!(
            "<br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On {}, {} &lt;<a href=\"mailto:{2}\">{2}</a>&gt; wrote:<br></div><blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex\">{3}</blockquote></div>",
            old.date, old.by.name, old.by.address, block(chance, old)
        ));
    }
    html
}

const OFFICE_HEAD: &str = "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:w=\"urn:schemas-microsoft-com:office:word\" xmlns=\"http://www.w3.org/TR/REC-html40\">\r\n<head><meta http-equiv=Content-Type content=\"text/html; charset=utf-8\"><meta name=Generator content=\"Microsoft Word 15 (filtered medium)\"><!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--\r\n/* Font Definitions */\r\n@font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}\r\np.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; mso-style-priority:99;}\r\n@page WordSection1 {size:612.0pt 792.0pt; margin:72.0pt 72.0pt 72.0pt 72.0pt;}\r\n--></style><!--[if gte mso 9]><xml><o:shapedefaults v:ext=\"edit\" spidmax=\"1026\" /></xml><![endif]--></head>\r\n<body lang=EN-GB link=\"#0563C1\" vlink=\"#954F72\" style='word-wrap:break-word'><div class=WordSection1>\r\n";

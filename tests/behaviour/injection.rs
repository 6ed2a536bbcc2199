//! The script-injection sets of the corpus as mails, opened in Chromium: each defence alone keeps every script from
//! running and every request from leaving. First the sanitiser without the browser's help, then the browser's sandbox
//! and the policy of our answer over mail that nobody has cleaned.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::corpus;
use tests::http::{Answer, Visitor};
use tests::installation::{Installation, Settings};
use tests::market::{AMY, BEN, MAILBOX};
use tests::random::Random;
use tests::smtp::Smtp;
use tests::trap::{HOST, Page, Trap};

/// Attacks in one mail, each an HTML part of its own, and in one page of frames.
const TOGETHER: usize = 100;

/// Of the long list of near twins so many are opened; the sanitiser's own tests try them all.
const OF_THE_LIST: usize = 800;

/// Where Chromium itself goes, whatever page is open; no attack of the sets names these services.
const ITS_OWN: [&str; 2] = ["accounts.google.com:443", ".googleapis.com"];

/// Calls what an attacker calls to show that a script ran; runs before every script of every frame.
const WITNESS: &str = "window.ran = []; for (const name of ['alert', 'confirm', 'prompt', 'print', 'eval']) { \
                       window[name] = (...said) => { try { top.witnessed = (top.witnessed || []).concat(name + ' ' + \
                       said + ' in ' + location.pathname); } catch { } }; }";

/// Fires every event that an element has a handler for, in every frame that can be reached, and says what ran and
/// what could have. A click on a link of the mail leads away by design: of links only those to scripts are followed.
const PROVOKE: &str = r"
const active = [];
for (const frame of document.querySelectorAll('iframe')) {
  const page = frame.contentDocument;
  if (!page) continue;
  page.addEventListener('click', event => {
    const link = event.target.closest && event.target.closest('a[href], area[href]');
    if (link && !/^javascript:/i.test(link.href)) event.preventDefault();
  }, true);
  for (const element of page.querySelectorAll('*')) {
    for (const { name, value } of element.attributes)
      if (/^on/i.test(name) || /^\s*javascript:/i.test(value)) active.push(frame.src + ' ' + name + '=' + value);
    if (/^(script|object|embed|iframe|base|form|link)$/i.test(element.localName)) active.push(frame.src + ' ' + element.localName);
    for (const name in element)
      if (name.startsWith('on')) element.dispatchEvent(new Event(name.slice(2), { bubbles: false, cancelable: true }));
    if (element.focus) element.focus();
    if (element.click) element.click();
  }
}
return { ran: window.witnessed || [], active: active };";

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, found)),
        _ => {}
    }
}

/// What makes a browser ask somebody else of its own accord, each kind once: `@` stands for the other's address.
const REMOTE: &str = r#"<img src=@1><img srcset="@2 1x"><picture><source srcset=@3><img></picture><img lowsrc=@4 dynsrc=@4>
<video src=@5 poster=@6 autoplay></video><audio src=@7 autoplay></audio><video autoplay><source src=@8><track src=@9 default></video>
<link rel=stylesheet href=@10><link rel=prefetch href=@11><link rel=preload as=image href=@12><link rel=icon href=@13>
<link rel=preconnect href=@14><link rel=dns-prefetch href=@15><link rel=manifest href=@16><link rel=modulepreload href=@17>
<style>@import url(@18);</style><style>body{background:url(@19)}</style><style>@font-face{font-family:x;src:url(@20)}p{font-family:x}</style><p>x
<p style="background-image:url('@21')">x<p style="background:image-set('@22' 1x)">x<p style="list-style:url(@23);display:list-item">x
<p style="cursor:url(@24),auto">x<p style="border-image:url(@25) 1">x<p style="mask-image:url(@26)">x<p style="content:url(@27)">x
<p style="filter:url(@28#x)">x<p style="clip-path:url(@29#x)">x<p style="shape-outside:url(@30);float:left">x
<body background=@31><table background=@32><tr><td background=@33>x</table><input type=image src=@34><button formaction=@35>x</button>
<object data=@36></object><embed src=@37><applet code=@38></applet><iframe src=@39></iframe><iframe srcdoc="<img src=@40>"></iframe>
<frameset><frame src=@41></frameset><bgsound src=@42><svg><image href=@43 width=9 height=9 /></svg><svg><use href="@44#x"/></svg>
<svg><image xlink:href=@45 width=9 height=9 /></svg><svg><filter id=f><feImage href=@46 /></filter><rect filter="url(#f)" width=9 height=9 /></svg>
<svg><style>rect{fill:url(@47#x)}</style><rect width=9 height=9 /></svg><math><mi xlink:href=@48>x</mi></math>
<meta http-equiv=refresh content="0;url=@49"><base href=@50/><img src=x><meta http-equiv=Link content="<@51>;rel=stylesheet">
<script src=@52></script><noscript><img src=@53></noscript><template><img src=@54></template><portal src=@55></portal>
<!--[if IE]><img src=@56><![endif]--><xml src=@57></xml><layer src=@58></layer><ilayer src=@59></ilayer><image src=@60>
<fencedframe src=@61></fencedframe><img src="//remote.example/62"><img src="\\remote.example\63"><a href=x ping=@64 id=a>x</a>"#;

/// Each line of the kinds above, and each kind alone.
fn remote() -> Vec<String> {
    let all =
        REMOTE.replace('@', "http://remote.example/").replace("http://remote.example/import", "@import");
    let all = all.replace("http://remote.example/font-face", "@font-face");
    let lines = all.lines().map(str::to_owned);
    let alone =
        all.lines().flat_map(|line| line.split_inclusive('>')).filter(|kind| kind.contains("remote.example"));
    lines.chain(alone.map(str::to_owned)).collect()
}

/// Every vector of the sets that are made of vectors, and a part of the list of near twins, another one every day that
/// the corpus changes.
fn attacks() -> Vec<String> {
    let folder = corpus::folder().join("html");
    let mut attacks = remote();
    for set in ["h5sc/vectors.json", "owasp-xss-filter-evasion/payloads.json", "naughty-strings/blns.json"] {
        let bytes = fs::read(folder.join(set)).expect("an attack set");
        strings(&serde_json::from_slice(&bytes).expect("JSON"), &mut attacks);
    }
    let list = fs::read(folder.join("xss-payload-list/xss-payload-list.txt")).expect("the list");
    let list: Vec<String> = String::from_utf8_lossy(&list).lines().map(str::to_owned).collect();
    let seed = Random::seed();
    println!("POSTERN_SEED={seed}");
    let mut random = Random::seeded(seed);
    let drawn = (0..OF_THE_LIST).map(|_| random.within(0, list.len() as u64));
    attacks.extend(drawn.filter_map(|index| list.get(usize::try_from(index).ok()?).cloned()));
    attacks
}

/// One mail with an HTML part for each attack.
fn mail(number: usize, attacks: &[String]) -> Vec<u8> {
    let mut mail = format!(
        "From: amy@alpha.example\r\nTo: {MAILBOX}\r\nSubject: {number}\r\nMessage-ID: <{number}@alpha.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_a\"\r\n\r\n"
    );
    for attack in attacks {
        let encoded = STANDARD.encode(attack);
        let lines: Vec<_> = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
        mail.push_str(
            "--=_a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        );
        mail.push_str(&lines.join("\r\n"));
        mail.push_str("\r\n");
    }
    mail.push_str("--=_a--\r\n");
    mail.into_bytes()
}

/// What the portal shows of every attack, and the frame in which it does.
struct Shown {
    views: Vec<Answer>,
    /// The attributes of the frame, as the page has them.
    frame: String,
}

fn shown(attacks: &[String]) -> Shown {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let mut amy = Smtp::login(server.submission(), AMY, &installation.password(AMY)).expect("a login");
    let mut ben = Visitor::signed_in(server.portal(), BEN, &installation.password(BEN));
    let mut shown = Shown { views: Vec::new(), frame: String::new() };
    for (number, attacks) in attacks.chunks(TOGETHER).enumerate() {
        amy.deliver(AMY, &[MAILBOX], &mail(number, attacks)).expect("an answer").reference();
        let case = ben.get("/").links("/case/").remove(0);
        let page = ben.get(&case);
        let view = page.links("/html").remove(0);
        let message = view.split("/html").next().expect("the message");
        let text = page.text();
        let frame = text.split("<iframe ").nth(1).and_then(|rest| rest.split('>').next());
        if let Some(frame) = frame {
            shown.frame = frame
                .split_once("src=\"")
                .map_or("", |(_, rest)| rest.split_once('"').map_or("", |(_, rest)| rest))
                .to_owned();
        }
        let views = (0..=attacks.len()).map(|part| ben.get(&format!("{message}/html?part={part}")));
        let views: Vec<_> = views.filter(|view| view.status == 200).collect();
        assert_eq!(views.len(), attacks.len(), "every attack is shown");
        shown.views.extend(views);
    }
    server.stop();
    shown
}

/// Opens pages in frames with these attributes, as many at a time as are in one mail, and provokes them. Gives what
/// ran, what could have, and what was asked of the world.
fn opened(pages: &[Page], attributes: &str) -> [Vec<String>; 3] {
    let trap = Trap::set();
    let browser = Browser::behind(trap.address);
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": WITNESS}));
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for (number, pages) in pages.chunks(TOGETHER).enumerate() {
        trap.clear();
        let mut frames = String::from("<!DOCTYPE html><title>frames</title>");
        for (index, page) in pages.iter().enumerate() {
            trap.put(&format!("/{number}/{index}"), page.clone());
            frames.push_str(&format!("<iframe src=\"/{number}/{index}\"{attributes}></iframe>"));
        }
        let frames = Page { headers: vec![("Content-Type".into(), "text/html".into())], body: frames.into() };
        trap.put("/frames", frames);
        browser.open(&format!("http://{HOST}/frames"));
        let said = browser.script(PROVOKE);
        let list = |what: &str| {
            said[what].as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>()
        };
        found[0].extend(list("ran"));
        found[1].extend(list("active"));
        assert_eq!(browser.url(), format!("http://{HOST}/frames"), "a mail has led its reader away");
        let strays = trap.strays().into_iter();
        found[2].extend(strays.filter(|stray| !ITS_OWN.iter().any(|own| stray.contains(own))));
    }
    found
}

fn html(body: impl Into<Vec<u8>>, policy: Option<&str>) -> Page {
    let mut headers = vec![("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned())];
    headers.extend(policy.map(|policy| ("Content-Security-Policy".to_owned(), policy.to_owned())));
    Page { headers, body: body.into() }
}

const NOTHING: [Vec<String>; 3] = [Vec::new(), Vec::new(), Vec::new()];

#[test]
fn each_defence_alone_keeps_every_script_from_running() {
    let attacks = attacks();
    let of_chromium = |attack: &&String| ITS_OWN.iter().any(|own| attack.contains(own));
    assert_eq!(attacks.iter().find(of_chromium), None);
    let shown = shown(&attacks);
    let policy = shown.views[0].header("content-security-policy").expect("a policy").to_owned();
    assert!(shown.frame.contains("sandbox"), "{}", shown.frame);

    let bare: Vec<_> = attacks.iter().map(|attack| html(attack.as_str(), None)).collect();
    let [ran, active, asked] = opened(&bare[..300], "");
    assert!(ran.len() > 20 && active.len() > 50 && asked.len() > 20, "without a defence the attacks work");

    let cleaned: Vec<_> = shown.views.iter().map(|view| html(view.body.clone(), None)).collect();
    assert_eq!(opened(&cleaned, ""), NOTHING, "the sanitiser alone");

    let confined: Vec<_> = attacks.iter().map(|attack| html(attack.as_str(), Some(&policy))).collect();
    let [ran, _, asked] = opened(&confined, &shown.frame);
    assert_eq!([ran, asked], [Vec::<String>::new(), Vec::new()], "the sandbox and the policy alone");
    println!("{} attacks opened, with each defence alone", attacks.len());
}

//! Every vector of the domain's table, near misses, and what real mail puts around them.

use mail::{Headline, Person};

use super::*;

mod own_file;

fn staff(domain: &str) -> bool {
    matches!(domain, "supplier.example" | "network.example")
}

fn person(name: &str, address: &str) -> Person {
    Person { name: Some(name.to_owned()), address: Some(address.to_owned()) }
}

fn business() -> Business<'static> {
    let headline = Headline {
        from: vec![person("Alice Brown", "alice.brown@supplier.example")],
        to: vec![person("Patel, Raj", "raj.patel@network.example")],
        ..Headline::default()
    };
    Business::new(&staff, &headline)
}

fn look(subject: &str, text: &str, attachments: &[Document<'_>]) -> Vec<Finding> {
    let business = business();
    Detectors::shipped().unwrap().find(&Inspected { subject, text, attachments, business: &business })
}

/// What counts in a text, as words.
pub(super) fn counting(text: &str) -> String {
    let detectors = Detectors::shipped().unwrap();
    detectors.findings(&look("", text, &[])).to_string()
}

fn in_sheet(text: &str) -> String {
    let document = Document { part: 3, name: "list.csv", text, whole: true };
    Detectors::shipped().unwrap().findings(&look("", "", &[document])).to_string()
}

#[track_caller]
fn all(expected: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(counting(text), expected, "{text:?}");
    }
}

#[test]
fn mpan() {
    for number in ["1234567890126", "2000000000015", "1200023305967", "1010000000000"] {
        assert_eq!(counting(&format!("MPAN: {number}")), "mpan 1");
        assert_eq!(counting(&format!("Please look at {number}.")), "mpan 1");
    }
    all("none", &["MPAN 1234567890123", "MPAN 1012345678809", "x1200023305967", "91200023305967 MPAN"]);
    all(
        "mpan 1",
        &[
            "12 0002 3305 967",
            "12\u{2011}0002\u{2013}3305-967 MPAN",
            "MPAN 12-0002-3305-967",
            "MPAN １２００023305967",
            "MPAN 1200\u{200b}0233\u{200b}05967",
            "MPAN 12 0002 3305\r\n> 967",
            "S 01 111 802\n12 0002 3305 967",
            "011118021200023305967",
            "01 111 802 12 0002 3305 967",
            "MPAN1200023305967",
            "mpan_1200023305967.pdf",
            "meter point 9512345678908",
        ],
    );
    all("none", &["order 9512345678908", "https://shop.example/?id=1200023305967&x=1", "0.1200023305967"]);
}

#[test]
fn mprn() {
    for number in ["3938424403", "12345601", "1234567810", "123409"] {
        assert_eq!(counting(&format!("MPRN: {number}")), "mprn 1");
    }
    all(
        "none",
        &["MPRN 3938424600", "MPRN 12345678", "call 3938424403", "order 123409", "MPRN unknown\n123409"],
    );
    all(
        "mprn 1",
        &["see M3938424403", "the gas meter of 3938424403", "MPRN 39384 24403", "3938424403 and the MPRN"],
    );
    assert_eq!(counting("NHS number 9434765919 and the MPRN 3938424403"), "mprn 1, nhs 1");
    assert_eq!(counting("MPRN is below.\nGas account number 3938424403"), "none");
}

#[test]
fn serial_number_of_a_meter() {
    all(
        "meter-serial 1",
        &[
            "meter S06DS123456",
            "Meter serial: S76A 13884",
            "MSN E6S12345672161",
            "serial number 12345678",
            "meter serial number G4A00123456",
            "the serial no. is Z16N123456",
        ],
    );
    all("none", &["part S06DS123456", "meter reading 12345678", "order G4A00123456"]);
}

#[test]
fn postcode() {
    for code in ["PO1 3AX", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "GIR 0AA"] {
        assert_eq!(counting(&format!("she lives in {code}.")), "postcode 1", "{code}");
    }
    all("none", &["in QA1 1AA", "in M1 1AC", "in A1 1AAA", "a disk of M1 8GB", "part AB-M1 1AE-7"]);
    all(
        "postcode 1",
        &[
            "postcode po1 3ax",
            "Postcode: PO13AX",
            "postcode PO1-3AX",
            "postcode P O 1 3 A X",
            "post code: SW1A OAA",
            "postcode PO1\u{a0}3AX",
            "supply address PO1 \r\n3AX",
        ],
    );
    assert_eq!(counting("code PO13AX"), "none");
}

#[test]
fn telephone() {
    all(
        "telephone 1",
        &[
            "her mobile is 07700 900123",
            "customer phone 01632 960123",
            "customer tel: (01632) 960 123",
            "ring +44 7700 900123",
            "ring +44 (0)1632 960123",
            "ring 0044 7700 900 123",
            "phone 020 7946 0958",
            "phone 0161-496-0000",
            "07700900123",
            "phone 016977 3555",
            "tel:+447700900123",
        ],
    );
    all(
        "none",
        &[
            "reference 01632 96012",
            "0777",
            "call our office on 01632 960123",
            "phone 0800 123 4567",
            "phone 0345 070 0700",
        ],
    );
    all("none", &["0770090012345", "1/07700900123456", "order 107700900123"]);
}

#[test]
fn national_insurance() {
    all(
        "national-insurance 1",
        &["AB123456C", "NI: AB 12 34 56 C", "nino ab123456c", "NI number AB-12-34-56-C"],
    );
    all(
        "none",
        &[
            "NI QQ123456A",
            "NI BG123456A",
            "NI TN123456A",
            "NI AO123456A",
            "NI AB123456E",
            "XAB123456C",
            "AB1234567C",
        ],
    );
}

#[test]
fn nhs() {
    all("nhs 1", &["NHS number 943 476 5919", "NHS No: 9434765919", "NHS 943-476-5919"]);
    all("none", &["NHS 943 476 5918", "number 943 476 5919", "NHS 1111111111"]);
}

#[test]
fn bank_account() {
    all(
        "bank-account 1",
        &[
            "sort code 12-34-56 account 12345678",
            "Sort code: 123456, account number: 12345678",
            "account number 12345678, sort code 12-34-56",
            "Bank details\nSort Code: 12 34 56\nAcc No: 12345678",
        ],
    );
    all("none", &["12-34-56 12345678", "account number 12345678", "sort code 12-34-56"]);
}

#[test]
fn iban() {
    all(
        "iban 1",
        &[
            "GB82WEST12345698765432",
            "GB26MIDL40051512345674",
            "IBAN GB82 WEST 1234 5698 7654 32",
            "gb82 west 1234 5698 7654 32.",
        ],
    );
    all("none", &["GB82WEST12345698765433", "XGB82WEST12345698765432"]);
}

#[test]
fn payment_card() {
    all(
        "payment-card 1",
        &[
            "4111111111111111",
            "card 5555 5555 5555 4444",
            "amex 3782 822463 10005",
            "card 4111-1111-1111-1111",
            "378282246310005",
        ],
    );
    all(
        "none",
        &[
            "4111111111111112",
            "card 4111111111111112",
            "41111111111111110000",
            "https://x.example/4111111111111111",
        ],
    );
}

#[test]
fn email() {
    all(
        "email 1",
        &[
            "jane@gmail.com",
            "the customer's e-mail is jane.smith@home.example",
            "customer <j_smith+x@home.example>",
            "mailto:jane@hotmail.co.uk",
        ],
    );
    all(
        "none",
        &[
            "alice.brown@supplier.example",
            "customer queries: et@network.example",
            "e-mail info@gmail.com",
            "id 20260102030405.123@gmail.com",
            "contact a@b",
            "[cid:image001.png@01DA1234.56789ABC]",
            "@@@@",
        ],
    );
}

#[test]
fn date_of_birth() {
    all(
        "date-of-birth 1",
        &[
            "DOB 1/2/1980",
            "born on 1st Feb 1980",
            "Date of birth: 1980-02-01",
            "D.O.B. 01.02.80",
            "date of birth February 1, 1980",
            "date of birth: 1st of February, 1980",
            "birthday 12 Sept 1955",
        ],
    );
    all(
        "none",
        &[
            "on 1/2/1980",
            "DOB 32/1/1980",
            "DOB 1/2/1880",
            "born in 1980",
            "the moved-in date is 1 February 2024",
        ],
    );
}

#[test]
fn name() {
    all(
        "name 1",
        &[
            "Mrs J. Smith called",
            "Dear Mr O'Neill",
            "Dear Mr O\u{2019}Neill",
            "Customer name: Jane Smith",
            "account holder: van der Berg, Jan",
            "Mr and Mrs Smith",
            "MRS SMITH",
            "the tenant Jane Smith-Jones",
            "Dr. Émile Zola",
            "Dear Jane Smith",
            "Full name\tJane Smith",
        ],
    );
    all(
        "none",
        &[
            "Dear Mr Patel",
            "Dear Raj",
            "Dear Jane",
            "Dear Sir or Madam",
            "Dear Customer",
            "File name: Report March",
            "MS Word",
            "the Customer Resolution Team",
            "a miss is a miss",
            "customer said Yes",
        ],
    );
}

#[test]
fn postal_address() {
    assert_eq!(counting("she lives at 12 High Street, Leeds, LS1 1UR"), "postcode 1, postal-address 1");
    assert_eq!(counting("14a The Close\nPortsmouth\nPO1 3AX"), "postcode 1, postal-address 1");
    assert_eq!(counting("supply address: Flat 2, 3-5 Mill Lane"), "postal-address 1");
    all("none", &["12 days close", "Chapter 3 Green Way", "the road ahead"]);
}

#[test]
fn vulnerability() {
    all(
        "vulnerability 1",
        &[
            "she is on dialysis",
            "has an oxygen concentrator at home",
            "a stairlift is fitted",
            "he has dementia",
            "of pensionable age",
        ],
    );
    all(
        "vulnerability 1",
        &[
            "the customer is vulnerable",
            "PSR for this customer",
            "customer is on the Priority Services Register",
        ],
    );
    all("none", &["a vulnerability of the server", "Priority Services team", "blind copy", "PSR dashboard"]);
    assert!(Detectors::shipped().unwrap().is_special(Category::Vulnerability));
}

#[test]
fn prepayment_token_and_guid() {
    all(
        "prepayment-token 1",
        &[
            "token 1234 5678 9012 3456 7890",
            "UTRN: 12345678901234567890",
            "top-up code 1234-5678-9012-3456-7890",
        ],
    );
    all("none", &["number 1234 5678 9012 3456 7890", "token 123456789012345678901"]);
    all(
        "meter-guid 1",
        &["00-1D-24-12-34-56-78-90", "GUID 00:1d:24:12:34:56:78:90", "ESME GUID 001D2412345678AB"],
    );
    all("none", &["00-1D-24-12-34-56", "00:1d:24:12:34:56:78:90:11:22", "commit 001d2412345678ab"]);
}

#[test]
fn signature_is_its_writers() {
    let signature = "Hello,\n\nplease see below.\n\nKind regards,\n\nMrs Jane Doe\nCustomer Services\nSupplier Ltd\nTel: 01632 960123\nMob: 07700 900123\n1 High Street, Leeds LS1 1UR\njane@gmail.com\n\nThis e-mail and any attachments are confidential.\nRegistered office: 2 Mill Lane, York YO1 7HH\n";
    assert_eq!(counting(signature), "none");
    assert_eq!(counting(&signature.replace("Kind regards,", "-- ")), "none");
    assert_eq!(counting(&signature.replace('\n', "\r\n> ")), "none");
    // What belongs to a consumer counts behind a signature as well.
    assert_eq!(counting(&format!("{signature}\nMPAN 1200023305967")), "mpan 1");
    let more = format!("{signature}\nCustomer name: Mary Poppins\nCustomer phone: 07700 900456\n");
    assert_eq!(counting(&more), "telephone 1, name 1");
    let quoted = format!("{signature}\nFrom: x\nSent: y\n\nMrs Mary Poppins, 07700 900456");
    assert_eq!(counting(&quoted), "telephone 1, name 1");
    assert_eq!(counting("Thanks for calling Mrs Poppins"), "name 1");
}

#[test]
fn letter_stands_there_twice() {
    let letter = "Hi Raj,\n\nplease help.\n\nKind regards\nJane Doe\nTel: 0113 496 0000\n\n";
    assert_eq!(counting(&letter.repeat(4)), "none");
    let twice = format!(
        "{letter}Dear Raj,\n\nthe customer's phone is 07700 900123.\n\nMany thanks\nJane\nTel: 0113 496 0000"
    );
    assert_eq!(counting(&twice), "telephone 1");
}

#[test]
fn cells_in_quotation_marks() {
    let sheet = "MPAN,Supply Address,Serial Number,Telephone\n\
                 1200023305967,\"12 High Street, Leeds\",12345678,01632 960123\n";
    assert_eq!(in_sheet(sheet), "mpan 1, meter-serial 1, telephone 1, postal-address 1");
    // What a row ends with does not go on in the next.
    assert_eq!(in_sheet("MPAN,Order\n12,4639910403\n144,4639910405\n144"), "none");
}

#[test]
fn card_of_a_colleague_is_business() {
    all(
        "none",
        &[
            "Raj Patel\nraj.patel@network.example\nTel 01632 960123\nLeeds LS1 1UR",
            "Mrs Mary Ray <m.ray@network.example>",
        ],
    );
}

#[test]
fn columns_speak_for_their_cells() {
    let sheet = "Account,MPAN,MPRN,Customer Name,DOB,Phone,Postcode,Serial Number\r\n\
                 1,9512345678908,123409,Jane Smith,01/02/1980,01632 960123,po1 3ax,12345678\r\n\
                 2,9512345678908,123409,\"Jones\",1980-02-01,01632 960124,PO13AX,G4A00123456\r\n";
    let expected = "mpan 2, mprn 2, meter-serial 2, postcode 2, telephone 2, date-of-birth 2, name 2";
    assert_eq!(in_sheet(sheet), expected);
    assert_eq!(in_sheet(&sheet.replace(',', "\t")), expected);
    assert_eq!(in_sheet(&sheet.replace(',', ";")), expected);
    assert_eq!(in_sheet("Order,Reading\n9512345678908,123409\n"), "none");
    assert_eq!(
        counting("MPRN      Serial number     Name\n123409  S06DS123456  x\n12345601   S06DS123457  y\n"),
        "mprn 2, meter-serial 2"
    );
}

#[test]
fn places_are_those_of_the_text_itself() {
    let text = "\u{200b}é\u{a0}MPAN １２０0023305967, x";
    let found = look("", text, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(&text[found[0].span.clone()], "１２０0023305967");
    assert_eq!(found[0].source, Source::Text);
    let found = look(
        "ET 1200023305967",
        "",
        &[Document { part: 7, name: "1200023305967.csv", text: "", whole: true }],
    );
    assert_eq!(
        found.iter().map(|f| f.source).collect::<Vec<_>>(),
        [Source::Subject, Source::AttachmentName(7)]
    );
}

#[test]
fn gas_anywhere_in_the_mail_is_enough_for_a_whole_number() {
    let detectors = Detectors::shipped().unwrap();
    let findings = |subject, text| detectors.findings(&look(subject, text, &[])).to_string();
    assert_eq!(findings("MPRN of a house", "it is 3938424403"), "mprn 1");
    assert_eq!(findings("about a house", "it is 3938424403"), "none");
}

#[test]
fn nothing_shows_a_value() {
    let found = look("", "MPAN 1200023305967", &[]);
    assert!(!format!("{found:?}").contains("1200"));
    assert!(
        !format!("{:?} {:?}", business(), Detectors::shipped().unwrap().findings(&found)).contains("1200")
    );
}

//! The file of the detectors as it is written. What it means is worked out by the lexicon and the settings; nothing here
//! looks at a mail.

use serde::Deserialize;
use toml::Spanned;

use super::Category;

pub(super) type Words = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawDetectors {
    mpan: RawDetector,
    mprn: RawDetector,
    meter_serial: RawDetector,
    postcode: RawDetector,
    telephone: RawDetector,
    national_insurance: RawDetector,
    nhs: RawDetector,
    bank_account: RawDetector,
    iban: RawDetector,
    payment_card: RawDetector,
    email: RawDetector,
    date_of_birth: RawDetector,
    name: RawDetector,
    postal_address: RawDetector,
    vulnerability: RawDetector,
    prepayment_token: RawDetector,
    meter_guid: RawDetector,
    pub(super) mprn_anywhere: RawWords,
    pub(super) meter_serial_labels: RawLabels,
    pub(super) vulnerability_near_consumers: RawWords,
    pub(super) consumers: RawWords,
    pub(super) companies: RawCompanies,
    pub(super) signatures: RawSignatures,
    pub(super) names: RawNames,
    pub(super) addresses: RawAddresses,
    pub(super) email_addresses: RawEmailAddresses,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDetector {
    #[serde(default = "on")]
    pub(super) on: bool,
    pub(super) counts_from: Spanned<String>,
    pub(super) words: Words,
    pub(super) window: Spanned<u32>,
    #[serde(default)]
    pub(super) special: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWords {
    pub(super) words: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLabels {
    pub(super) labels: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCompanies {
    pub(super) words: Words,
    pub(super) telephone_prefixes: Words,
    pub(super) allowed: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignatures {
    pub(super) closings: Words,
    pub(super) disclaimers: Words,
    pub(super) lines: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNames {
    pub(super) titles: Words,
    pub(super) greetings: Words,
    pub(super) never: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAddresses {
    pub(super) streets: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmailAddresses {
    pub(super) services: Words,
    pub(super) roles: Words,
}

impl RawDetectors {
    /// What the file says about a category.
    pub(super) fn of(&self, category: Category) -> &RawDetector {
        match category {
            Category::Mpan => &self.mpan,
            Category::Mprn => &self.mprn,
            Category::MeterSerial => &self.meter_serial,
            Category::Postcode => &self.postcode,
            Category::Telephone => &self.telephone,
            Category::NationalInsurance => &self.national_insurance,
            Category::Nhs => &self.nhs,
            Category::BankAccount => &self.bank_account,
            Category::Iban => &self.iban,
            Category::PaymentCard => &self.payment_card,
            Category::Email => &self.email,
            Category::DateOfBirth => &self.date_of_birth,
            Category::Name => &self.name,
            Category::PostalAddress => &self.postal_address,
            Category::Vulnerability => &self.vulnerability,
            Category::PrepaymentToken => &self.prepayment_token,
            Category::MeterGuid => &self.meter_guid,
        }
    }
}

fn on() -> bool {
    true
}

//! Consumers, staff and companies, all invented: no name here is meant to be anybody's.

use super::{chance::Chance, numbers};

const FIRST: [&str; 40] = [
    "Joanna",
    "Terence",
    "Priya",
    "Malcolm",
    "Agnieszka",
    "Owen",
    "Fiona",
    "Rashid",
    "Bethan",
    "Callum",
    "Deirdre",
    "Ewan",
    "Grace",
    "Hamish",
    "Imogen",
    "Jerome",
    "Kirsty",
    "Leon",
    "Maureen",
    "Niamh",
    "Oluwaseun",
    "Pauline",
    "Quentin",
    "Rosalind",
    "Sanjay",
    "Tamsin",
    "Ursula",
    "Vincent",
    "Winifred",
    "Yusuf",
    "Zoe",
    "Aidan",
    "Brenda",
    "Clive",
    "Dilys",
    "Edmund",
    "Farah",
    "Gareth",
    "Hilary",
    "Ivor",
];
const LAST: [&str; 44] = [
    "Pemberley",
    "Ashworth",
    "Quillfeather",
    "MacAllister",
    "O'Rourke",
    "Hartley-Boone",
    "Wainwright",
    "Okonjo",
    "Nowakowski",
    "Trelawney",
    "Featherstone",
    "Rahman",
    "Bickerstaff",
    "Drummond",
    "Llewellyn",
    "Osgood",
    "Patel",
    "Ramsbottom",
    "Satterthwaite",
    "Thistlewood",
    "Underhill",
    "Venables",
    "Whittaker",
    "Yarwood",
    "Abernathy",
    "Blenkinsop",
    "Cholmondeley",
    "Dunwoody",
    "Entwistle",
    "Fothergill",
    "Greenhalgh",
    "Hollingworth",
    "Inglewood",
    "Jessop",
    "Kirkbride",
    "Lonsdale",
    "Micklethwaite",
    "Narayan",
    "Oldfield",
    "Postlethwaite",
    "Rose",
    "Field",
    "March",
    "Price",
];
const STREETS: [&str; 30] = [
    "Larkspur Road",
    "Mill Lane",
    "Station Road",
    "Harbour View",
    "St Anne's Close",
    "Tannery Street",
    "Foxglove Avenue",
    "Cobbler's Hill",
    "Victoria Terrace",
    "The Crescent",
    "Birch Grove",
    "Old Quarry Drive",
    "Church Walk",
    "Meadow Way",
    "Kiln Gardens",
    "Windmill Rise",
    "Chapel Street",
    "Orchard Court",
    "Beacon Hill",
    "Dock Road",
    "Ferry Lane",
    "Elm Park",
    "Rectory Place",
    "Saddlers Mews",
    "Weaver Street",
    "Primrose Square",
    "Canal Side",
    "Gorse Bank",
    "Heron Drive",
    "Albert Road",
];
const TOWNS: [(&str, &str); 16] = [
    ("Bramhaven", "BD"),
    ("Northwick Green", "LS"),
    ("Skelby", "HU"),
    ("Port Merrion", "CF"),
    ("Ashcombe", "GL"),
    ("Tidewell", "DT"),
    ("Larkfield", "ME"),
    ("Oxenby", "LN"),
    ("Marlowe St Mary", "NR"),
    ("Penhallow", "TR"),
    ("Cairnbridge", "KY"),
    ("Glenfarrow", "PH"),
    ("Great Hedding", "PE"),
    ("Stonebeck", "HG"),
    ("Wexcombe", "SN"),
    ("Easterly", "M"),
];

/// A consumer at an address.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    pub(crate) title: &'static str,
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    pub(crate) street: String,
    pub(crate) town: &'static str,
    pub(crate) postcode: String,
    pub(crate) email: String,
}

impl Consumer {
    pub(crate) fn invented(chance: &mut Chance) -> Self {
        let (first, last) = (chance.pick(&FIRST), chance.pick(&LAST));
        let (town, area) = *chance.one(&TOWNS);
        let street = chance.pick(&STREETS);
        let street = match chance.between(0, 9) {
            0 => format!("Flat {}, {} {street}", chance.between(1, 40), chance.between(1, 180)),
            1 => format!("{}{} {street}", chance.between(1, 180), chance.letter("AB")),
            _ => format!("{} {street}", chance.between(1, 180)),
        };
        let plain: String =
            last.to_lowercase().chars().filter(|letter| letter.is_ascii_alphabetic()).collect();
        let mail =
            chance.pick(&["inboxly.example", "freemail.example", "quickpost.example", "homenet.example"]);
        let email = match chance.percent(50) {
            true => format!("{}.{plain}@{mail}", first.to_lowercase()),
            false => format!("{plain}{}@{mail}", chance.between(10, 99)),
        };
        Self {
            title: chance.pick(&["Mr", "Mrs", "Ms", "Miss", "Dr", "Mr", "Mrs"]),
            first,
            last,
            street,
            town,
            postcode: numbers::postcode(chance, area),
            email,
        }
    }

    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// A company of the market and where it sits; none of it is a consumer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Company {
    /// As it signs.
    pub(crate) name: &'static str,
    /// Its domain, which is a staff domain.
    pub(crate) domain: &'static str,
    /// Whether it runs wires and not accounts.
    pub(crate) network: bool,
    /// Where its mails say that it is registered.
    pub(crate) office: &'static str,
    /// What its mails say to ring.
    pub(crate) switchboard: &'static str,
}

/// The companies of the generated market.
pub(crate) const COMPANIES: [Company; 6] = [
    Company {
        name: "Alpha Energy",
        domain: "alpha.example",
        network: false,
        office: "Beacon House, 12 Harbour Way, Northport NE1 4ST",
        switchboard: "0330 123 4567",
    },
    Company {
        name: "Beta Power",
        domain: "beta.example",
        network: false,
        office: "1 Turbine Square, Leedale LS1 4AP",
        switchboard: "0800 028 0202",
    },
    Company {
        name: "Gamma Networks",
        domain: "gamma.example",
        network: true,
        office: "Substation House, Grid Lane, Midvale B1 1HQ",
        switchboard: "0113 496 0000",
    },
    Company {
        name: "Brightwell Gas & Electric",
        domain: "brightwell.example",
        network: false,
        office: "3rd Floor, 40 Corn Exchange, Bristow BS1 6AA",
        switchboard: "+44 117 496 0123",
    },
    Company {
        name: "Tideway Supply Ltd",
        domain: "tideway.example",
        network: false,
        office: "Unit 5, Quayside Business Park, Cardale CF10 1EP",
        switchboard: "0345 600 7000",
    },
    Company {
        name: "Wessmoor Distribution",
        domain: "wessmoor.example",
        network: true,
        office: "Pylon Court, 200 Ring Road, Exford EX2 7HY",
        switchboard: "01392 496 555",
    },
];

/// Somebody who writes for a company.
#[derive(Debug, Clone)]
pub(crate) struct Clerk {
    pub(crate) name: String,
    pub(crate) first: &'static str,
    pub(crate) address: String,
    pub(crate) job: &'static str,
    pub(crate) extension: String,
    pub(crate) company: Company,
}

impl Clerk {
    pub(crate) fn of(chance: &mut Chance, company: Company) -> Self {
        let first = chance.pick(&FIRST);
        let last = chance.pick(&[
            "Barrowclough",
            "Cartmel",
            "Dalziel",
            "Eastgate",
            "Finchley",
            "Garside",
            "Haworth",
            "Ibbotson",
            "Kershaw",
            "Lumb",
            "Murgatroyd",
            "Naylor",
            "Priestley",
            "Rigby",
            "Sugden",
            "Tempest",
        ]);
        let address = format!("{}.{}@{}", first.to_lowercase(), last.to_lowercase(), company.domain);
        let job = chance.pick(&[
            "Industry Resolutions Adviser",
            "Registrations Analyst",
            "Metering Exceptions Team",
            "Change of Supply Specialist",
            "Senior Case Handler",
            "Settlements & Industry Liaison",
            "Team Leader, Customer Operations",
        ]);
        Self { name: format!("{first} {last}"), first, address, job, extension: chance.digits(4), company }
    }
}

//! How people of the market write about each process: subjects, openings, particulars, requests. Words in braces stand for
//! facts of the case. Written from what such mails say, some by name and some only by what has happened.

/// The ways to write about one process.
#[derive(Debug)]
pub(crate) struct Wording {
    pub(crate) process: &'static str,
    /// The code that may open a subject.
    pub(crate) code: &'static str,
    /// The local part of its mailbox, as companies have named theirs.
    pub(crate) mailbox: &'static str,
    /// A network company takes part.
    pub(crate) network: bool,
    /// Only gas, only electricity, or both.
    pub(crate) fuel: Fuel,
    pub(crate) subjects: &'static [&'static str],
    pub(crate) openings: &'static [&'static str],
    pub(crate) details: &'static [&'static str],
    pub(crate) asks: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fuel {
    Both,
    Electricity,
    Gas,
}

pub(crate) const BETWEEN_SUPPLIERS: [Wording; 6] = [
    Wording {
        process: "erroneous-transfers",
        code: "ET",
        mailbox: "et",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Erroneous Transfer - {meter}",
            "ET request {num}",
            "URGENT: customer taken in error, {name}",
            "Possible erroneous switch {meter}",
            "Switched in error - please return supply",
            "ET agreed / rejected? {yourref}",
            "Wrong property registered - {addr}",
        ],
        openings: &[
            "We believe the supply at {meter} was transferred to you erroneously on {date}.",
            "Please find below an erroneous transfer raised by our customer {name}. The supply concerned is {meter}.",
            "{name} of {addr} rang us today: their supply ({meter}) has gone to you although no contract was ever signed with your company.",
            "Our records suggest we have gained {meter} in error. The occupier, {name}, says they never asked to switch and want to go back to you.",
            "We would like to raise an ET for the following meter point: {meter}, registered to you since {date}.",
            "It looks like the wrong meter point was switched: you registered {meter}, which belongs to {name} at {addr}, not to your customer next door.",
        ],
        details: &[
            "The customer got a welcome letter from you on {date2} and did not sign up with you.",
            "Reason: incorrect metering point selected by the sales agent (wrong flat).",
            "Initial read taken on the day of the transfer: {read}.",
            "We have sent the customer the 20 day letter and promised a reply. {ourref}.",
            "No valid contract could be found on our side, so we accept that the registration was a mistake.",
            "Loss date {date}. The customer wishes to remain with the old supplier.",
        ],
        asks: &[
            "Please confirm whether you accept the ET so that the supply can be returned.",
            "Can you agree that this switch was erroneous and let us know the return date?",
            "Kindly investigate and reply with accepted or rejected, stating the reason code.",
            "Please re-register the supply at the earliest date and confirm to us by return.",
        ],
    },
    Wording {
        process: "disputed-readings",
        code: "DR",
        mailbox: "cosreads",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Disputed CoS read {meter}",
            "Disputed reading - {name}, SSD {date}",
            "Opening read dispute {num}",
            "SAR proposal {meter}",
            "Customer disputes change of supplier reading",
            "Reading dispute {yourref} - agreed read needed",
        ],
        openings: &[
            "The customer {name} disputes the change of supplier reading for {meter}, SSD {date}.",
            "We have received a disputed reading from our customer at {addr}. Details: {meter}.",
            "For {meter} you sent us a closing read of {read}, but the customer's own reading on {date} was {read2}.",
            "Please consider the following supplier agreed read for {meter}, supply start date {date}.",
            "{name} tells us that the opening read on their first bill is wrong. The meter point is {meter}.",
        ],
        details: &[
            "Estimated CoS reading: {read}. Actual reading supported by photo: {read2}.",
            "Proposed read {read2} for {date}, in line with two later actual readings.",
            "The difference is more than 250 kWh, so it is above the threshold for a dispute.",
            "Meter {msn}, read history: {date} {read}, {date2} {read2}.",
            "{ourref}. The customer has been billed to {read} by you and from {read2} by us and pays twice for the units between.",
        ],
        asks: &[
            "Please let us know whether you agree to the proposed reading so that both bills can be corrected.",
            "Could you confirm the agreed read, or send us your read history?",
            "If you reject the dispute, please state the reading you hold and its type.",
            "Kindly confirm that you will use {read2} as the closing read.",
        ],
    },
    Wording {
        process: "smart-prepayment",
        code: "SP",
        mailbox: "smart.ppm",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Smart prepay CoS exception - {meter}",
            "SMETS2 PPM customer cannot top up since switch",
            "Off supply risk: smart prepayment gain {num}",
            "Smart PAYG - balance not transferred, {name}",
            "Smart prepayment change of supply exception {yourref}",
        ],
        openings: &[
            "We gained a smart prepayment customer on {date} ({meter}) and the meter does not accept our top-ups.",
            "{name} switched to us with a SMETS2 meter in prepay mode, {meter}. Since the change of supply they cannot vend.",
            "Smart prepayment exception after change of supply, {meter}, gain date {date}.",
            "The customer at {addr} is on smart PAYG. The credit of {amount} was left behind with you when the supply moved ({meter}).",
            "We lost {meter} to you on {date}; the smart meter is still in prepayment mode with our tariff and may self-disconnect.",
        ],
        details: &[
            "The device shows our supplier id but the old debt recovery rate is still on it.",
            "Security keys were not rotated at the change of supplier event, so commands fail.",
            "Customer has emergency credit only; balance on the in-home display is {amount}.",
            "Meter {msn}. Last successful top-up was on {date2}.",
            "The remaining credit before the switch was {amount}. {ourref}.",
        ],
        asks: &[
            "Please switch the meter to credit mode or clear the balance today, as the customer is at risk of going off supply.",
            "Can you confirm the credit remaining at the change of supply and transfer it to the customer?",
            "Please send us the final prepayment balance and debt settings for this smart meter.",
            "Kindly generate the keys again and tell us when the prepay configuration has been removed.",
        ],
    },
    Wording {
        process: "debt-assignment",
        code: "DAP",
        mailbox: "dap",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Debt Assignment Protocol - {meter}",
            "DAP {num} debt {amount}",
            "Debt transfer request, prepayment customer {name}",
            "Assignment of debt {yourref}",
            "DAP consent received - {name}",
        ],
        openings: &[
            "Our prepayment customer {name} wishes to switch to you and has an outstanding debt of {amount} on {meter}.",
            "Under the Debt Assignment Protocol we ask for the debt details of {meter}.",
            "We objected to the transfer of {meter} because of debt; the customer has now agreed that the debt moves with them.",
            "Please see the DAP request for {name}, {addr}, {meter}.",
            "The customer at {meter} has consented to the assignment of the debt to us as the gaining supplier.",
        ],
        details: &[
            "Balance including VAT: {amount}. Weekly recovery is set at £5.00.",
            "The amount is below the limit of £500, so it qualifies for assignment.",
            "Debt at the date of transfer: {amount}. Factored amount payable to you: 90 %.",
            "{ourref}. Signed consent was received on {date2}.",
            "The debt is not disputed by the customer and there are no complex items.",
        ],
        asks: &[
            "Please confirm the amount of the debt to be assigned and where the invoice should go.",
            "Can you send the final debt figure within the DAP time scale?",
            "Kindly accept the assignment so that the objection can be lifted.",
            "Please invoice us for the assigned debt.",
        ],
    },
    Wording {
        process: "customer-objections",
        code: "CRO",
        mailbox: "objections",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Customer requested objection {meter}",
            "CRO - {name} does not want to switch",
            "Objection raised at customer's request {num}",
            "Customer requested objection: please withdraw, {yourref}",
            "Objection on behalf of customer at {addr}",
        ],
        openings: &[
            "{name} has asked us to object to the transfer of {meter} to your company.",
            "We raised a customer requested objection for {meter} on {date}.",
            "Our customer at {addr} received your letter about a switch of {meter} and asked us to stop it.",
            "This is to tell you of a CRO for {meter}: the customer called us on {date2} and requested that we block the pending switch.",
            "You objected to our registration of {meter} at the request of {name}. The customer denies having asked for this objection.",
        ],
        details: &[
            "The customer states that no agreement was made with your sales agent.",
            "The call was recorded and the consent to object is held on file.",
            "The pending registration has a supply start date of {date}.",
            "{ourref}. The request was made by the account holder in person.",
        ],
        asks: &[
            "Please withdraw the registration or tell us why you believe there is a contract.",
            "Can you remove the objection if the request cannot be evidenced?",
            "Kindly confirm that you will not resubmit the switch without the customer's consent.",
            "Please confirm who asked for the objection and when.",
        ],
    },
    Wording {
        process: "misdirected-payments",
        code: "PMP",
        mailbox: "ppm.payments",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Misdirected payments {meter}",
            "PPM misdirected payment claim {num}",
            "Prepayment top-ups received in error - {name}",
            "MDP claim {amount} {yourref}",
            "Payments allocated to wrong supplier",
        ],
        openings: &[
            "Prepayment top-ups made by {name} for {meter} were allocated to you after we gained the supply on {date}.",
            "We claim misdirected prepayment payments for {meter}, total {amount}.",
            "Our customer at {addr} still uses a key coded for your company, so the payments for {meter} went to you.",
            "You are receiving PPM payments for {meter}, which has been with us since {date}.",
            "Please find a claim for misdirected payments: {meter}, {name}, {amount}.",
        ],
        details: &[
            "Payments between {date} and {date2}: {amount} in all, at PayPoint and Payzone.",
            "The old gas card was replaced on {date2}.",
            "We enclose the list of transactions. {ourref}.",
            "The customer's key was not returned after the change of supplier.",
        ],
        asks: &[
            "Please transfer the payments to us and confirm the amount.",
            "Can you check your suspense account and remit the misdirected money?",
            "Kindly confirm the total received in error for this meter point and send a remittance advice.",
            "Please pass the payments on so that the customer's account can be credited.",
        ],
    },
];

pub(crate) const OTHERS: [Wording; 6] = [
    Wording {
        process: "contract-manager-queries",
        code: "CMQ",
        mailbox: "contract.manager",
        network: false,
        fuel: Fuel::Both,
        subjects: &[
            "Contract Manager query - {theirco}",
            "For the attention of your contract manager",
            "Contract manager contact: several open items with {theirco}",
            "CMQ {yourref}",
            "Query for contract manager - response times",
        ],
        openings: &[
            "This is a query for your contract manager about how our two companies handle open cases.",
            "Please pass this on to the contract manager of {theirco}.",
            "As contract manager for {ourco} I would like to raise the following with my counterpart.",
            "We have a contract manager query about the volume of unanswered requests in {month}.",
        ],
        details: &[
            "We count 42 requests without an answer and would like to agree a plan.",
            "Our contact list for your company is out of date; the named manager has left.",
            "I suggest a call next week between the two contract managers. {ourref}.",
            "An example is {meter}, which has been open since {date}.",
        ],
        asks: &[
            "Could the contract manager reply with a convenient time?",
            "Please confirm who acts as contract manager at the moment.",
            "I would be grateful for your contract manager's answer to this query.",
        ],
    },
    Wording {
        process: "disconnections",
        code: "ED",
        mailbox: "disconnections",
        network: true,
        fuel: Fuel::Electricity,
        subjects: &[
            "Disconnection request {meter}",
            "Electricity disconnection - {addr}",
            "Confirm disconnected: {num}",
            "Supply removed, building demolished {meter}",
            "MPAN to be logically disconnected {yourref}",
        ],
        openings: &[
            "Please disconnect the electricity supply at {addr}, {meter}.",
            "We have been told that the building at {addr} was demolished. Please confirm the disconnection of {meter}.",
            "The supply {meter} was physically disconnected on {date} but is still energised in the registration system.",
            "We request a permanent disconnection of {meter} on behalf of the owner, {name}.",
            "Your network has cut the service cable at {addr} in {month}; the MPAN has not been made extinct: {meter}.",
        ],
        details: &[
            "Meter {msn} was removed on {date2}, final reading {read}.",
            "The service head is to be taken out, as the owner wants no supply at the premises any more.",
            "Photographs of the removed cut-out can be sent. {ourref}.",
            "The plot is going to be redeveloped.",
        ],
        asks: &[
            "Please confirm the date of disconnection and set the MPAN to disconnected.",
            "Can you tell us whether the supply has been removed and update the status to extinct?",
            "Kindly arrange for the disconnection and send us the D0125.",
            "Please carry out the disconnection and confirm the date.",
        ],
    },
    Wording {
        process: "address-management",
        code: "MPA",
        mailbox: "mpas.address",
        network: true,
        fuel: Fuel::Electricity,
        subjects: &[
            "Address amendment {meter}",
            "Metering point address update - {addr}",
            "Plot to postal: {num}",
            "Wrong address held for MPAN {yourref}",
            "ECOES address incorrect {meter}",
        ],
        openings: &[
            "The metering point address held for {meter} is wrong and should be {addr}.",
            "Please amend the address of {meter}. It is shown as a plot number, the postal address is {addr}.",
            "ECOES shows an incorrect address for {meter}.",
            "The developer has given us the plot to postal list; for {meter} the address should read {addr}.",
            "Customer {name} cannot find their supply because the address on your register is out of date: {meter}.",
        ],
        details: &[
            "The street was renamed and the postcode has changed.",
            "Confirmed against the Royal Mail address file and by the serial number on site, {msn}.",
            "The flats were renumbered by the council in {month}. {ourref}.",
            "Site visit on {date2} confirmed which metering point serves which property.",
        ],
        asks: &[
            "Please update the metering point address and confirm.",
            "Can you correct the address on the register and let us know when it shows?",
            "Kindly amend the address data for this metering point.",
        ],
    },
    Wording {
        process: "retrospective-mpad",
        code: "RMA",
        mailbox: "mpad.retro",
        network: true,
        fuel: Fuel::Electricity,
        subjects: &[
            "Retrospective amendment {meter}",
            "Retro MPAD request {num}",
            "MPAD - backdate energisation status {meter}",
            "Retrospective MPAD amendment {yourref}",
            "Retrospective change of measurement class, {num}",
        ],
        openings: &[
            "We request a retrospective amendment of the MPAD data for {meter}.",
            "The energisation status of {meter} should be changed retrospectively to de-energised with effect from {date}.",
            "Please make the following retrospective MPAD amendment: {meter}.",
            "The profile class of {meter} was wrong from {date} and has to be backdated in MPAS.",
            "A retro change is needed for {meter}: the agent appointment has the wrong effective from date.",
        ],
        details: &[
            "Current value: E; requested value: D; effective from {date}.",
            "The settlement run for this date has not passed the final reconciliation.",
            "Line loss factor class 101 should read 105 for the same period. {ourref}.",
            "All agents have agreed to the retrospective change.",
        ],
        asks: &[
            "Please apply the amendment retrospectively and confirm by return.",
            "Can you process this retro update within the MPAD time scale?",
            "Kindly confirm that the retrospective amendment has been made.",
        ],
    },
    Wording {
        process: "crossed-meters",
        code: "CM",
        mailbox: "crossed.meters",
        network: false,
        fuel: Fuel::Gas,
        subjects: &[
            "Crossed meters - {meter}",
            "Crossed gas meters at {addr}",
            "Meters crossed between two flats {num}",
            "Crossed meter investigation {yourref}",
        ],
        openings: &[
            "We believe that the gas meters of two neighbouring flats are crossed. Ours is {meter}.",
            "Customer {name} at {addr} is billed for the neighbour's gas: the meters appear to be crossed. {meter}.",
            "A site visit on {date} found crossed meters: meter {msn} is registered against {meter} but serves the other flat.",
            "This is a crossed meter case involving your customer and ours; our meter point is {meter}.",
        ],
        details: &[
            "Turning off the gas at the meter of flat 3 stopped the boiler in flat 4.",
            "Serial on site {msn}; yours would then be the other one in the box.",
            "The two meter serial numbers have been swapped in the records. {ourref}.",
            "Both customers have been overcharged or undercharged since {date2}.",
        ],
        asks: &[
            "Please check the serial number at your property and agree the swap.",
            "Can you arrange a visit on your side to confirm the crossed meters?",
            "Kindly confirm the readings so that both suppliers can rebill.",
        ],
    },
    Wording {
        process: "duplicate-meter-points",
        code: "DMP",
        mailbox: "duplicates",
        network: false,
        fuel: Fuel::Gas,
        subjects: &[
            "Duplicate MPRN {meter}",
            "Duplicate meter point - {addr}",
            "Two MPRNs for one property {num}",
            "Duplicate meter points {yourref}",
        ],
        openings: &[
            "We have found a duplicate meter point at {addr}: {meter} is registered to us and a second MPRN to you for the same gas supply.",
            "There seem to be two MPRNs for one meter at {addr}. Ours is {meter}.",
            "{name} gets two gas bills for a single meter, {msn}. The meter point on our side is {meter}.",
            "A duplicate MPRN was set up for the property; the one that should stay is {meter}.",
        ],
        details: &[
            "Both meter points show the same meter serial number, {msn}.",
            "Only one service pipe exists according to the site visit of {date}.",
            "The duplicate was created when the meter was exchanged on {date2}. {ourref}.",
            "The customer has paid both suppliers since {date}.",
        ],
        asks: &[
            "Please agree which of the duplicates is to be set to dead.",
            "Can you have the duplicate meter point withdrawn and confirm?",
            "Kindly confirm whether you still bill on the second MPRN.",
        ],
    },
];

/// Subjects and texts of the same offices about nothing that is a process.
pub(crate) const OTHER_BUSINESS: &[(&str, &str)] = &[
    (
        "Lunch on Thursday?",
        "Are you still on for Thursday? The new place on the corner has a table at half past twelve.",
    ),
    (
        "Minutes of the industry forum",
        "Thank you all for attending. The minutes and the action log are on the shared drive. The next meeting is on {date}.",
    ),
    (
        "Invoice query",
        "We cannot match your invoice to a purchase order. Could you send a copy with the order number on it, and the breakdown by month?",
    ),
    (
        "Planned maintenance this weekend",
        "Our data transfer gateway will be out of service from Saturday 22:00 to Sunday 04:00. No action is needed on your side.",
    ),
    (
        "New starter in the team",
        "I am pleased to say that a new analyst joins us on {date}. Please add them to the distribution list for the weekly call.",
    ),
    (
        "Office move",
        "From {month} our team sits on the third floor. Telephone numbers and addresses stay as they are.",
    ),
    (
        "Training slots",
        "There are four places left on the settlement basics course. Let me know by Friday whether you would like one.",
    ),
    (
        "Tariff update effective {month}",
        "Please find the new published tariffs attached to our web site. The unit rates change, the standing charges do not.",
    ),
    (
        "Re: contract renewal",
        "Legal have come back with two small comments on clause 14. I think we can sign next week.",
    ),
    ("Parking permits", "Permits run out at the end of {month}. Reception has the forms."),
    ("Thank you", "Just a quick note to say thanks for sorting this out so quickly. Much appreciated."),
    (
        "System access",
        "My password for the test environment has expired again. Could somebody reset it? The user name is unchanged.",
    ),
    (
        "Monthly figures",
        "Attached are the volumes for {month}: 1,204 gains, 1,187 losses, 96 % of flows on time. Nothing unusual to report.",
    ),
    ("Survey", "We would value your view on our service. The survey takes three minutes and is anonymous."),
];

/// What an order to the earlier mail looks like when nothing new is said.
pub(crate) const CHASERS: &[&str] = &[
    "Any update on the below please?",
    "Chasing a reply to this one. It is now past the agreed time.",
    "Please see my earlier mail below and advise.",
    "Further to the below, could somebody come back to me today?",
    "Second request. Grateful for a response.",
];

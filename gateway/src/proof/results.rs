//! What the checks said, in the words that are stored and shown (RFC 8601 §2.7).

use mail_auth::arc::ArcError;
use mail_auth::dkim::DkimError;
use mail_auth::{DkimResult, DmarcOutput, DmarcResult, Error, SpfOutput, SpfResult};
use store::AuthResult;

pub(super) fn spf(output: &SpfOutput) -> AuthResult {
    match output.result() {
        SpfResult::Pass => AuthResult::Pass,
        SpfResult::Fail => AuthResult::Fail,
        SpfResult::SoftFail => AuthResult::SoftFail,
        SpfResult::Neutral => AuthResult::Neutral,
        SpfResult::TempError => AuthResult::TemporaryError,
        SpfResult::PermError => AuthResult::PermanentError,
        SpfResult::None => AuthResult::None,
    }
}

/// The best of several signatures; none where there are none.
pub(super) fn dkim<'a>(results: impl Iterator<Item = &'a DkimResult>) -> AuthResult {
    const BEST_FIRST: [AuthResult; 6] = [
        AuthResult::Pass,
        AuthResult::TemporaryError,
        AuthResult::Fail,
        AuthResult::PermanentError,
        AuthResult::Neutral,
        AuthResult::None,
    ];
    let said: Vec<AuthResult> = results.map(signature).collect();
    BEST_FIRST.into_iter().find(|result| said.contains(result)).unwrap_or_default()
}

fn signature(result: &DkimResult) -> AuthResult {
    match result {
        DkimResult::Pass => AuthResult::Pass,
        // A changed body is a failure, not an oddity of the signature (RFC 8601 §2.7.1).
        DkimResult::Neutral(
            Error::Dkim(DkimError::FailedBodyHashMatch) | Error::Arc(ArcError::FailedBodyHashMatch),
        )
        | DkimResult::Fail(_) => AuthResult::Fail,
        DkimResult::Neutral(_) => AuthResult::Neutral,
        DkimResult::PermError(_) => AuthResult::PermanentError,
        DkimResult::TempError(_) => AuthResult::TemporaryError,
        DkimResult::None => AuthResult::None,
    }
}

/// Passes if one of the two does (RFC 7489 §4.2); fails where there is a policy and neither does.
pub(super) fn dmarc(output: &DmarcOutput) -> AuthResult {
    let both = [output.spf_result(), output.dkim_result()];
    if both.contains(&&DmarcResult::Pass) {
        AuthResult::Pass
    } else if both.iter().any(|one| matches!(one, DmarcResult::TempError(_))) {
        AuthResult::TemporaryError
    } else if both.iter().any(|one| matches!(one, DmarcResult::PermError(_))) {
        AuthResult::PermanentError
    } else if output.dmarc_record().is_some() {
        AuthResult::Fail
    } else {
        AuthResult::None
    }
}

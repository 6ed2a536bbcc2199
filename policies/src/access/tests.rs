//! What the table must never grant, and how somebody stands to a case.

use super::*;

/// The relation of a user of `group` with the permissions (participant, process, contact type) to a case of alpha
/// (ALPH) and beta (BETA), erroneous transfers, initial request.
fn stands(group: &str, permissions: &[(&str, &str, &str)]) -> Relation {
    let groups: Vec<GroupId> = ["alpha", "beta"].map(|g| g.parse().unwrap()).into();
    let mpids: Vec<Mpid> = ["ALPH", "BETA"].map(|m| m.parse().unwrap()).into();
    let held: Vec<(Mpid, ProcessId, ContactType)> = permissions
        .iter()
        .map(|(m, p, c)| (m.parse().unwrap(), p.parse().unwrap(), c.parse().unwrap()))
        .collect();
    relation(
        &group.parse().unwrap(),
        held.iter().map(|(participant, process, contact_type)| Permission {
            participant,
            process,
            contact_type,
        }),
        groups.iter().zip(&mpids).map(|(group, participant)| Side { group, participant }),
        &"erroneous-transfers".parse().unwrap(),
        &"initial-request".parse().unwrap(),
    )
}

#[test]
fn a_permission_counts_for_participant_process_and_contact_type_together() {
    let whole = ("BETA", "erroneous-transfers", "initial-request");
    assert_eq!(stands("beta", &[whole]), Relation::Permitted);
    assert_eq!(stands("beta", &[("BETA", "crossed-meters", "initial-request"), whole]), Relation::Permitted);
    for part in [
        ("ALPH", "erroneous-transfers", "initial-request"),
        ("BETA", "crossed-meters", "initial-request"),
        ("BETA", "erroneous-transfers", "escalation-1"),
    ] {
        assert_eq!(stands("beta", &[part]), Relation::OwnSide, "{part:?}");
    }
    assert_eq!(stands("beta", &[]), Relation::OwnSide);
}

#[test]
fn nobody_of_a_third_group_is_more_than_foreign() {
    let stolen = ("BETA", "erroneous-transfers", "initial-request");
    assert_eq!(stands("gamma", &[stolen]), Relation::Foreign);
}

#[test]
fn no_role_reads_a_case_without_the_permission_and_the_operator_never() {
    let of_a_case = |action: &Action| action.matter() == Matter::Case && *action != Action::ReadOutbox;
    for action in Action::ALL.into_iter().filter(of_a_case) {
        for role in Role::ALL {
            for relation in Relation::ALL.into_iter().filter(|r| *r != Relation::Permitted) {
                assert!(!may(action, role, relation), "{action:?} {role:?} {relation:?}");
            }
            assert_eq!(may(action, role, Relation::Permitted), role != Role::Operator);
        }
    }
}

#[test]
fn the_operator_and_other_groups_have_nothing_of_a_group() {
    let of_a_group = |action: &Action| matches!(action.matter(), Matter::Group | Matter::User);
    for action in Action::ALL.into_iter().filter(of_a_group) {
        for relation in Relation::ALL {
            // The operator signs in like everybody, and keeps the own password and factors.
            let own_keys = action == Action::ManageSignIn && relation == Relation::Mine;
            assert_eq!(may(action, Role::Operator, relation), own_keys, "{action:?} {relation:?}");
        }
        for role in Role::ALL {
            assert!(!may(action, role, Relation::Foreign), "{action:?} {role:?}");
            assert!(!may(action, role, Relation::Permitted), "{action:?} {role:?}: no case is concerned");
        }
    }
}

#[test]
fn what_is_the_markets_is_the_operators_alone() {
    for action in Action::ALL.into_iter().filter(|action| action.matter() == Matter::Market) {
        for role in Role::ALL {
            assert_eq!(may(action, role, Relation::Market), role == Role::Operator, "{action:?} {role:?}");
        }
    }
}

#[test]
fn held_mail_is_for_compliance_of_the_senders_group() {
    let [alpha, beta]: [GroupId; 2] = ["alpha", "beta"].map(|group| group.parse().unwrap());
    assert!(may(Action::OpenHeld, Role::Compliance, Relation::to_group(&alpha, &alpha)));
    assert!(!may(Action::OpenHeld, Role::Mau, Relation::to_group(&alpha, &alpha)));
    assert!(!may(Action::OpenHeld, Role::Compliance, Relation::to_group(&alpha, &beta)));
}

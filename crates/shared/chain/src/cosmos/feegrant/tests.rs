use proptest::prelude::*;
use prost::Name;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn uscrt(amount: u128) -> Vec<Coin> {
    vec![Coin { denom: "uscrt".into(), amount: amount.to_string() }]
}

fn any<T: prost::Message + Name>(message: &T) -> Any {
    Any { type_url: format!("/{}", T::full_name()), value: message.encode_to_vec() }
}

fn send() -> [Message; 1] {
    [Message::Send(MsgSend::default())]
}

fn periodic(limit: Vec<Coin>) -> Allowance {
    let periodic = PeriodicAllowance {
        basic: Some(BasicAllowance { spend_limit: limit, expiration: None }),
        period: Some(Duration { seconds: 10, nanos: 0 }),
        period_spend_limit: uscrt(5),
        period_can_spend: uscrt(5),
        period_reset: Some(Timestamp { seconds: 100, nanos: 0 }),
    };
    Allowance::decode(&any(&periodic)).expect("an allowance")
}

#[test]
fn a_limit_is_spent_to_its_end_and_not_beyond() {
    let basic = BasicAllowance { spend_limit: uscrt(10), expiration: None };
    let allowance = Allowance::decode(&any(&basic)).expect("an allowance");
    let left = allowance.clone().pay(0, 4, &send()).expect("within the limit").expect("something left");
    assert_eq!(left.limit, Some(6));
    assert_eq!(left.clone().pay(0, 7, &send()), Err(AllowanceError::Exceeded("basic allowance")));
    assert_eq!(left.pay(0, 6, &send()), Ok(None));
    assert_eq!(Allowance::default().pay(0, u128::MAX, &send()), Ok(Some(Allowance::default())));
}

#[test]
fn the_last_moment_counts_and_the_next_one_does_not() {
    let expiration = Some(Timestamp { seconds: 7, nanos: 5 });
    let allowance = Allowance::decode(&any(&BasicAllowance { spend_limit: vec![], expiration })).expect("an allowance");
    assert!(allowance.clone().pay(7 * SECOND + 5, 1, &send()).is_ok());
    let late = allowance.pay(7 * SECOND + 6, 1, &send());
    assert_eq!(late, Err(AllowanceError::Expired("basic allowance")));
    assert_eq!(late.expect_err("late").to_string(), "basic allowance: fee allowance expired");
}

#[test]
fn a_period_begins_anew_at_its_moment_or_after_a_pause() {
    let spent = periodic(vec![]).pay(99 * SECOND, 5, &send()).expect("within").expect("a period");
    assert_eq!(spent.clone().pay(99 * SECOND, 1, &send()), Err(AllowanceError::Exceeded("period limit")));
    let next = spent.clone().pay(103 * SECOND, 2, &send()).expect("renewed").and_then(|left| left.period);
    assert_eq!(next.map(|period| (period.left, period.reset)), Some((3, 110 * u128::from(SECOND))));
    let later = spent.pay(500 * SECOND, 2, &send()).expect("renewed").and_then(|left| left.period);
    assert_eq!(later.map(|period| period.reset), Some(510 * u128::from(SECOND)));
    let whole = periodic(uscrt(3)).pay(100 * SECOND, 4, &send());
    assert_eq!(whole, Err(AllowanceError::Exceeded("period limit")), "a period never allows more than the whole");
}

#[test]
fn other_messages_are_not_paid_for() {
    let allowed = |url: &str| {
        let allowance = Some(any(&BasicAllowance::default()));
        let allowed = AllowedMsgAllowance { allowance, allowed_messages: vec![url.into()] };
        Allowance::decode(&any(&allowed)).expect("an allowance").pay(0, 1, &send())
    };
    assert!(allowed("/cosmos.bank.v1beta1.MsgSend").is_ok());
    assert_eq!(allowed("/cosmos.bank.v1beta1.MsgMultiSend"), Err(AllowanceError::Message));
}

#[test]
fn what_is_not_an_allowance_is_refused() {
    let nested = AllowedMsgAllowance { allowance: None, allowed_messages: vec!["/a".into()] };
    let twice = AllowedMsgAllowance { allowance: Some(any(&nested)), allowed_messages: vec!["/a".into()] };
    let foreign = vec![Coin { denom: "uatom".into(), amount: "1".into() }];
    let late = Some(Timestamp { seconds: i64::MAX, nanos: 0 });
    let refused = [
        any(&nested),
        any(&twice),
        any(&AllowedMsgAllowance { allowance: Some(any(&BasicAllowance::default())), allowed_messages: vec![] }),
        any(&AllowedMsgAllowance {
            allowance: Some(any(&BasicAllowance::default())),
            allowed_messages: vec!["/".repeat(limits::TYPE_URL_BYTES + 1)],
        }),
        any(&BasicAllowance { spend_limit: uscrt(0), expiration: None }),
        any(&BasicAllowance { spend_limit: foreign, expiration: None }),
        any(&BasicAllowance { spend_limit: vec![], expiration: late }),
        any(&PeriodicAllowance {
            period: Some(Duration { seconds: -1, nanos: 0 }),
            period_spend_limit: uscrt(1),
            ..Default::default()
        }),
        any(&PeriodicAllowance::default()),
        any(&MsgSend::default()),
        Any { type_url: "/cosmos.feegrant.v1beta1.BasicAllowance".into(), value: vec![0xff] },
    ];
    for any in refused {
        assert!(Allowance::decode(&any).is_err(), "{any:?}");
    }
}

proptest! {
    #[test]
    fn no_more_is_ever_paid_than_was_granted(limit in 1u128..1_000, steps in prop::collection::vec((0u64..30, 0u128..8), 1..60)) {
        let (mut left, mut now, mut paid) = (Some(periodic(uscrt(limit))), 90, 0);
        for (pause, fee) in steps {
            now += pause;
            let Some(allowance) = left.clone() else { break };
            if let Ok(rest) = allowance.pay(now * SECOND, fee, &send()) {
                paid += fee;
                left = rest;
            }
            prop_assert_eq!(left.as_ref().and_then(|left| left.limit).unwrap_or(0), limit - paid);
        }
    }
}

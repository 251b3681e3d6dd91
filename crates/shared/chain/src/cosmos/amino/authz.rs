//! Authorizations in sign documents.

use secret_sdk_proto::cosmos::authz::v1beta1::MsgGrant;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use time::OffsetDateTime;

use super::{Json, list, object, text, typed};
use crate::cosmos::{Authorization, AuthzMessage, DENOM, Grant, Message, bech32};

/// `{"type", "value"}` of one message. Grants about stake have none: published clients do not agree with the SDK on it.
pub(super) fn message(message: &AuthzMessage) -> Option<Json> {
    Some(match message {
        AuthzMessage::Grant(m) => {
            let members = [("grant", grant(m)?), ("grantee", text(&m.grantee)), ("granter", text(&m.granter))];
            typed("cosmos-sdk/MsgGrant", object(members))
        }
        AuthzMessage::Revoke(m) => {
            let members =
                [("grantee", text(&m.grantee)), ("granter", text(&m.granter)), ("msg_type_url", text(&m.msg_type_url))];
            typed("cosmos-sdk/MsgRevoke", object(members))
        }
        AuthzMessage::Exec(exec) => {
            let messages = exec.messages.iter().map(Message::amino).collect::<Option<_>>()?;
            typed("cosmos-sdk/MsgExec", object([("grantee", text(&exec.grantee)), ("msgs", Json::List(messages))]))
        }
    })
}

fn grant(message: &MsgGrant) -> Option<Json> {
    let authorization = match Grant::decode(message).ok()?.authorization {
        Authorization::Generic(url) => typed("cosmos-sdk/GenericAuthorization", object([("msg", text(url))])),
        Authorization::Send { limit, to } => {
            let limit = [Coin { denom: DENOM.into(), amount: limit.to_string() }];
            let to: Vec<Json> = to.iter().map(|to| text(bech32(to))).collect();
            let to = (!to.is_empty()).then_some(("allow_list", Json::List(to)));
            typed("cosmos-sdk/SendAuthorization", object([("spend_limit", list(&limit))].into_iter().chain(to)))
        }
        Authorization::Stake { .. } => return None,
    };
    let end = match &message.grant.as_ref()?.expiration {
        None => None,
        Some(time) if time.nanos == 0 => Some(("expiration", text(second(time.seconds)?))),
        Some(_) => return None,
    };
    Some(object([("authorization", authorization)].into_iter().chain(end)))
}

/// RFC 3339, as Go writes a time without a fraction.
fn second(seconds: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

//! Who pays the fees of others (Cosmos SDK 0.50, `x/feegrant`).

use cloister_chain::cosmos::{Allowance, AllowanceError, CosmosError, CosmosTx, bech32, from_bech32};
use cloister_chain::receipt::Event;
use cloister_chain::{Address, Header, Leaf};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::feegrant::v1beta1::{
    MsgGrantAllowance, MsgGrantAllowanceResponse, MsgRevokeAllowance, MsgRevokeAllowanceResponse,
};

use super::meter::{Fail, Meter};
use super::{answer, bank, events};

/// Takes the fee of `tx` from what `grantee` may spend of `granter`'s coins. The coins themselves stay where they are.
pub(super) fn pay<S: Supply>(
    meter: &mut Meter<'_, S>,
    header: &Header,
    (granter, grantee): (Address, Address),
    tx: &CosmosTx,
) -> Result<Vec<Event>, Fail> {
    let leaf = Leaf::Allowance(grantee, granter);
    let allowance: Option<Allowance> = meter.read(leaf)?;
    let paid = allowance.ok_or(AllowanceError::Unknown);
    let left = paid.and_then(|allowance| allowance.pay(header.time, tx.fee(), tx.messages())).map_err(|error| {
        let (codespace, code) = error.code();
        Fail::of(codespace, code, error.text(&granter, &grantee))
    })?;
    meter.write(leaf, left.as_ref())?;
    let event = |kind| said(kind, &granter, &grantee);
    // In the SDK's order.
    Ok(match left {
        Some(_) => vec![event("use_feegrant"), event("update_feegrant")],
        None => vec![event("revoke_feegrant"), event("use_feegrant")],
    })
}

/// A message that grants: its response and its events.
pub(crate) fn grant<S: Supply>(
    meter: &mut Meter<'_, S>,
    header: &Header,
    message: &MsgGrantAllowance,
) -> Result<(Any, Vec<Event>), Fail> {
    let invalid = |log: &str| Fail::from(CosmosError::Invalid(log.into()));
    let (granter, grantee) = (from_bech32(&message.granter)?, from_bech32(&message.grantee)?);
    let any = message.allowance.as_ref().ok_or_else(|| invalid("allowance should not be empty"))?;
    let allowance = Allowance::decode(any)?;
    let leaf = Leaf::Allowance(grantee, granter);
    // One that expired is none: the SDK deletes those.
    if meter.read::<Allowance>(leaf)?.is_some_and(|old| !old.expired(header.time)) {
        return Err(invalid("fee allowance already exists"));
    }
    if allowance.expired(header.time) {
        return Err(invalid("expiration is before current block time"));
    }
    // Who never had a coin may sign from now on.
    bank::open(meter, grantee)?;
    meter.write(leaf, Some(&allowance))?;
    let response = answer("/cosmos.feegrant.v1beta1.MsgGrantAllowanceResponse", &MsgGrantAllowanceResponse {});
    Ok((response, vec![said("set_feegrant", &granter, &grantee)]))
}

/// A message that takes a grant back: its response and its events.
pub(crate) fn revoke<S: Supply>(
    meter: &mut Meter<'_, S>,
    message: &MsgRevokeAllowance,
) -> Result<(Any, Vec<Event>), Fail> {
    let (granter, grantee) = (from_bech32(&message.granter)?, from_bech32(&message.grantee)?);
    let leaf = Leaf::Allowance(grantee, granter);
    if meter.read::<Allowance>(leaf)?.is_none() {
        let (codespace, code) = AllowanceError::Unknown.code();
        return Err(Fail::of(codespace, code, AllowanceError::Unknown.to_string()));
    }
    meter.write(leaf, None::<&Allowance>)?;
    let response = answer("/cosmos.feegrant.v1beta1.MsgRevokeAllowanceResponse", &MsgRevokeAllowanceResponse {});
    Ok((response, vec![said("revoke_feegrant", &granter, &grantee)]))
}

fn said(kind: &str, granter: &Address, grantee: &Address) -> Event {
    events::event(kind, [("granter", bech32(granter)), ("grantee", bech32(grantee))])
}

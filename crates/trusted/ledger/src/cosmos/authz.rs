//! Who acts for others (Cosmos SDK 0.50, `x/authz`).
//!
//! A grant that has ended counts as none: the SDK deletes those at the beginning of a block.

use cloister_chain::cosmos::{AuthorizationError, AuthzMessage, Exec, Grant, Message, bech32, from_bech32};
use cloister_chain::receipt::Event;
use cloister_chain::{Address, Header, Leaf};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::authz::v1beta1::{
    MsgExecResponse, MsgGrant, MsgGrantResponse, MsgRevoke, MsgRevokeResponse,
};

use super::meter::{Fail, Meter};
use super::{answer, bank, events};
use crate::compute::{self, Work};

/// A message of the module, within the `index`th one of its transaction: its response and its events.
pub(crate) fn handle<S: Supply>(
    work: &mut Work<'_, '_, S>,
    message: &AuthzMessage,
    index: usize,
) -> Result<(Any, Vec<Event>), Fail> {
    match message {
        AuthzMessage::Grant(message) => grant(&mut work.meter, work.scene.header, message),
        AuthzMessage::Revoke(message) => revoke(&mut work.meter, message),
        AuthzMessage::Exec(exec) => execute(work, exec, index),
    }
}

fn grant<S: Supply>(meter: &mut Meter<'_, S>, header: &Header, message: &MsgGrant) -> Result<(Any, Vec<Event>), Fail> {
    let (granter, grantee) = (from_bech32(&message.granter)?, from_bech32(&message.grantee)?);
    if granter == grantee {
        return Err(AuthorizationError::Oneself.into());
    }
    let grant = Grant::decode(message)?;
    let url = grant.authorization.type_url();
    if !Message::exists(url) {
        return Err(AuthorizationError::Nothing(url.to_owned()).into());
    }
    if grant.expired(header.time) {
        return Err(AuthorizationError::Expired.into());
    }
    // Who never had a coin may sign from now on.
    bank::open(meter, grantee)?;
    meter.write(Leaf::grant(grantee, granter, url), Some(&grant))?;
    let response = answer("/cosmos.authz.v1beta1.MsgGrantResponse", &MsgGrantResponse {});
    Ok((response, vec![said("EventGrant", &granter, &grantee, url)]))
}

fn revoke<S: Supply>(meter: &mut Meter<'_, S>, message: &MsgRevoke) -> Result<(Any, Vec<Event>), Fail> {
    let (granter, grantee) = (from_bech32(&message.granter)?, from_bech32(&message.grantee)?);
    let url = message.msg_type_url.as_str();
    let leaf = Leaf::grant(grantee, granter, url);
    if meter.read::<Grant>(leaf)?.is_none() {
        return Err(AuthorizationError::Unknown(granter, grantee, url.to_owned()).into());
    }
    meter.write(leaf, None::<&Grant>)?;
    let response = answer("/cosmos.authz.v1beta1.MsgRevokeResponse", &MsgRevokeResponse {});
    Ok((response, vec![said("EventRevoke", &granter, &grantee, url)]))
}

/// Runs messages whose signers let the grantee send them. All of them happen, or none.
fn execute<S: Supply>(work: &mut Work<'_, '_, S>, exec: &Exec, index: usize) -> Result<(Any, Vec<Event>), Fail> {
    let grantee = from_bech32(&exec.grantee)?;
    let (mut results, mut all) = (Vec::new(), Vec::new());
    for (place, message) in exec.messages.iter().enumerate() {
        work.go_on()?;
        let [granter] = message.signers()[..] else { return Err(AuthorizationError::Signers.into()) };
        if granter != grantee {
            spend(&mut work.meter, work.scene.header, granter, grantee, message)?;
        }
        let done = compute::handle(work, message, index);
        let named = |fail: Fail| fail.within(&format!("failed to execute message; message {}", message.type_url()));
        let (response, mut emitted) = done.map_err(named)?;
        for event in &mut emitted {
            event.attributes.push(("authz_msg_index".into(), place.to_string()));
        }
        all.append(&mut emitted);
        results.push(response.value);
    }
    Ok((answer("/cosmos.authz.v1beta1.MsgExecResponse", &MsgExecResponse { results }), all))
}

/// Uses a grant for `message`.
fn spend<S: Supply>(
    meter: &mut Meter<'_, S>,
    header: &Header,
    granter: Address,
    grantee: Address,
    message: &Message,
) -> Result<(), Fail> {
    let leaf = Leaf::grant(grantee, granter, message.type_url());
    let grant = meter.read::<Grant>(leaf)?.filter(|grant| !grant.expired(header.time));
    let unknown = || AuthorizationError::Unknown(granter, grantee, message.type_url().to_owned());
    let Grant { authorization, expiration } = grant.ok_or_else(unknown)?;
    let before = authorization.clone();
    let left = authorization.spend(message)?;
    if left.as_ref() == Some(&before) {
        return Ok(());
    }
    meter.write(leaf, left.map(|authorization| Grant { authorization, expiration }).as_ref())
}

impl From<AuthorizationError> for Fail {
    fn from(error: AuthorizationError) -> Self {
        let (codespace, code) = error.code();
        Self::of(codespace, code, error.to_string())
    }
}

/// A typed event: attributes by name, their values in JSON.
fn said(kind: &str, granter: &Address, grantee: &Address, url: &str) -> Event {
    let attributes = [("grantee", bech32(grantee)), ("granter", bech32(granter)), ("msg_type_url", url.to_owned())];
    let quoted = attributes.map(|(key, value)| (key, format!("\"{value}\"")));
    events::event(&format!("cosmos.authz.v1beta1.{kind}"), quoted)
}

//! `cosmos.feegrant.v1beta1`: who pays the fees of others. What has expired is not shown: the SDK deletes it.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::{Allowance, bech32, from_bech32};
use cloister_chain::{Address, Leaf};
use cloister_store::StoreError;
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, NamedPair, Page, Reply};
use super::view::{self, pagination};
use super::{Backend, Door};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/feegrant/v1beta1/allowance/{granter}/{grantee}", get(allowance))
        .route("/cosmos/feegrant/v1beta1/allowances/{grantee}", get(allowances))
        .route("/cosmos/feegrant/v1beta1/issued/{granter}", get(issued))
}

async fn allowance<B: Backend>(
    State(door): State<Door<B>>,
    NamedPair(granter, grantee): NamedPair,
    asked: Asked,
) -> Answered {
    let (granter, grantee) = (from_bech32(&granter)?, from_bech32(&grantee)?);
    let state = door.state(asked.height)?;
    let time = state.time()?;
    let allowance: Option<Allowance> = state.get(&Leaf::Allowance(grantee, granter))?;
    let allowance = allowance.filter(|allowance| !allowance.expired(time));
    let allowance = allowance.ok_or(RestError::Nothing("fee-grant not found"))?;
    Ok(Reply::at(state.height, &json!({ "allowance": grant(&granter, &grantee, &allowance) })))
}

async fn allowances<B: Backend>(State(door): State<Door<B>>, Named(grantee): Named<Address>, asked: Asked) -> Answered {
    let page = asked.page(GRANTS)?;
    door.scan(move |door| door.grants(Side::Grantee(grantee), asked.height, page)).await
}

async fn issued<B: Backend>(State(door): State<Door<B>>, Named(granter): Named<Address>, asked: Asked) -> Answered {
    let page = asked.page(GRANTS)?;
    door.scan(move |door| door.grants(Side::Granter(granter), asked.height, page)).await
}

/// Whose grants are meant.
enum Side {
    Granter(Address),
    Grantee(Address),
}

impl<B: Backend> Door<B> {
    /// A page of an account's grants. Their names begin with the grantee, so all are looked through for a granter.
    fn grants(&self, side: Side, height: Option<u64>, page: Page) -> Answered {
        let state = self.state(height)?;
        let time = state.time()?;
        let name =
            Leaf::Allowance(if let Side::Grantee(grantee) = side { grantee } else { Address::ZERO }, Address::ZERO);
        let bytes = name.to_bytes();
        let prefix = if let Side::Grantee(_) = side { 1 + size_of::<Address>() } else { 1 };
        let (mut grants, mut total) = (Vec::new(), 0usize);
        for piece in state.under(&bytes[..prefix])? {
            for (leaf, value) in piece? {
                let Leaf::Allowance(grantee, granter) = leaf else { continue };
                if matches!(side, Side::Granter(wanted) if wanted != granter) {
                    continue;
                }
                let allowance: Allowance = borsh::from_slice(&value).map_err(|_| StoreError::Corrupted("leaf"))?;
                if allowance.expired(time) {
                    continue;
                }
                if total >= page.offset && grants.len() < page.limit {
                    grants.push(grant(&granter, &grantee, &allowance));
                }
                total += 1;
            }
        }
        Ok(Reply::at(state.height, &json!({ "allowances": grants, "pagination": pagination(total) })))
    }
}

fn grant(granter: &Address, grantee: &Address, allowance: &Allowance) -> Value {
    json!({ "granter": bech32(granter), "grantee": bech32(grantee), "allowance": view::allowance(allowance) })
}

/// Most grants of one answer.
const GRANTS: usize = 100;

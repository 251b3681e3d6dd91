//! `cosmos.authz.v1beta1`: who may act for whom. What has ended is not shown: the SDK deletes it.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::{Grant, bech32, from_bech32};
use cloister_chain::{Address, B256, Leaf};
use cloister_store::StoreError;
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Page, Reply};
use super::view::{self, pagination};
use super::{Backend, Door};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/cosmos/authz/v1beta1/grants", get(grants))
        .route("/cosmos/authz/v1beta1/grants/granter/{granter}", get(by_granter))
        .route("/cosmos/authz/v1beta1/grants/grantee/{grantee}", get(by_grantee))
}

async fn grants<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    let side = |name: &str| {
        let text = asked.text(name).ok_or_else(|| RestError::Invalid(format!("{name} is missing")))?;
        from_bech32(text).map_err(RestError::from)
    };
    let (granter, grantee) = (side("granter")?, side("grantee")?);
    if let Some(url) = asked.text("msg_type_url") {
        let state = door.state(asked.height)?;
        let (time, leaf) = (state.time()?, Leaf::grant(grantee, granter, url));
        let grant = state.get::<Grant>(&leaf)?.filter(|grant| !grant.expired(time));
        let grant = grant.ok_or(RestError::Nothing("authorization for this type of message"))?;
        return Ok(Reply::at(state.height, &json!({ "grants": [view::grant(&grant)], "pagination": null })));
    }
    let page = asked.page(GRANTS)?;
    door.scan(move |door| door.authorizations(Some(granter), Some(grantee), asked.height, page)).await
}

async fn by_granter<B: Backend>(State(door): State<Door<B>>, Named(granter): Named<Address>, asked: Asked) -> Answered {
    let page = asked.page(GRANTS)?;
    door.scan(move |door| door.authorizations(Some(granter), None, asked.height, page)).await
}

async fn by_grantee<B: Backend>(State(door): State<Door<B>>, Named(grantee): Named<Address>, asked: Asked) -> Answered {
    let page = asked.page(GRANTS)?;
    door.scan(move |door| door.authorizations(None, Some(grantee), asked.height, page)).await
}

impl<B: Backend> Door<B> {
    /// A page of grants. Their names begin with the grantee, so all are looked through if only the granter is known.
    fn authorizations(
        &self,
        granter: Option<Address>,
        grantee: Option<Address>,
        height: Option<u64>,
        page: Page,
    ) -> Answered {
        let state = self.state(height)?;
        let time = state.time()?;
        let any = Address::ZERO;
        let name = Leaf::Grant(grantee.unwrap_or(any), granter.unwrap_or(any), B256::ZERO).to_bytes();
        let address = size_of::<Address>();
        let known = match (grantee, granter) {
            (None, _) => 1,
            (Some(_), None) => 1 + address,
            (Some(_), Some(_)) => 1 + 2 * address,
        };
        let (mut grants, mut total) = (Vec::new(), 0usize);
        for piece in state.under(&name[..known])? {
            for (leaf, value) in piece? {
                let Leaf::Grant(to, from, _) = leaf else { continue };
                if granter.is_some_and(|granter| granter != from) {
                    continue;
                }
                let grant: Grant = borsh::from_slice(&value).map_err(|_| StoreError::Corrupted("leaf"))?;
                if grant.expired(time) {
                    continue;
                }
                if total >= page.offset && grants.len() < page.limit {
                    let both = granter.is_some() && grantee.is_some();
                    grants.push(if both { view::grant(&grant) } else { between(&from, &to, &grant) });
                }
                total += 1;
            }
        }
        Ok(Reply::at(state.height, &json!({ "grants": grants, "pagination": pagination(total) })))
    }
}

fn between(granter: &Address, grantee: &Address, grant: &Grant) -> Value {
    let mut shown = view::grant(grant);
    shown["granter"] = bech32(granter).into();
    shown["grantee"] = bech32(grantee).into();
    shown
}

/// Most grants of one answer.
const GRANTS: usize = 100;

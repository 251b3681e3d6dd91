//! Permits of SNIP-24: an owner signs, off the chain, who may ask for what. The signature is over the JSON of a transaction that
//! could never run: its fee is nothing.

use bech32::{Bech32, Hrp};
use cosmwasm_std::{Binary, CanonicalAddr, Deps, Env, StdError, StdResult, Storage, to_vec};
use ripemd::Ripemd160;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Followed by the owner and the permit's name: 1 if it is revoked.
const REVOKED: u8 = b'p';

/// As wallets make it.
#[derive(Deserialize)]
pub struct Permit {
    /// What was signed.
    pub params: PermitParams,
    /// By whom.
    pub signature: PermitSignature,
}

/// What is allowed.
#[derive(Deserialize)]
pub struct PermitParams {
    /// By which it is revoked.
    pub permit_name: String,
    /// Contracts that it is for.
    pub allowed_tokens: Vec<String>,
    /// The chain that it is for.
    pub chain_id: String,
    /// `balance`, `history`, or `owner` for both.
    pub permissions: Vec<String>,
}

/// Who allows it.
#[derive(Deserialize)]
pub struct PermitSignature {
    /// The owner's.
    pub pub_key: PubKey,
    /// 64 bytes.
    pub signature: Binary,
}

/// With its amino name, which is always `tendermint/PubKeySecp256k1`.
#[derive(Deserialize)]
pub struct PubKey {
    /// 33 bytes.
    pub value: Binary,
}

impl Permit {
    /// Who signed it, if it is for this contract and not revoked.
    pub fn owner(&self, deps: Deps<'_>, env: &Env) -> StdResult<CanonicalAddr> {
        let params = &self.params;
        if !params.allowed_tokens.iter().any(|token| token == env.contract.address.as_str()) {
            return Err(StdError::generic_err(format!(
                "Permit doesn't apply to token {:?}, allowed tokens: {:?}",
                env.contract.address.as_str(),
                params.allowed_tokens
            )));
        }
        if params.chain_id != env.block.chain_id {
            return Err(StdError::generic_err(format!("Permit is for the chain {:?}", params.chain_id)));
        }
        let key = &self.signature.pub_key.value;
        let owner = deps.api.addr_canonicalize(&address(key)?)?;
        if deps.storage.get(&revoked(&owner, &params.permit_name)).is_some() {
            return Err(StdError::generic_err(format!("Permit {:?} was revoked", params.permit_name)));
        }
        let valid = deps.api.secp256k1_verify(&sha256(&sign_bytes(params)?), &self.signature.signature, key);
        if !valid.is_ok_and(|valid| valid) {
            return Err(StdError::generic_err("Failed to verify signatures for the given permit"));
        }
        Ok(owner)
    }

    /// Whether it says so; `owner` says everything.
    pub fn allows(&self, permission: &str) -> bool {
        self.params.permissions.iter().any(|allowed| allowed == permission || allowed == "owner")
    }
}

/// The owner's permits of that name open nothing any more.
pub fn revoke(storage: &mut dyn Storage, owner: &CanonicalAddr, permit_name: &str) {
    storage.set(&revoked(owner, permit_name), &[1]);
}

fn revoked(owner: &CanonicalAddr, permit_name: &str) -> Vec<u8> {
    [&[REVOKED], owner.as_slice(), permit_name.as_bytes()].concat()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// bech32("secret", RIPEMD-160(SHA-256(public key)))
fn address(key: &[u8]) -> StdResult<String> {
    let bytes = Ripemd160::digest(sha256(key));
    bech32::encode::<Bech32>(Hrp::parse_unchecked("secret"), &bytes)
        .map_err(|error| StdError::generic_err(error.to_string()))
}

/// Canonical JSON: members in alphabetical order, no spaces.
fn sign_bytes(params: &PermitParams) -> StdResult<Vec<u8>> {
    #[derive(Serialize)]
    struct SignDoc<'a> {
        account_number: &'a str,
        chain_id: &'a str,
        fee: Fee<'a>,
        memo: &'a str,
        msgs: [Msg<'a>; 1],
        sequence: &'a str,
    }
    #[derive(Serialize)]
    struct Fee<'a> {
        amount: [Coin<'a>; 1],
        gas: &'a str,
    }
    #[derive(Serialize)]
    struct Coin<'a> {
        amount: &'a str,
        denom: &'a str,
    }
    #[derive(Serialize)]
    struct Msg<'a> {
        r#type: &'a str,
        value: Value<'a>,
    }
    #[derive(Serialize)]
    struct Value<'a> {
        allowed_tokens: &'a [String],
        permissions: &'a [String],
        permit_name: &'a str,
    }
    to_vec(&SignDoc {
        account_number: "0",
        chain_id: &params.chain_id,
        fee: Fee { amount: [Coin { amount: "0", denom: "uscrt" }], gas: "1" },
        memo: "",
        msgs: [Msg {
            r#type: "query_permit",
            value: Value {
                allowed_tokens: &params.allowed_tokens,
                permissions: &params.permissions,
                permit_name: &params.permit_name,
            },
        }],
        sequence: "0",
    })
}

//! With permits that published wallets signed.

use cosmwasm_std::{Addr, Response, StdError, StdResult};

use super::world::{World, address, encode};
use super::{history, transfer};
use crate::{Amount, Binary, QueryAnswer};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

struct Published {
    chain: &'static str,
    token: &'static str,
    name: &'static str,
    permissions: &'static str,
    key: &'static str,
    signature: &'static str,
}

/// By secretjs 1.22.
const SECRETJS: Published = Published {
    chain: "secretdev-1",
    token: "secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg",
    name: "test",
    permissions: r#"["owner","balance"]"#,
    key: "A07oJJ9n4TYTnD7ZStYyiPbB3kXOZvqIMkchGmmPRAzf",
    signature: "jx7QuqiuvTd6i1qYCtDxEDVhu5aAdvdnZJoEc4RryOEk9lVQcelBwlW4D6L+2NRcLX5KiSeAzyJGgw6lXGGh+A==",
};

/// From the tests of secret-toolkit.
const TOOLKIT: Published = Published {
    chain: "pulsar-2",
    token: "secret1rf03820fp8gngzg2w02vd30ns78qkc8rg8dxaq",
    name: "memo_secret1rf03820fp8gngzg2w02vd30ns78qkc8rg8dxaq",
    permissions: r#"["history"]"#,
    key: "A5M49l32ZrV+SDsPnoRv8fH7ivNC4gEX9prvd4RwvRaL",
    signature: "hw/Mo3ZZYu1pEiDdymElFkuCuJzg9soDHw+4DxK7cL9rafiyykh7VynS+guotRAKXhfYMwCiyWmiznc6R+UlsQ==",
};

const BALANCE: &str = r#"{"balance":{}}"#;
const HISTORY: &str = r#"{"transfer_history":{"page_size":5}}"#;

impl Published {
    fn with(&self, query: &str) -> String {
        let Self { chain, token, name, permissions, key, signature } = self;
        format!(
            r#"{{"with_permit":{{"query":{query},"permit":{{
                "params":{{"permit_name":"{name}","allowed_tokens":["{token}"],"chain_id":"{chain}",
                    "permissions":{permissions}}},
                "signature":{{"pub_key":{{"type":"tendermint/PubKeySecp256k1","value":"{key}"}},
                    "signature":"{signature}"}}}}}}}}"#
        )
    }

    fn signer(&self) -> String {
        let key = Binary::from_base64(self.key).unwrap();
        encode(&Ripemd160::digest(Sha256::digest(key.as_slice())))
    }

    /// The token that the permit is for; its signer has 9 tokens.
    fn world(&self) -> World {
        let mut world = World::new();
        world.env.block.chain_id = self.chain.into();
        world.env.contract.address = Addr::unchecked(self.token);
        let paid = format!(r#"{{"transfer":{{"recipient":"{}","amount":"9"}}}}"#, self.signer());
        world.call("alice", &paid).unwrap();
        world
    }
}

fn refused(answer: StdResult<Binary>) -> String {
    match answer.unwrap_err() {
        StdError::GenericErr { msg, .. } => msg.trim_end().to_string(),
        other => panic!("{other}"),
    }
}

#[test]
fn published_permits_open_their_signers_accounts() {
    assert_eq!(SECRETJS.world().ask(&SECRETJS.with(BALANCE)), QueryAnswer::Balance(Amount { amount: 9_u128.into() }));
    assert_eq!(TOOLKIT.signer(), "secret1399pyvvk3hvwgxwt3udkslsc5jl3rqv4yshfrl");
    let QueryAnswer::TransferHistory { txs, total: 1 } = TOOLKIT.world().ask(&TOOLKIT.with(HISTORY)) else {
        panic!("no history")
    };
    assert_eq!((txs[0].from.clone(), txs[0].receiver.clone()), (address("alice"), TOOLKIT.signer()));
}

#[test]
fn a_permit_opens_what_it_permits() {
    assert_eq!(refused(TOOLKIT.world().ask_raw(&TOOLKIT.with(BALANCE))), "the permit lacks the permission balance");
    let owner = SECRETJS.world().ask(&SECRETJS.with(HISTORY));
    assert!(matches!(owner, QueryAnswer::TransferHistory { total: 1, .. }), "owner includes history");
}

#[test]
fn what_was_not_signed_opens_nothing() {
    let world = SECRETJS.world();
    let unsigned = "Failed to verify signatures for the given permit";
    for forged in [
        Published { name: "other", ..SECRETJS },
        Published { permissions: r#"["owner"]"#, ..SECRETJS },
        Published { key: TOOLKIT.key, ..SECRETJS },
        Published { signature: TOOLKIT.signature, ..SECRETJS },
        Published { signature: "", ..SECRETJS },
        Published { key: "", ..SECRETJS },
    ] {
        assert_eq!(refused(world.ask_raw(&forged.with(BALANCE))), unsigned);
    }
}

#[test]
fn a_permit_is_for_one_token_on_one_chain() {
    let mut world = SECRETJS.world();
    world.env.block.chain_id = "secret-4".into();
    assert_eq!(refused(world.ask_raw(&SECRETJS.with(BALANCE))), r#"Permit is for the chain "secretdev-1""#);
    world.env.contract.address = Addr::unchecked(TOOLKIT.token);
    assert!(refused(world.ask_raw(&SECRETJS.with(BALANCE))).starts_with("Permit doesn't apply to token"));
}

#[test]
fn a_revoked_permit_is_dead_and_others_of_its_name_are_not() {
    let mut world = SECRETJS.world();
    let revoke = crate::ExecuteMsg::RevokePermit { permit_name: "test".into() };
    world.call("alice", r#"{"revoke_permit":{"permit_name":"test"}}"#).unwrap();
    world.ask_raw(&SECRETJS.with(BALANCE)).unwrap();
    let info = cosmwasm_std::testing::mock_info(&SECRETJS.signer(), &[]);
    let _: Response = crate::execute(world.deps.as_mut(), world.env.clone(), info, revoke).unwrap();
    assert_eq!(refused(world.ask_raw(&SECRETJS.with(BALANCE))), r#"Permit "test" was revoked"#);
    // The account goes on.
    world.call("alice", &transfer("bob", 1)).unwrap();
    assert_eq!(history(&mut world, "bob", 0, 5).1, 1);
}

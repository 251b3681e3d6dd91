//! Requests to every path of the Cosmos door.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::Tx;
use cloister_chain::cosmos::bech32;

use crate::signer::account;
use crate::stage::{STAGE, cosmos};

pub(super) fn all(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    let (user, contract) = (bech32(&account(1)), bech32(&STAGE.contracts[0].address));
    let stored = Tx::from_bytes(&STAGE.blocks[1].0.block.txs[0], STAGE.genesis.evm_chain_id).expect("a transaction");
    let hash = hex::encode_upper(stored.hash());
    let mut add = |method: u8, line: &str| seeds.push(("cosmos_rest", [&[method], line.as_bytes()].concat()));
    for path in PATHS {
        let path = path.replace("USER", &user).replace("CONTRACT", &contract).replace("HASH", &hash);
        for height in ["", "1", "99", "x"] {
            add(0, &format!("{path}\n{height}\n"));
        }
        add(1, &format!("{path}\n\n{{}}"));
    }
    let send = crate::seeds::messages::every_kind().swap_remove(0);
    let send = crate::signer::owned(&send, account(2)).expect("a good message");
    let tx = STANDARD.encode(&cosmos(2, 0, 200_000, vec![send])[1..]);
    for (path, body) in [
        ("cosmos/tx/v1beta1/txs", format!(r#"{{"tx_bytes":"{tx}","mode":"BROADCAST_MODE_SYNC"}}"#)),
        ("cosmos/tx/v1beta1/txs", format!(r#"{{"txBytes":"{tx}","mode":3}}"#)),
        ("cosmos/tx/v1beta1/simulate", format!(r#"{{"tx_bytes":"{tx}"}}"#)),
        ("cosmos/tx/v1beta1/decode", format!(r#"{{"tx_bytes":"{tx}"}}"#)),
        ("cosmos/tx/v1beta1/decode", r#"{"tx_bytes":"AAAA"}"#.into()),
    ] {
        add(1, &format!("{path}\n\n{body}"));
    }
}

const PATHS: [&str; 55] = [
    "cosmos/auth/v1beta1/accounts/USER",
    "cosmos/auth/v1beta1/account_info/USER",
    "cosmos/auth/v1beta1/module_accounts",
    "cosmos/auth/v1beta1/module_accounts/fee_collector",
    "cosmos/auth/v1beta1/params",
    "cosmos/auth/v1beta1/bech32",
    "cosmos/bank/v1beta1/balances/USER?pagination.limit=1&pagination.offset=1",
    "cosmos/bank/v1beta1/balances/USER/by_denom?denom=uscrt",
    "cosmos/bank/v1beta1/spendable_balances/USER",
    "cosmos/bank/v1beta1/supply",
    "cosmos/bank/v1beta1/supply/by_denom?denom=uscrt",
    "cosmos/bank/v1beta1/params",
    "cosmos/bank/v1beta1/send_enabled?denoms=uscrt",
    "cosmos/bank/v1beta1/denoms_metadata",
    "cosmos/bank/v1beta1/denoms_metadata/uscrt",
    "cosmos/base/tendermint/v1beta1/blocks/latest",
    "cosmos/base/tendermint/v1beta1/blocks/1",
    "cosmos/base/tendermint/v1beta1/blocks/18446744073709551615",
    "cosmos/base/tendermint/v1beta1/validatorsets/latest",
    "cosmos/base/tendermint/v1beta1/validatorsets/1?pagination.limit=1",
    "cosmos/base/tendermint/v1beta1/node_info",
    "cosmos/base/tendermint/v1beta1/syncing",
    "cosmos/base/node/v1beta1/config",
    "cosmos/base/node/v1beta1/status",
    "cosmos/consensus/v1/params",
    "cosmos/feegrant/v1beta1/allowance/USER/USER",
    "cosmos/tx/v1beta1/txs/HASH",
    "cosmos/tx/v1beta1/txs/block/2",
    "cosmos/tx/v1beta1/txs?events=message.action='/secret.compute.v1beta1.MsgStoreCode'",
    "cosmos/tx/v1beta1/txs?query=tx.height=2&order_by=ORDER_BY_DESC&page=1&limit=1",
    "cosmos/tx/v1beta1/txs?query=message.sender='USER' AND tx.height>=1&pagination.reverse=true",
    "cosmos/tx/v1beta1/txs?query=tx.hash='HASH'",
    "compute/v1beta1/info/CONTRACT",
    "compute/v1beta1/contracts/1",
    "compute/v1beta1/query/CONTRACT?query=AAAA",
    "compute/v1beta1/code/1",
    "compute/v1beta1/codes?pagination.limit=2&pagination.offset=1",
    "compute/v1beta1/code_hash/by_contract_address/CONTRACT",
    "compute/v1beta1/code_hash/by_code_id/1",
    "compute/v1beta1/label/CONTRACT",
    "compute/v1beta1/contract_address/contract 1",
    "compute/v1beta1/contract_history/CONTRACT",
    "compute/v1beta1/authorized_migration/CONTRACT",
    "compute/v1beta1/authorized_admin_update/CONTRACT",
    "compute/v1beta1/params",
    "registration/v1beta1/tx-key",
    "registration/v1beta1/registration-key",
    "cloister/compute/v1/keys",
    "cloister/compute/v1/query/CONTRACT?query=AAAA",
    "cosmos/staking/v1beta1/validators?status=BOND_STATUS_BONDED",
    "cosmos/distribution/v1beta1/params",
    "cosmos/gov/v1/proposals",
    "ibc/core/channel/v1/channels",
    "",
    "%ff/../%00//?&=%&a=%zz",
];

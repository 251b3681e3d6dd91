//! Contracts and calls, through the whole ledger: signed transaction, decided block, outcome, then queries on the result.

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Signature, TxKind, U256};
use cloister_chain::Parent;
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{Answer, Call, Execute, Query, QueryAt, QueryRefusal};
use cloister_chain::{EthTx, Genesis, Outcome, Tx};
use cloister_consensus::Solo;
use cloister_keys::{Roots, Seed};
use cloister_ledger::Ledger;
use cloister_state::NoSupply;
use ed25519_zebra::SigningKey;

use crate::cells::account;
use crate::cursor::Cursor;
use crate::program::{self, SELECTOR};

/// Where the contract lives.
const CONTRACT: Address = Address::repeat_byte(0xc0);
/// Enough for a few dozen confidential operations, too little to spin for long.
const GAS: u64 = 3_000_000;

/// The bytes are the contract's code and the calldata.
pub(crate) fn bytecode(data: &[u8]) {
    let mut cursor = Cursor(data);
    let code = cursor.long().to_vec();
    run(code, cursor.0.to_vec());
}

/// The bytes are a program for [`program::compile`]; an odd first byte calls the precompile itself with the rest.
pub(crate) fn precompile(data: &[u8]) {
    let mut cursor = Cursor(data);
    let direct = cursor.byte() & 1 == 1;
    let precompile = Address::with_last_byte(0x64);
    if direct {
        attempt(Vec::new(), precompile, cursor.0.to_vec());
    } else {
        run(program::compile(cursor, CONTRACT), SELECTOR.to_vec());
    }
}

fn run(code: Vec<u8>, calldata: Vec<u8>) {
    attempt(code, CONTRACT, calldata);
}

/// Executes the call twice, on two chains, and asks about it.
fn attempt(code: Vec<u8>, to: Address, calldata: Vec<u8>) {
    let mut genesis = Genesis::for_tests();
    let rich = GenesisAccount { address: account().address(), balance: U256::MAX >> 1, ..Default::default() };
    let contract = GenesisAccount { address: CONTRACT, code: code.into(), ..Default::default() };
    genesis.accounts = vec![rich, contract];
    if genesis.check().is_err() {
        return;
    }
    let call =
        Call { from: account().address(), to: Some(to), data: calldata.into(), gas: Some(GAS), ..Call::default() };
    let (ledger, first) = new_ledger(&genesis);
    let next = propose(&genesis, &first, &call);
    let (outcome, ledger) = execute(ledger, &next);
    assert_eq!(outcome, execute(new_ledger(&genesis).0, &next).0, "two enclaves agree");
    for query in [Query::Call(call.clone()), Query::Estimate(call)] {
        let answer = ledger.snapshots().query(&QueryAt { height: None, query }, &mut NoSupply);
        assert_ne!(answer, Answer::Refused(QueryRefusal::Supply), "the enclave holds the whole state");
    }
}

fn new_ledger(genesis: &Genesis) -> (Ledger, Outcome) {
    Ledger::genesis(genesis, Roots::found(&genesis.chain_id, Seed::from_bytes([9; 32]))).expect("a checked genesis")
}

/// The first block, with the call as its one transaction.
fn propose(genesis: &Genesis, outcome: &Outcome, call: &Call) -> Execute {
    let parent = Parent::genesis(genesis, outcome);
    let tx = Tx::Eth(transaction(genesis.evm_chain_id, call)).to_bytes();
    let (block, certificate) = Solo::new(SigningKey::from([7; 32])).propose(&parent, vec![tx], genesis.time + 1);
    Execute { block, certificate }
}

fn execute(mut ledger: Ledger, next: &Execute) -> (Outcome, Ledger) {
    let outcome = ledger.execute(next, &mut NoSupply).expect("a contract cannot stop the chain");
    assert_eq!(outcome.receipts.len(), 1);
    (outcome, ledger)
}

/// The call as a transaction of [`account`].
pub(crate) fn transaction(chain_id: u64, call: &Call) -> EthTx {
    let tx = TxLegacy {
        chain_id: Some(chain_id),
        nonce: 0,
        gas_price: 1_000_000_000,
        gas_limit: call.gas.unwrap_or(GAS),
        to: call.to.map_or(TxKind::Create, TxKind::Call),
        value: call.value,
        input: call.data.clone(),
    };
    let signature = account().sign_digest(tx.signature_hash());
    let parity = signature[64] & 1 == 1 && signature[64] < 27 || signature[64] == 28;
    let signature = Signature::from_bytes_and_parity(&signature[..64], parity);
    let bytes = TxEnvelope::Legacy(tx.into_signed(signature)).encoded_2718();
    EthTx::decode(&bytes, chain_id).expect("signed for this chain")
}

#[cfg(test)]
mod tests {
    use cloister_chain::{B256, Leaf};

    use super::*;
    use crate::seeds;

    /// The word in a slot of the contract after the program ran.
    fn slot(program: &[u8], slot: u8) -> Option<U256> {
        let mut genesis = Genesis::for_tests();
        let rich = GenesisAccount { address: account().address(), balance: U256::MAX >> 1, ..Default::default() };
        let code = program::compile(Cursor(&program[1..]), CONTRACT).into();
        genesis.accounts = vec![rich, GenesisAccount { address: CONTRACT, code, ..Default::default() }];
        let data = SELECTOR.to_vec().into();
        let from = account().address();
        let call = Call { from, to: Some(CONTRACT), data, gas: Some(GAS), ..Call::default() };
        let (ledger, first) = new_ledger(&genesis);
        let (outcome, _) = execute(ledger, &propose(&genesis, &first, &call));
        let leaf = Leaf::Storage(CONTRACT, B256::with_last_byte(slot));
        let value = outcome.writes.into_iter().find(|(written, _)| *written == leaf)?.1?;
        Some(U256::from_le_slice(&value[..32]))
    }

    #[test]
    fn programs_reach_every_kind_of_operand() {
        assert_eq!(slot(&seeds::round_trip(), 5), Some(U256::from(10)), "results, stored words, clear values");
        assert!(slot(&seeds::signed_input(), 2).is_some_and(|word| !word.is_zero()), "signed input texts");
    }
}

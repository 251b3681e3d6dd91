//! A network in one process: validators that sign or do not, delegators, and time that passes.

use cloister_chain::certificate::Precommit;
use cloister_chain::cosmos::bech32;
use cloister_chain::staking::{
    self, Decimal, GenesisStaking, GenesisValidator, POWER, Params, Signing, key_address, pool, valoper,
};
use cloister_chain::{CosmosResult, Evidence, Signed, Statement};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::distribution::v1beta1 as distribution;
use secret_sdk_proto::cosmos::slashing::v1beta1::MsgUnjail;
use secret_sdk_proto::cosmos::staking::v1beta1 as proto;

use super::cosmos::{account, signed};
use super::*;

pub(super) mod admission;
mod bonding;
mod governing;
mod invariants;
mod joining;
mod punishment;
mod rewards;
mod runs;

/// What every user has at the start, beside what some have bonded.
const RICH: u128 = 1_000 * POWER;
/// What each of the first users has bonded.
const BOND: u128 = 100 * POWER;
/// Fee of a transaction.
const FEE: u128 = 1_000;
const SECOND: u64 = 1_000_000_000;

struct Net {
    chain: Chain,
    /// How long blocks take.
    pace: u64,
    /// Users whose validators do not sign.
    absent: Vec<u8>,
    /// Who signed the last block.
    certificate: Option<Certificate>,
    /// Every block, to be run again elsewhere.
    blocks: Vec<Execute>,
}

/// The key with which the validator of a user signs.
fn signing_key(user: u8) -> SigningKey {
    SigningKey::from([100 + user; 32])
}

fn key(user: u8) -> B256 {
    B256::new(VerificationKey::from(&signing_key(user)).into())
}

fn params() -> Params {
    Params {
        unbonding_time: 100 * SECOND,
        max_entries: 3,
        signed_blocks_window: 10,
        downtime_jail_duration: 60 * SECOND,
        ..Params::default()
    }
}

impl Net {
    /// A network of the validators of the first so many users, each with the same power.
    fn of(validators: u8) -> Self {
        Self::with(params(), &vec![BOND; usize::from(validators)])
    }

    fn with(params: Params, bonds: &[u128]) -> Self {
        let one = |(index, bond): (usize, &u128)| {
            let user = u8::try_from(index + 1).expect("few");
            GenesisValidator {
                operator: account(user),
                key: key(user),
                bond: *bond,
                moniker: format!("validator {user}"),
                commission: Decimal::percent(10),
                max_commission: Decimal::percent(20),
                max_commission_change: Decimal::percent(1),
            }
        };
        let staking = GenesisStaking {
            params,
            validators: bonds.iter().enumerate().map(one).collect(),
            governance: governing::governance(),
        };
        let rich = |user: u8| GenesisAccount { address: account(user), coins: RICH, ..Default::default() };
        let genesis = Genesis {
            validators: staking.set().expect("a set"),
            staking: Some(staking),
            accounts: (1..=9).map(rich).collect(),
            ..Genesis::for_tests()
        };
        let chain = Chain::of(genesis);
        Self { chain, pace: SECOND, absent: Vec::new(), certificate: None, blocks: Vec::new() }
    }

    /// Decides and executes the next block.
    fn block_with(&mut self, txs: Vec<Bytes>, evidence: Vec<Evidence>) -> Vec<Receipt> {
        let tip = self.chain.ledger.checkpoint();
        let proposer = tip.validators.iter().next().expect("somebody").address();
        let above = Parent { certificate: self.certificate.clone(), ..parent(tip) };
        let block = above.block(txs, evidence, tip.header.time + self.pace, proposer);
        let certificate = self.sign(&block.header, &tip.validators);
        let next = Execute { block, certificate: certificate.clone() };
        let outcome = self.chain.ledger.execute(&next, &mut self.chain.host).expect("an honest block");
        self.certificate = Some(certificate);
        self.blocks.push(next);
        self.chain.host.keep(&outcome);
        self.chain.outcomes.push(outcome.clone());
        self.check();
        outcome.receipts
    }

    fn block(&mut self, txs: Vec<Bytes>) -> Vec<Receipt> {
        self.block_with(txs, Vec::new())
    }

    /// So many empty blocks.
    fn blocks(&mut self, count: usize) {
        (0..count).for_each(|_| drop(self.block(Vec::new())));
    }

    /// One empty block, so many seconds later.
    fn later(&mut self, seconds: u64) {
        let pace = std::mem::replace(&mut self.pace, seconds * SECOND);
        self.block(Vec::new());
        self.pace = pace;
    }

    /// The precommits of all of `set` that are there.
    fn sign(&self, header: &Header, set: &ValidatorSet) -> Certificate {
        let there = (1..=9).filter(|user| !self.absent.contains(user));
        let mut precommits = Vec::new();
        for user in there.filter(|user| set.find(&key(*user)).is_some()) {
            let solo = Certificate::solo(&signing_key(user), &header.chain_id, header.height, header.hash());
            precommits.extend(solo.precommits);
        }
        precommits.sort_by_key(|precommit: &Precommit| precommit.validator);
        Certificate { height: header.height, round: 0, block: header.hash(), precommits }
    }

    /// A user's transaction of one message, alone in its block.
    fn does(&mut self, user: u8, message: Any) -> (Status, CosmosResult) {
        let tx = signed(user, self.chain.auth_sequence(account(user)), (5_000_000, FEE, 0), vec![message]);
        let receipt = self.block(vec![tx])[0].clone();
        (receipt.status, receipt.cosmos.expect("a Cosmos result"))
    }

    /// The same, which succeeds.
    fn do_well(&mut self, user: u8, message: Any) -> CosmosResult {
        let (status, result) = self.does(user, message);
        assert_eq!((status, result.log.as_str()), (Status::Success, ""));
        result
    }

    /// The same, which fails: codespace, number and text.
    fn fails(&mut self, user: u8, message: Any) -> (String, u32, String) {
        let (status, result) = self.does(user, message);
        assert_eq!(status, Status::Failed, "{}", result.log);
        let log = result.log.strip_prefix("failed to execute message; message index: 0: ").expect("which message");
        (result.codespace.clone(), result.code, log.to_owned())
    }

    fn leaf<T: borsh::BorshDeserialize>(&self, leaf: Leaf) -> Option<T> {
        self.chain.host.leaves.get(&leaf).map(|bytes| borsh::from_slice(bytes).expect("its record"))
    }

    fn validator(&self, user: u8) -> staking::Validator {
        self.leaf(Leaf::Validator(account(user))).expect("a validator")
    }

    fn signing(&self, user: u8) -> Signing {
        self.leaf(Leaf::Signing(key_address(&key(user)))).expect("a key that signed")
    }

    fn coins(&self, user: u8) -> u128 {
        self.chain.coins(account(user))
    }

    fn time(&self) -> u64 {
        self.chain.ledger.checkpoint().header.time
    }

    fn height(&self) -> u64 {
        self.chain.ledger.checkpoint().header.height
    }

    /// Users in the set that the last block chose, with their powers.
    fn elected(&self) -> Vec<(u8, u64)> {
        let set = &self.chain.ledger.checkpoint().following;
        (1..=9).filter_map(|user| Some((user, set.find(&key(user))?.power))).collect()
    }
}

fn coin(amount: u128) -> Option<Coin> {
    Some(Coin { denom: "uscrt".into(), amount: amount.to_string() })
}

fn staking_message(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("/cosmos.staking.v1beta1.{name}"), value: message.encode_to_vec() }
}

fn distribution_message(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("/cosmos.distribution.v1beta1.{name}"), value: message.encode_to_vec() }
}

fn delegate(user: u8, to: u8, amount: u128) -> Any {
    let message = proto::MsgDelegate {
        delegator_address: bech32(&account(user)),
        validator_address: valoper(&account(to)),
        amount: coin(amount),
    };
    staking_message("MsgDelegate", &message)
}

fn undelegate(user: u8, from: u8, amount: u128) -> Any {
    let message = proto::MsgUndelegate {
        delegator_address: bech32(&account(user)),
        validator_address: valoper(&account(from)),
        amount: coin(amount),
    };
    staking_message("MsgUndelegate", &message)
}

fn redelegate(user: u8, from: u8, to: u8, amount: u128) -> Any {
    let message = proto::MsgBeginRedelegate {
        delegator_address: bech32(&account(user)),
        validator_src_address: valoper(&account(from)),
        validator_dst_address: valoper(&account(to)),
        amount: coin(amount),
    };
    staking_message("MsgBeginRedelegate", &message)
}

fn cancel(user: u8, from: u8, amount: u128, height: u64) -> Any {
    let message = proto::MsgCancelUnbondingDelegation {
        delegator_address: bech32(&account(user)),
        validator_address: valoper(&account(from)),
        amount: coin(amount),
        creation_height: i64::try_from(height).expect("a height"),
    };
    staking_message("MsgCancelUnbondingDelegation", &message)
}

fn withdraw(user: u8, from: u8) -> Any {
    let message = distribution::MsgWithdrawDelegatorReward {
        delegator_address: bech32(&account(user)),
        validator_address: valoper(&account(from)),
    };
    distribution_message("MsgWithdrawDelegatorReward", &message)
}

fn withdraw_commission(user: u8) -> Any {
    let message = distribution::MsgWithdrawValidatorCommission { validator_address: valoper(&account(user)) };
    distribution_message("MsgWithdrawValidatorCommission", &message)
}

fn unjail(user: u8) -> Any {
    let message = MsgUnjail { validator_addr: valoper(&account(user)) };
    Any { type_url: "/cosmos.slashing.v1beta1.MsgUnjail".into(), value: prost::Message::encode_to_vec(&message) }
}

/// Two precommits of a user's validator for one height and round.
fn double_sign(user: u8, height: u64) -> Evidence {
    let statement = |block: u8| Statement::Precommit { height, round: 0, block: Some(B256::repeat_byte(block)) };
    let sign = |statement: Statement| {
        let signature = signing_key(user).sign(statement.sign_bytes("test-1").as_slice()).into();
        Signed { statement, signature }
    };
    Evidence::new(key(user), sign(statement(1)), sign(statement(2)))
}

/// The events of a result after those of the fee, by type, with their attributes.
fn events(result: &CosmosResult) -> Vec<(String, Vec<(String, String)>)> {
    let events = result.events.iter().filter(|event| event.attributes.iter().any(|(key, _)| key == "msg_index"));
    let shown = events.map(|event| {
        let attributes = event.attributes.iter().filter(|(key, _)| key != "msg_index");
        (event.kind.clone(), attributes.cloned().collect())
    });
    shown.collect()
}

/// The attributes of the first event of this type.
fn event(result: &CosmosResult, kind: &str) -> Vec<(String, String)> {
    events(result).into_iter().find(|(name, _)| name == kind).expect("such an event").1
}

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

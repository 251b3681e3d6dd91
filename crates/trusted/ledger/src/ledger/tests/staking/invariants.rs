//! What holds after every block, whatever happened in it.

use std::collections::BTreeSet;

use cloister_chain::gov;
use cloister_chain::staking::{
    Candidate, Delegation, Delegator, FeePool, PAGE, Redelegation, Rewards, Status as Bond, Unbonding, Validator,
};
use proptest::prelude::*;
use secret_sdk_proto::cosmos::gov::v1;

use super::governing::{deposit, proposal, submit, take_back, vote};
use super::joining::create;
use super::*;

impl Net {
    fn all<T: borsh::BorshDeserialize, K>(&self, of: impl Fn(&Leaf) -> Option<K>) -> Vec<(K, T)> {
        let read = |(leaf, bytes): (&Leaf, &Vec<u8>)| Some((of(leaf)?, borsh::from_slice(bytes).expect("its record")));
        self.chain.host.leaves.iter().filter_map(read).collect()
    }

    pub(super) fn check(&self) {
        let validators: Vec<(Address, Validator)> =
            self.all(|leaf| if let Leaf::Validator(operator) = leaf { Some(*operator) } else { None });
        let delegations: Vec<((Address, Address), Delegation)> =
            self.all(|leaf| if let Leaf::Delegation(who, at) = leaf { Some((*who, *at)) } else { None });
        let unbondings: Vec<((Address, Address), Unbonding)> =
            self.all(|leaf| if let Leaf::Unbonding(who, at) = leaf { Some((*who, *at)) } else { None });
        let redelegations: Vec<((Address, Address, Address), Redelegation)> =
            self.all(|leaf| if let Leaf::Redelegation(who, from, to) = leaf { Some((*who, *from, *to)) } else { None });
        self.check_coins(&validators, &unbondings);
        self.check_rewards(&validators, &delegations);
        self.check_set(&validators);
        for (operator, validator) in &validators {
            let at: Vec<_> = delegations.iter().filter(|((_, at), _)| at == operator).collect();
            let shares = at.iter().map(|(_, one)| one.shares).fold(Decimal::ZERO, Decimal::plus);
            assert_eq!(shares, validator.shares, "all shares are somebody's");
            let worth = at.iter().map(|(_, one)| validator.worth(one.shares).floor()).sum::<u128>();
            assert!(
                worth <= validator.tokens && validator.tokens - worth <= at.len() as u128,
                "shares x rate = tokens"
            );
            let listed = at.iter().map(|((who, _), one)| (one.slot, *who)).collect();
            self.check_list(Leaf::Delegators, *operator, validator.delegators, listed);
            let leaving = unbondings.iter().filter(|((_, at), _)| at == operator);
            let listed = leaving.map(|((who, _), one)| (one.slot, *who)).collect();
            self.check_list(Leaf::Unbonders, *operator, validator.unbonders, listed);
            let moved = redelegations.iter().filter(|((_, from, _), _)| from == operator);
            let listed = moved.map(|((who, _, to), one)| (one.slot, (*who, *to))).collect();
            self.check_list(Leaf::Redelegators, *operator, validator.redelegators, listed);
        }
        let owners: Vec<(Address, Delegator)> =
            self.all(|leaf| if let Leaf::Delegator(who) = leaf { Some(*who) } else { None });
        let at = owners.iter().flat_map(|(who, one)| one.validators.iter().map(|at| (*who, *at)));
        assert_eq!(at.collect::<BTreeSet<_>>(), delegations.iter().map(|(key, _)| *key).collect());
        let leaving = owners.iter().flat_map(|(who, one)| one.unbonding.iter().map(|at| (*who, *at)));
        assert_eq!(leaving.collect::<BTreeSet<_>>(), unbondings.iter().map(|(key, _)| *key).collect());
        let moved = owners.iter().flat_map(|(who, one)| one.redelegations.iter().map(|(from, to)| (*who, *from, *to)));
        assert_eq!(moved.collect::<BTreeSet<_>>(), redelegations.iter().map(|(key, _)| *key).collect());
    }

    /// Bank and pools together are the supply, and pools hold what records say.
    fn check_coins(&self, validators: &[(Address, Validator)], unbondings: &[((Address, Address), Unbonding)]) {
        let coins: Vec<(Address, u128)> =
            self.all(|leaf| if let Leaf::Coins(owner) = leaf { Some(*owner) } else { None });
        let chain: ChainState = self.leaf(Leaf::Chain).expect("the chain's own leaf");
        assert_eq!(coins.iter().map(|(_, held)| held).sum::<u128>(), chain.supply);
        let of = |bonded: bool| validators.iter().filter(move |(_, one)| (one.status == Bond::Bonded) == bonded);
        let tokens = |bonded: bool| of(bonded).map(|(_, one)| one.tokens).sum::<u128>();
        let leaving: u128 = unbondings.iter().flat_map(|(_, one)| &one.entries).map(|entry| entry.balance).sum();
        assert_eq!(self.chain.coins(pool::bonded()), tokens(true));
        assert_eq!(self.chain.coins(pool::not_bonded()), tokens(false) + leaving);
        let deposits: Vec<((u64, Address), u128)> =
            self.all(|leaf| if let Leaf::Deposit(id, owner) = leaf { Some((*id, *owner)) } else { None });
        let deposited: u128 = deposits.iter().map(|(_, amount)| amount).sum();
        assert_eq!(self.chain.coins(gov::account()), deposited);
    }

    /// What came in is what is still to be taken, to the last fraction; nobody can take more than that.
    fn check_rewards(&self, validators: &[(Address, Validator)], delegations: &[((Address, Address), Delegation)]) {
        let fee_pool: FeePool = self.leaf(Leaf::FeePool).unwrap_or_default();
        let pending = fee_pool.pending.iter().map(|(_, part)| *part).fold(Decimal::ZERO, Decimal::plus);
        let mut sum = fee_pool.community.plus(pending);
        for (operator, validator) in validators {
            let mut rewards: Rewards = self.leaf(Leaf::Rewards(*operator)).expect("every validator has some");
            sum = sum.plus(rewards.outstanding);
            rewards.settle(fee_pool.pending(&key_address(&validator.key)), validator);
            let at = delegations.iter().filter(|((_, at), _)| at == operator);
            let earned = at.map(|(_, one)| one.earned(&rewards)).fold(Decimal::ZERO, Decimal::plus);
            let claimed = earned.plus(rewards.commission);
            assert!(claimed <= rewards.outstanding, "{claimed} of {}", rewards.outstanding);
        }
        assert_eq!(sum, Decimal::whole(self.chain.coins(pool::distribution())));
        let known: Vec<(Address, Rewards)> =
            self.all(|leaf| if let Leaf::Rewards(operator) = leaf { Some(*operator) } else { None });
        assert_eq!(known.len(), validators.len());
    }

    /// The set is that of the candidates with most behind them, and the candidates are the validators.
    fn check_set(&self, validators: &[(Address, Validator)]) {
        let candidates: Vec<Candidate> = self.leaf(Leaf::Candidates).expect("candidates");
        let brief = |operator: &Address, one: &Validator| {
            (*operator, one.key, one.tokens, one.jailed, one.status == Bond::Bonded)
        };
        let told: Vec<_> = validators.iter().map(|(operator, one)| brief(operator, one)).collect();
        let listed = candidates.iter().map(|one| (one.operator, one.key, one.tokens, one.jailed, one.bonded));
        assert_eq!(listed.collect::<Vec<_>>(), told);
        let mut able: Vec<_> = candidates.iter().filter_map(|one| Some((one.power()?, one))).collect();
        if able.is_empty() {
            return;
        }
        able.sort_by_key(|(_, one)| (std::cmp::Reverse(one.tokens), one.operator));
        let params: Params = self.leaf(Leaf::StakingParams).expect("parameters");
        able.truncate(params.max_validators as usize);
        let members =
            able.iter().map(|(power, one)| cloister_chain::Validator { key: one.key, power: *power }).collect();
        assert_eq!(self.chain.ledger.checkpoint().following, ValidatorSet::new(members).expect("a set"));
        assert!(candidates.iter().all(|one| one.bonded == able.iter().any(|(_, other)| one == *other)));
    }

    /// A list's pages hold everybody at the slot that his record names, and are full but for the last.
    fn check_list<T: borsh::BorshDeserialize + Clone + PartialEq + std::fmt::Debug>(
        &self,
        pages: fn(Address, u32) -> Leaf,
        operator: Address,
        count: u32,
        mut members: Vec<(u32, T)>,
    ) {
        members.sort_by_key(|(slot, _)| *slot);
        let mut listed: Vec<T> = Vec::new();
        for page in 0..count.div_ceil(PAGE) {
            listed.extend(self.leaf::<Vec<T>>(pages(operator, page)).expect("a page"));
        }
        assert_eq!(members.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), (0..count).collect::<Vec<_>>());
        assert_eq!(listed, members.into_iter().map(|(_, member)| member).collect::<Vec<_>>());
        assert_eq!(self.leaf::<Vec<T>>(pages(operator, count.div_ceil(PAGE))), None);
    }
}

/// What happens on a network. A number that picks something counts modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Delegate {
        user: u8,
        to: usize,
        amount: u128,
    },
    /// Of this delegation so many hundredths.
    Undelegate {
        pick: usize,
        part: u128,
    },
    Redelegate {
        pick: usize,
        to: usize,
        part: u128,
    },
    Cancel {
        pick: usize,
        part: u128,
    },
    Withdraw {
        pick: usize,
    },
    Commission {
        pick: usize,
    },
    Create {
        user: u8,
        amount: u128,
    },
    Unjail {
        pick: usize,
    },
    Absent {
        pick: usize,
    },
    DoubleSign {
        pick: usize,
        ago: u64,
    },
    Later(u64),
    Propose {
        user: u8,
        amount: u128,
        expedited: bool,
    },
    Deposit {
        user: u8,
        id: u64,
        amount: u128,
    },
    Vote {
        user: u8,
        id: u64,
        option: usize,
    },
    TakeBack {
        user: u8,
        id: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![1..1_000u128, 1..200 * POWER, Just(BOND)];
    let (user, pick, part) = (1..=7u8, any::<usize>(), prop_oneof![1..100u128, Just(100)]);
    prop_oneof![
        4 => (user.clone(), pick, amount()).prop_map(|(user, to, amount)| Step::Delegate { user, to, amount }),
        4 => (pick, part.clone()).prop_map(|(pick, part)| Step::Undelegate { pick, part }),
        3 => (pick, pick, part.clone()).prop_map(|(pick, to, part)| Step::Redelegate { pick, to, part }),
        2 => (pick, part).prop_map(|(pick, part)| Step::Cancel { pick, part }),
        2 => pick.prop_map(|pick| Step::Withdraw { pick }),
        1 => pick.prop_map(|pick| Step::Commission { pick }),
        1 => (user, amount()).prop_map(|(user, amount)| Step::Create { user, amount }),
        2 => pick.prop_map(|pick| Step::Unjail { pick }),
        3 => pick.prop_map(|pick| Step::Absent { pick }),
        1 => (pick, 0..6u64).prop_map(|(pick, ago)| Step::DoubleSign { pick, ago }),
        2 => (1..70u64).prop_map(Step::Later),
        1 => (1..=7u8, 1..60 * POWER, any::<bool>())
            .prop_map(|(user, amount, expedited)| Step::Propose { user, amount, expedited }),
        1 => (1..=7u8, 1..4u64, amount()).prop_map(|(user, id, amount)| Step::Deposit { user, id, amount }),
        2 => (1..=7u8, 1..4u64, 0..4usize).prop_map(|(user, id, option)| Step::Vote { user, id, option }),
        1 => (1..=7u8, 1..4u64).prop_map(|(user, id)| Step::TakeBack { user, id }),
    ]
}

/// A part, also nothing and all of it, and such as leave a rest.
fn fraction() -> impl Strategy<Value = Decimal> {
    let unit = u64::try_from(Decimal::ONE.0).expect("10^18");
    prop_oneof![(0..=100u8).prop_map(Decimal::percent), (1..unit).prop_map(|part| Decimal(U256::from(part)))]
}

fn user_at(address: Address) -> u8 {
    (1..=9).find(|user| account(*user) == address).expect("a user")
}

impl Net {
    fn step(&mut self, step: &Step) {
        let validators: Vec<Candidate> = self.leaf(Leaf::Candidates).expect("candidates");
        let validator = |pick: usize| user_at(validators[pick % validators.len()].operator);
        let delegations: Vec<((Address, Address), Delegation)> =
            self.all(|leaf| if let Leaf::Delegation(who, at) = leaf { Some((*who, *at)) } else { None });
        let delegation = |pick: usize, part: u128| {
            let ((who, at), one) = &delegations[pick % delegations.len()];
            let worth = self.validator(user_at(*at)).worth(one.shares).floor();
            (user_at(*who), user_at(*at), (worth * part / 100).max(1))
        };
        match *step {
            Step::Delegate { user, to, amount } => drop(self.does(user, delegate(user, validator(to), amount))),
            Step::Undelegate { pick, part } => {
                let (user, from, amount) = delegation(pick, part);
                self.does(user, undelegate(user, from, amount));
            }
            Step::Redelegate { pick, to, part } => {
                let (user, from, amount) = delegation(pick, part);
                self.does(user, redelegate(user, from, validator(to), amount));
            }
            Step::Cancel { pick, part } => {
                let unbondings: Vec<((Address, Address), Unbonding)> =
                    self.all(|leaf| if let Leaf::Unbonding(who, at) = leaf { Some((*who, *at)) } else { None });
                let Some(((who, at), record)) = unbondings.get(pick % unbondings.len().max(1)) else { return };
                let entry = record.entries[pick % record.entries.len()];
                let amount = (entry.balance * part / 100).max(1);
                let (user, from) = (user_at(*who), user_at(*at));
                self.does(user, cancel(user, from, amount, entry.height));
            }
            Step::Withdraw { pick } => {
                let (user, from, _) = delegation(pick, 1);
                self.does(user, withdraw(user, from));
            }
            Step::Commission { pick } => {
                let user = validator(pick);
                self.does(user, withdraw_commission(user));
            }
            Step::Create { user, amount } => drop(self.does(user, create(user, key(user), amount))),
            Step::Unjail { pick } => {
                let jailed: Vec<_> = validators.iter().filter(|one| one.jailed).collect();
                let Some(one) = jailed.get(pick % jailed.len().max(1)) else { return };
                let user = user_at(one.operator);
                self.does(user, unjail(user));
            }
            // A block needs more than two thirds, and the absence counts when the next one tells of it.
            Step::Absent { pick } => {
                let user = validator(pick);
                for _ in 0..2 {
                    let set = &self.chain.ledger.checkpoint().validators;
                    let all = u128::from(set.total_power());
                    let there = all - set.find(&key(user)).map_or(0, |member| u128::from(member.power));
                    self.absent = if there * 3 > all * 2 { vec![user] } else { Vec::new() };
                    self.block(Vec::new());
                }
                self.absent.clear();
            }
            Step::DoubleSign { pick, ago } => {
                let evidence = double_sign(validator(pick), self.height().saturating_sub(ago).max(1));
                self.block_with(Vec::new(), vec![evidence]);
            }
            Step::Later(seconds) => self.later(seconds),
            Step::Propose { user, amount, expedited } => {
                let proposal = v1::MsgSubmitProposal { expedited, ..proposal(user, amount, Vec::new()) };
                self.does(user, submit(&proposal));
            }
            Step::Deposit { user, id, amount } => drop(self.does(user, deposit(user, id, amount))),
            Step::Vote { user, id, option } => {
                use v1::VoteOption::{Abstain, No, NoWithVeto, Yes};
                self.does(user, vote(user, id, [Yes, No, Abstain, NoWithVeto][option]));
            }
            Step::TakeBack { user, id } => drop(self.does(user, take_back(user, id))),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: super::super::determinism::cases(), ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_made_and_another_enclave_says_the_same(
        steps in prop::collection::vec(step(), 1..60),
        (slash_fraction_double_sign, slash_fraction_downtime) in (fraction(), fraction()),
    ) {
        // Few signed blocks are asked for, so that absence has consequences soon.
        let params = Params {
            signed_blocks_window: 3,
            min_signed_per_window: Decimal::ONE,
            max_validators: 3,
            slash_fraction_double_sign,
            slash_fraction_downtime,
            ..params()
        };
        let mut net = Net::with(params, &[BOND, BOND + 3, 2 * BOND]);
        net.check();
        for step in &steps {
            net.step(step);
        }
        let mut twin = Chain::of(net.chain.genesis.clone());
        for next in &net.blocks {
            let outcome = twin.ledger.execute(next, &mut twin.host).expect("the same block");
            twin.host.keep(&outcome);
            twin.outcomes.push(outcome);
        }
        prop_assert_eq!(twin.outcomes, net.chain.outcomes);
    }
}

#[test]
fn lists_of_many_pages_stay_whole_when_members_leave() {
    let mut net = Net::of(1);
    // More delegators than one page has room for: each gives the coins to the next.
    let users: Vec<u8> = (10..10 + 70).collect();
    let coins: Vec<GenesisAccount> = users
        .iter()
        .map(|user| GenesisAccount { address: account(*user), coins: RICH, ..Default::default() })
        .collect();
    net.chain.genesis.accounts.extend(coins);
    net.chain = Chain::of(net.chain.genesis.clone());
    let sequences = |net: &Net, user: u8| net.chain.auth_sequence(account(user));
    let txs: Vec<Bytes> = users
        .iter()
        .map(|user| signed(*user, sequences(&net, *user), (5_000_000, FEE, 0), vec![delegate(*user, 1, POWER)]))
        .collect();
    assert!(txs.chunks(15).all(|some| net.block(some.to_vec()).iter().all(|one| one.status == Status::Success)));
    assert_eq!(net.validator(1).delegators, 71);
    for user in [10, 79, 40, 78, 11] {
        net.do_well(user, undelegate(user, 1, POWER));
    }
    assert_eq!((net.validator(1).delegators, net.validator(1).unbonders), (66, 5));
    net.later(100);
    assert_eq!(net.validator(1).unbonders, 0);
}

//! V-26: epochs come and go; values stay, old keys do not.

use cloister_chain::Epochs;
use cloister_chain::epoch::Retiring;
use cloister_envelope::{UserCipher, UserKey};
use cloister_keys::StateError as KeyError;

use super::own_form::{counter, hash, opened, own};
use super::*;

const SECOND: u64 = 1_000_000_000;
/// Blocks are a second apart.
const EPOCHS: Epochs = Epochs { length: 30 * SECOND, grace: 4 * SECOND, sweep: 3 };
const TOKEN: &[u8] = include_bytes!("../../../../../../../contracts/cosmwasm/artifacts/private-token.wasm");
/// Of each token, at first: one for each round of a long life.
const COINS: u64 = 1_000_000;
const KEYS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

/// A chain with a token in each world, a prober that remembers, and what they should say.
struct Ages {
    story: Story,
    prober: Made,
    token: Made,
    ether: Address,
    nonces: [u64; 4],
    /// Of users 1 and 2: in the CosmWasm token, in the Solidity token.
    balances: [[u64; 2]; 2],
}

fn genesis() -> Genesis {
    Genesis { epochs: Some(EPOCHS), ..start().genesis }
}

fn aged() -> Story {
    Story { chain: Chain::of(genesis()), ..Story::new() }
}

impl Ages {
    fn begin() -> Self {
        let mut story = aged();
        let prober = story.prober();
        for key in KEYS {
            story.execute(&prober, &json!({ "write": { "key": key, "value": format!("value of {key}") } }));
        }
        let code = story.store(TOKEN);
        let owner = |user: u8| json!({ "address": bech32(&account(user)), "amount": COINS.to_string() });
        let made = json!({
            "name": "Token", "symbol": "TKN", "decimals": 6, "prng_seed": STANDARD.encode("seed"),
            "initial_balances": [owner(1), owner(2)],
        });
        let token = story.make(code, "token", &made);
        assert_eq!(story.execute(&token, &json!({ "set_viewing_key": { "key": "view" } })).error(), "");
        let ether = address(1).create(0);
        let mut ages = Self { story, prober, token, ether, nonces: [0; 4], balances: [[COINS; 2]; 2] };
        let code = include_str!("../../../../../../../contracts/solidity/artifacts/PrivateToken.bin");
        let names = [U256::from(64), U256::from(128), U256::from(1), left("T"), U256::from(1), left("T")];
        let creation = [hex::decode(code.trim()).expect("hex"), words(&names)].concat();
        ages.send(1, TxKind::Create, creation);
        let people = [1, 2].map(|user| U256::from_be_slice(address(user).as_slice()));
        let mint = [&[U256::from(64), U256::from(COINS), U256::from(2)][..], &people].concat();
        ages.call(1, "mint(address[],uint64)", &mint);
        ages
    }

    fn send(&mut self, user: u8, to: TxKind, input: Vec<u8>) {
        let nonce = self.nonces[usize::from(user)];
        self.nonces[usize::from(user)] += 1;
        let receipt = self.story.chain.run(vec![sign(user, tx(nonce, to, 0, input))])[0].clone();
        assert_eq!(receipt.status, Status::Success);
    }

    fn call(&mut self, user: u8, signature: &str, arguments: &[U256]) {
        let input = [&keccak256(signature)[..4], &words(arguments)].concat();
        self.send(user, TxKind::Call(self.ether), input);
    }

    /// A transfer of one in each world, and something remembered.
    fn live(&mut self, round: usize) {
        let transfer = json!({ "transfer": { "recipient": bech32(&account(2)), "amount": "1" } });
        assert_eq!(self.story.execute(&self.token, &transfer).error(), "");
        let to = U256::from_be_slice(address(2).as_slice());
        self.call(1, "transfer(address,uint64)", &[to, U256::from(1)]);
        for balances in &mut self.balances {
            *balances = [balances[0] - 1, balances[1] + 1];
        }
        let key = KEYS[round % 3];
        self.story.execute(&self.prober, &json!({ "write": { "key": key, "value": format!("value of {key}") } }));
    }

    /// Everything is as it should be, whoever looks.
    fn check(&mut self) {
        for key in KEYS {
            assert_eq!(self.story.read(&self.prober, key), json!(format!("value of {key}")));
        }
        let asked = json!({ "balance": { "address": bech32(&account(1)), "key": "view" } });
        let told = self.story.query(&self.token, &asked).expect("an answer");
        assert_eq!(told, json!({ "balance": { "amount": self.balances[0][0].to_string() } }));
        for (user, balance) in [1, 2].into_iter().zip(self.balances[1]) {
            let owner = U256::from_be_slice(address(user).as_slice());
            let data = [&keccak256("balanceOf(address)")[..4], &words(&[owner])].concat().into();
            let call = Call { from: address(user), to: Some(self.ether), data, ..Call::default() };
            let Answer::Returned { output, .. } = self.story.chain.ask(Query::Call(call)) else { panic!("a balance") };
            let Answer::UserKey(key) = self.story.chain.ask(Query::UserKey(address(user))) else { panic!("a key") };
            let cipher = UserCipher::new(&UserKey::from_bytes(key.0));
            assert_eq!(cipher.open(U256::from_be_slice(&output)), u128::from(balance));
        }
    }

    /// Lives until epoch `last` is alone, and checks on the way. The blocks stay.
    fn live_until(&mut self, last: u64) {
        for round in 0.. {
            self.live(round);
            self.check();
            let epoch = self.story.chain.epoch();
            if epoch.number == last && epoch.retiring.is_none() {
                return;
            }
        }
    }
}

impl Chain {
    fn epoch(&self) -> Epoch {
        borsh::from_slice(&self.host.leaves[&Leaf::Epoch]).expect("an epoch")
    }

    /// The epochs that sealed what the host holds.
    fn sealed_in(&self) -> Vec<u64> {
        self.host.leaves.iter().filter_map(|(leaf, value)| leaf.sealed_in(value)).collect()
    }

    /// Empty blocks until `done`.
    fn idle(&mut self, done: impl Fn(&Epoch) -> bool) {
        while !done(&self.epoch()) {
            self.run(vec![]);
        }
    }

    /// Another enclave at the tip, from what a host keeps.
    fn resume(&self, roots: Roots) -> Result<Ledger, Halt> {
        let mut loading = Ledger::resume(&self.genesis, roots, self.ledger.checkpoint().clone())?;
        loading.load(self.host.leaves.iter().map(|(leaf, value)| (*leaf, value.clone())).collect());
        loading.finish()
    }
}

fn words(words: &[U256]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect()
}

fn left(text: &str) -> U256 {
    U256::from_be_slice(text.as_bytes()) << (256 - 8 * text.len())
}

#[test]
fn v26_tokens_of_both_worlds_outlive_the_epochs_and_nothing_stays_sealed_by_an_old_one() {
    let mut ages = Ages::begin();
    let first = ages.story.chain.epoch();
    assert_eq!((first.number, first.retiring), (0, None));
    let user_key = ages.story.chain.ask(Query::UserKey(address(1)));
    let mut swept = BTreeMap::new();
    for last in 1..=3 {
        ages.live_until(last);
        let epoch = ages.story.chain.epoch();
        assert_eq!(epoch.keys.io, first.keys.io, "wallets keep it");
        assert!(ages.story.chain.sealed_in().len() > 20);
        assert!(ages.story.chain.sealed_in().iter().all(|sealed| *sealed == last), "all is sealed again");
        swept.insert(last, epoch.keys.input);
        let switch: B256 = borsh::from_slice(&ages.story.chain.host.leaves[&Leaf::Switch(last)]).expect("32 bytes");
        let decided = &ages.story.chain.decided[usize::try_from(epoch.height).expect("few") - 1];
        assert_eq!((decided.block.header.height, decided.block.header.parent), (epoch.height, switch));
    }
    assert_eq!(swept.values().collect::<std::collections::BTreeSet<_>>().len(), 3, "each has its own input key");
    assert_eq!(ages.story.chain.ask(Query::UserKey(address(1))), user_key, "users keep theirs");
}

#[test]
fn v26_what_leads_to_the_next_root_is_certified_and_a_sweep_takes_the_blocks_that_it_needs() {
    let mut ages = Ages::begin();
    let chain = &mut ages.story.chain;
    chain.idle(|epoch| epoch.number == 1);
    let parent = chain.ledger.checkpoint().header.parent;
    assert_eq!(borsh::from_slice::<B256>(&chain.host.leaves[&Leaf::Switch(1)]).expect("32 bytes"), parent);
    let began = chain.epoch();
    let unswept = Retiring { input: began.retiring.expect("the first one").input, cursor: B256::ZERO, swept: false };
    assert_eq!((began.height, began.retiring), (chain.ledger.checkpoint().header.height, Some(unswept)));
    let records = chain.sealed_in().len();
    assert!(chain.sealed_in().iter().all(|sealed| *sealed == 0));

    let mut cursor = B256::ZERO;
    for done in 1.. {
        let crossings = chain.host.crossings;
        chain.ledger.cache = Cache::default();
        chain.run(vec![]);
        assert_eq!(chain.sealed_in().iter().filter(|sealed| **sealed == 1).count(), records.min(3 * done));
        assert!(chain.host.crossings <= crossings + 1, "names, values and the block's own leaves come together");
        let Some(retiring) = chain.epoch().retiring else {
            assert_eq!(done, records / 3 + 1, "it ends with the look that finds less than there may be");
            break;
        };
        assert!(!retiring.swept, "the time of grace was over long before");
        assert!(retiring.cursor > cursor, "in the order of the tree");
        cursor = retiring.cursor;
    }
    assert_eq!((chain.ledger.keys().epoch(), chain.ledger.keys().oldest_epoch()), (1, 1));
    ages.check();
}

/// An enclave that executes what another one did, and starts again after every block with whatever roots its host may have.
struct Twin {
    chain: Chain,
    /// The roots of every time that they changed. A host may have been too late to keep the last ones.
    kept: Vec<Roots>,
}

impl Twin {
    fn follow(&mut self, decided: Vec<Execute>, outcomes: &[Outcome]) {
        let Self { chain, kept } = self;
        for next in decided {
            let outcome = chain.ledger.execute(&next, &mut chain.host).expect("an honest block");
            assert_eq!(outcome, outcomes[usize::try_from(outcome.height).expect("few")]);
            chain.host.keep(&outcome);
            let now = chain.ledger.keys().roots();
            if kept.last() != Some(&now) {
                kept.push(now);
            }
            for roots in kept.iter().rev().take(3) {
                let copy = Roots::from_bytes(&roots.to_bytes()).expect("a layout");
                let resumed = chain.resume(copy).expect("roots of now or of before");
                assert_eq!(resumed.keys().roots(), chain.ledger.keys().roots(), "whatever was kept");
                chain.ledger = resumed;
            }
        }
    }
}

#[test]
fn v26_another_enclave_and_one_that_crashes_at_every_step_say_the_same() {
    let mut ages = Ages::begin();
    // A few in every test run; a soak asks for more.
    let last = std::env::var("CLOISTER_EPOCHS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut twin = Twin { chain: Chain::of(genesis()), kept: vec![roots()] };
    for round in 0.. {
        ages.live(round);
        let chain = &mut ages.story.chain;
        twin.follow(std::mem::take(&mut chain.decided), &chain.outcomes);
        if chain.epoch().number == last && chain.epoch().retiring.is_none() {
            break;
        }
    }
    assert_eq!(twin.kept.len() as u64, 1 + 2 * last, "each epoch is switched to and its former one erased");
    // From the very first roots, too: a node that was away all the time, and joins with the state of others.
    let joined = twin.chain.resume(roots()).expect("the chain leads there");
    assert_eq!(joined.keys().roots(), twin.chain.ledger.keys().roots());
}

#[test]
fn v26_roots_that_are_not_the_states_are_refused() {
    let mut chain = Chain::of(genesis());
    let before = chain.ledger.checkpoint().clone();
    let leaves: Vec<_> = chain.host.leaves.clone().into_iter().collect();
    chain.idle(|epoch| epoch.number == 1);
    let refused = |roots: Roots| chain.resume(roots).err();
    assert_eq!(refused(chain.ledger.keys().roots()), None);
    assert_eq!(refused(chain.ledger.keys().roots().retire()), Some(Halt::Sealed), "without one that is needed");
    assert_eq!(refused(Roots::found("test-1", Seed::from_bytes([8; 32]))), Some(Halt::Sealed), "another chain's");
    let strange = roots().step("test-1", &B256::ZERO);
    assert_eq!(refused(strange), Some(Halt::Sealed), "of another switch");
    let mut rolled_back = Ledger::resume(&chain.genesis, chain.ledger.keys().roots(), before).expect("loads");
    rolled_back.load(leaves);
    assert_eq!(rolled_back.finish().map(drop), Err(Halt::Sealed), "newer than the state");
    let again = Ledger::genesis(&chain.genesis, chain.ledger.keys().roots());
    assert_eq!(again.map(drop), Err(Halt::Sealed), "newer than the beginning");
}

#[test]
fn v26_a_host_that_lies_about_names_stops_its_own_enclave_and_nothing_else() {
    let mut ages = Ages::begin();
    let chain = &mut ages.story.chain;
    chain.idle(|epoch| epoch.number == 1);
    let position = *chain.host.names.keys().next().expect("sealed values");
    let honest = chain.host.names.clone();
    let other = honest.values().copied().nth(5).expect("some");
    type Lie = fn(&mut Host, B256, Leaf);
    let lies: [Lie; 3] = [
        |host, position, _| {
            host.names.remove(&position);
        },
        |host, position, other| {
            host.names.insert(position, other);
        },
        |host, position, _| {
            host.names.insert(position, Leaf::Chain);
        },
    ];
    for lie in lies {
        lie(&mut chain.host, position, other);
        let next = chain.propose(vec![]);
        let before = chain.ledger.checkpoint().clone();
        assert_eq!(chain.ledger.execute(&next, &mut chain.host), Err(Halt::Supply));
        assert_eq!(*chain.ledger.checkpoint(), before);
        chain.host.names = honest.clone();
    }
    chain.idle(|epoch| epoch.retiring.is_none());
    ages.check();
}

#[test]
fn v26_our_own_form_is_taken_to_the_end_of_grace_and_published_forms_for_ever() {
    let mut story = aged();
    let counter = counter(&mut story);
    let early = [(); 3].map(|()| story.seal(&counter, &json!({ "increment": {} })));
    let [one, two, three] = early;
    let session = story.session();
    let in_the_published_form = sealed(&session, counter.code_hash, &json!({ "increment": {} }));
    let (question, _) = story.permitted(&counter, &json!({ "get_count": {} }));
    let ask = |story: &mut Story| story.chain.ask(question.clone());

    story.chain.idle(|epoch| epoch.number == 1);
    let seen = story.send(vec![own(&one.message)]);
    assert_eq!(seen.result.log, "", "in the time of grace");
    let output: cloister_chain::cosmos::sealed::MsgExecuteResponse = seen.response(0);
    opened(&one.keys, hash(&story), 0, &output.output);
    assert!(matches!(ask(&mut story), Answer::Contract { .. }));

    let late = story.chain.epoch().began + EPOCHS.grace;
    while story.chain.ledger.checkpoint().header.time + SECOND < late {
        story.chain.run(vec![]);
    }
    let over =
        "the message is sealed to the network's key of epoch 0, which is not in use: the present one is of epoch 1";
    let log = format!(
        "failed to execute message; message index: 0: Execution error: Enclave: {over}: execute contract failed"
    );
    assert_eq!(story.send(vec![own(&two.message)]).result.log, log, "at the end of grace");
    story.chain.idle(|epoch| epoch.retiring.is_none());
    assert_eq!(story.send(vec![own(&three.message)]).result.log, log, "without a key");
    let Answer::Rejected(rejection) = ask(&mut story) else { panic!("a question to a key that is gone") };
    assert_eq!(rejection.log, format!("Execution error: Enclave: {over}"));
    let fresh = story.seal(&counter, &json!({ "increment": {} }));
    assert_eq!(story.send(vec![own(&fresh.message)]).result.log, "");

    let message = execution(1, counter.address, in_the_published_form, 0);
    let mut seen = story.send(vec![message]);
    seen.session = Some(session);
    assert_eq!(seen.error(), "", "secret.js's key is for ever");
}

#[test]
fn v26_who_has_only_older_roots_opens_nothing_of_later_epochs_and_later_roots_nothing_of_older_ones() {
    let mut ages = Ages::begin();
    let older = ages.story.chain.ledger.keys().clone();
    let value_of = |chain: &Chain| {
        let sealed = |(leaf, value): (&Leaf, &Vec<u8>)| match leaf {
            Leaf::Sealed(contract, name) => Some((*contract, *name, value.clone())),
            _ => None,
        };
        chain.host.leaves.iter().find_map(sealed).expect("a sealed value")
    };
    let (contract, name, recorded) = value_of(&ages.story.chain);
    ages.story.chain.idle(|epoch| epoch.number == 1 && epoch.retiring.is_none());
    let (_, _, after) = value_of(&ages.story.chain);
    assert_eq!(older.contract_state(contract).open(name, &after), Err(KeyError::Epoch));
    let mut renumbered = after.clone();
    renumbered[1..9].copy_from_slice(&recorded[1..9]);
    assert_eq!(older.contract_state(contract).open(name, &renumbered), Err(KeyError::Refused));

    let later = ages.story.chain.ledger.keys();
    assert!(later.contract_state(contract).open(name, &after).is_ok());
    assert_eq!(later.contract_state(contract).open(name, &recorded), Err(KeyError::Epoch));
    let mut renumbered = recorded.clone();
    renumbered[1..9].copy_from_slice(&after[1..9]);
    assert_eq!(later.contract_state(contract).open(name, &renumbered), Err(KeyError::Refused));
    let gone = older.roots().to_bytes();
    assert!(!later.roots().to_bytes().windows(32).any(|window| *window == gone[32..64]), "the old root is in none");
}

#[test]
fn v26_a_question_about_a_height_whose_keys_are_gone_is_told_so() {
    let mut story = aged();
    let counter = counter(&mut story);
    let height = story.chain.ledger.checkpoint().header.height;
    let ask = |story: &mut Story, height| {
        let session = story.session();
        let message = sealed(&session, counter.code_hash, &json!({ "get_count": {} })).into();
        let query = ContractQuery { contract: counter.address, form: Form::Siv, message };
        let question = QueryAt { height, query: Query::Contract(query) };
        story.chain.ledger.snapshots().query(&question, &mut story.chain.host)
    };
    story.chain.idle(|epoch| epoch.number == 1);
    assert!(matches!(ask(&mut story, Some(height)), Answer::Contract { .. }), "while the epoch retires");
    story.chain.idle(|epoch| epoch.retiring.is_none());
    assert_eq!(ask(&mut story, Some(height)), Answer::Refused(QueryRefusal::Height));
    assert!(matches!(ask(&mut story, None), Answer::Contract { .. }));
    let proof = QueryAt { height: Some(height), query: Query::Prove(Leaf::Epoch) };
    let told = story.chain.ledger.snapshots().query(&proof, &mut story.chain.host);
    assert!(!matches!(told, Answer::Refused(QueryRefusal::Height)), "what is public needs no key");
}

/// Without calldata: saves 7 to slot 0. With a slot: copies the word of slot 0 there. With a slot and anything behind it: fails
/// unless 7 is what that slot opens to.
fn copier() -> Vec<u8> {
    let put = |word: U256, at: u8| [&[0x7f][..], &word.to_be_bytes::<32>(), &[0x60, at, 0x52]].concat();
    // The word on the stack is the argument: MSTORE it to 36, then the type to 4 and the selector to 0; CALL; MLOAD the answer.
    let operation = |signature: &str| {
        let selector = U256::from_be_slice(&keccak256(signature)[..4]) << 224;
        let request = [put(selector, 0), put(U256::from(4) << 248, 4)].concat();
        [&hex!("602452")[..], &request, &hex!("60205f60445f5f60645af1505f51")].concat()
    };
    let [public, off, on, decrypt] =
        ["SetPublic(bytes1,uint256)", "OffBoard(bytes1,uint256)", "OnBoard(bytes1,uint256)", "Decrypt(bytes1,uint256)"]
            .map(operation);
    let jump = |to: usize| [&[0x61][..], &u16::try_from(to).expect("short").to_be_bytes(), &[0x57]].concat();
    let copy = hex!("5f545f355500");
    let save = [&hex!("5b6007")[..], &public, &off, &hex!("5f5500")].concat();
    // CALLDATASIZE ISZERO JUMPI, CALLDATASIZE above 32 JUMPI.
    let saves = 14 + copy.len();
    let shows = saves + save.len();
    let head = [&hex!("3615")[..], &jump(saves), &hex!("36602010"), &jump(shows)].concat();
    let show = [&hex!("5b5f3554")[..], &on, &decrypt, &hex!("600714")].concat();
    let right = shows + show.len() + 5;
    [head, copy.to_vec(), save, show, jump(right), hex!("fe5b00").to_vec()].concat()
}

#[test]
fn v26_a_word_that_is_copied_behind_the_sweep_is_sealed_again_with_its_block() {
    let mut genesis = genesis();
    let contract = Address::repeat_byte(0xc0);
    genesis.accounts.push(GenesisAccount { address: contract, code: copier().into(), ..Default::default() });
    genesis.epochs = Some(Epochs { sweep: 1, ..EPOCHS });
    let mut chain = Chain::of(genesis);
    let mut nonce = 0;
    let mut send = |chain: &mut Chain, input: Vec<u8>| {
        let receipt = chain.run(vec![sign(1, tx(nonce, TxKind::Call(contract), 0, input))])[0].clone();
        nonce += 1;
        assert_eq!(receipt.status, Status::Success);
    };
    send(&mut chain, vec![]);
    let cell = |chain: &Chain, slot: u64| -> Cell {
        let leaf = Leaf::Storage(contract, U256::from(slot).into());
        borsh::from_slice(&chain.host.leaves[&leaf]).expect("a cell")
    };
    // A slot in front of slot 0 in the order of the tree, and one behind it.
    let position = |slot: u64| Leaf::Storage(contract, U256::from(slot).into()).position();
    let front = (1..).find(|slot| position(*slot) < position(0)).expect("half of them");
    let behind = (1..).find(|slot| position(*slot) > position(0)).expect("half of them");
    for slot in [front, behind] {
        send(&mut chain, words(&[U256::from(slot)]));
    }
    let first = cell(&chain, front);
    assert_eq!((first.marked, first.word), (Some(0), cell(&chain, 0).word));
    chain.idle(|epoch| epoch.number == 1);
    chain.run(vec![]);
    assert_eq!([front, 0, behind].map(|slot| cell(&chain, slot).marked), [Some(1), Some(0), Some(0)]);
    // The sweep has passed that slot; now it gets a word of the former epoch.
    send(&mut chain, words(&[U256::from(front)]));
    assert_eq!([front, 0, behind].map(|slot| cell(&chain, slot).marked), [Some(1), Some(1), Some(0)]);
    chain.idle(|epoch| epoch.retiring.is_none());
    assert!(chain.sealed_in().iter().all(|sealed| *sealed == 1));
    let cells = [front, 0, behind].map(|slot| cell(&chain, slot).word);
    assert!(cells[0] != cells[1] && cells[1] != cells[2] && cells[0] != cells[2], "each has a salt of its own");
    for slot in [front, 0, behind] {
        let input = words(&[U256::from(slot), U256::ZERO]);
        send(&mut chain, input);
    }
}

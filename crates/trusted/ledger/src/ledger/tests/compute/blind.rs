//! V-07: what nobody decided is opened by nobody. Every decryption of this thread is counted.

use alloy_primitives::address;
use cloister_chain::cosmos::sealed::MsgExecute;
use cloister_envelope::{AccountKey, Form as Signed, InputContext, UserCipher, UserKey};
use cloister_teeth::decryptions;

use super::super::authz::exec;
use super::own_form::{counter, own};
use super::*;

/// A chain with a contract of each world, and transactions for it that wait.
struct Waiting {
    story: Story,
    counter: Made,
    /// In secret.js's form, and in our own.
    siv: Vec<u8>,
    gcm: MsgExecute,
    /// Calls of `user 1` with something confidential in them: to whom, and with which calldata.
    ether: Vec<(Address, Vec<u8>)>,
}

impl Waiting {
    fn begin() -> Self {
        let mut story = Story::new();
        let counter = counter(&mut story);
        let contract = address(1).create(0);
        let deploy = sign(1, tx(0, TxKind::Create, 0, data_on_chain()));
        let set = sign(1, tx(1, TxKind::Call(contract), 0, set_value(7)));
        assert!(story.chain.run(vec![deploy, set]).iter().all(|receipt| receipt.status == Status::Success));
        let increment = json!({ "increment": {} });
        let siv = sealed(&story.session(), counter.code_hash, &increment);
        let gcm = story.seal(&counter, &increment).message;
        let input_text = input_text(&mut story.chain);
        Self { story, counter, siv, gcm, ether: vec![(contract, SET_USER_VALUE.to_vec()), (PRECOMPILE, input_text)] }
    }

    /// All of them in one block.
    fn block(&self) -> Execute {
        let ether = (2..).zip(&self.ether);
        let mut txs: Vec<Bytes> =
            ether.map(|(nonce, (to, input))| sign(1, tx(nonce, TxKind::Call(*to), 0, input.clone()))).collect();
        let messages = self.messages();
        txs.extend(
            (self.story.sequence..).zip(messages).map(|(at, message)| signed(1, at, (10_000_000, 0, 0), message)),
        );
        self.story.chain.propose(txs)
    }

    fn messages(&self) -> [Vec<Any>; 2] {
        [vec![execution(1, self.counter.address, self.siv.clone(), 0)], vec![own(&self.gcm)]]
    }
}

/// Calldata of `ValidateCiphertext`, for an account that calls the precompile itself.
fn input_text(chain: &mut Chain) -> Vec<u8> {
    let Answer::UserKey(key) = chain.ask(Query::UserKey(address(1))) else { panic!("a key") };
    let cell = UserCipher::new(&UserKey::from_bytes(key.0)).seal([5; 16], 9);
    let selector = hex!("e4f36e10");
    let context = InputContext { sender: address(1), contract: address(1), selector };
    let signer = AccountKey::from_secret(Secret::from_bytes([1; 32])).expect("a key");
    let signature = context.sign(cell, &signer, Signed::Raw).signature;
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    [&selector[..], &[4], &[0; 31], &cell.to_be_bytes::<32>(), &word(96), &word(65), &signature, &[0; 31]].concat()
}

/// How much is decrypted while `happens`.
fn decrypted_while(happens: impl FnOnce()) -> u64 {
    let before = decryptions();
    happens();
    decryptions() - before
}

#[test]
fn v07_nothing_is_decrypted_before_it_is_decided() {
    let mut waiting = Waiting::begin();
    let block = waiting.block();
    let Waiting { story: Story { chain, .. }, gcm, counter, ether, .. } = &mut waiting;
    let stranger = |block: &Execute| {
        let header = &block.block.header;
        let key = SigningKey::from([8; 32]);
        let certificate = Certificate::solo(&key, &header.chain_id, header.height, header.hash());
        Execute { block: block.block.clone(), certificate }
    };
    let altered = |change: fn(&mut Block)| {
        let mut other = Execute { block: block.block.clone(), certificate: block.certificate.clone() };
        change(&mut other.block);
        other
    };
    let undecided = [
        ("signed by a stranger", stranger(&block)),
        ("one transaction less", altered(|block| drop(block.txs.pop()))),
        ("another time", altered(|block| block.header.time += 1)),
        ("another height", altered(|block| block.header.height += 1)),
    ];
    for (what, block) in undecided {
        let decrypted = decrypted_while(|| assert!(chain.ledger.execute(&block, &mut chain.host).is_err(), "{what}"));
        assert_eq!(decrypted, 0, "a block: {what}");
    }

    let mut questions = vec![Query::NetworkKeys, Query::UserKey(address(1))];
    questions.extend(chain.host.leaves.keys().map(|leaf| Query::Prove(*leaf)));
    for (to, data) in ether.clone() {
        for from in [address(1), address(2)] {
            let call = Call { from, to: Some(to), data: data.clone().into(), ..Call::default() };
            questions.extend([Query::Call(call.clone()), Query::Estimate(call)]);
        }
    }
    let as_question = ContractQuery { contract: counter.address, form: Form::Gcm, message: gcm.input.clone().into() };
    questions.push(Query::Contract(as_question));
    for messages in waiting.messages() {
        let for_another = vec![exec(2, messages.clone())];
        for (user, messages) in [(1, messages), (2, for_another)] {
            let sequence = waiting.story.chain.auth_sequence(account(user));
            questions.push(Query::Simulate(signed(user, sequence, (10_000_000, 0, 0), messages).slice(1..)));
        }
    }
    for query in questions {
        let asked = format!("{query:?}");
        assert_eq!(decrypted_while(|| drop(waiting.story.chain.ask(query))), 0, "{asked}");
    }

    // The teeth: once it is decided, each of them moves the counter.
    for tx in block.block.txs {
        let decrypted = decrypted_while(|| {
            let receipt = waiting.story.chain.run(vec![tx])[0].clone();
            assert_eq!(receipt.status, Status::Success, "{receipt:?}");
        });
        assert!(decrypted > 0);
    }
}

/// What docs/threats.md says of the form: it is sealed as a question is, so whoever has the bytes can ask it. What comes out
/// is sealed to its sender.
#[test]
fn a_message_in_the_published_form_opens_as_a_question_too() {
    let Waiting { mut story, counter, siv, .. } = Waiting::begin();
    let query = ContractQuery { contract: counter.address, form: Form::Siv, message: siv.into() };
    let decrypted = decrypted_while(|| {
        let Answer::Rejected(rejection) = story.chain.ask(Query::Contract(query)) else { panic!("no such question") };
        assert!(rejection.log.starts_with("encrypted: "), "{}", rejection.log);
    });
    assert!(decrypted > 0);
}

const PRECOMPILE: Address = address!("0000000000000000000000000000000000000064");

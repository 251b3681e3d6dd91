//! A machine that is broken after an epoch was retired, and what was recorded before (G2, M-26).

use alloy_primitives::{B256, U256};
use cloister_chain::cosmos::sealed::MsgExecute;
use cloister_chain::wire::{Answer, ContractQuery, Query};
use cloister_chain::{Cell, Leaf};
use cloister_envelope::message::{CallContext, Entry};
use cloister_keys::Keys;
use cloister_teeth::Mechanism;

use super::epochs::{Aged, KEEPER, holds, present};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Stage, account, execute, keeper, memory, signed};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "dump-after-retirement",
        rules: "G2 M-26",
        mechanism: Mechanism::Erasure,
        story: "After an epoch's retirement somebody gets the sealing key, disk and memory, and opens what he recorded before.",
        attack: dumped,
    },
    Scenario {
        name: "moved-between-epochs",
        rules: "G2 M-26",
        mechanism: Mechanism::EpochOfItsOwn,
        story: "What was recorded in a retired epoch is given the present one's number, and tried with the present one's keys.",
        attack: moved,
    },
];

/// What anybody could record of an epoch.
struct Recorded {
    message: MsgExecute,
    question: ContractQuery,
    /// A sealed value of the counter's: where it stands, and what stands there.
    value: (B256, Vec<u8>),
    /// The keeper's ciphertext.
    word: U256,
}

impl Recorded {
    fn now(aged: &mut Aged, stage: &mut Stage) -> Result<Self, Failure> {
        let Aged { chain, counter, .. } = aged;
        let (message, _) = counter.call(chain, 1, stage.dice.bytes(), r#"{"increment":{}}"#)?;
        let (Query::Contract(question), _) = counter.question(chain, 2, stage.dice.bytes())? else {
            return Err("a question".into());
        };
        let value = chain.disk.leaves.iter().find_map(|(leaf, value)| match leaf {
            Leaf::Sealed(contract, name) if *contract == counter.address => Some((*name, value.clone())),
            _ => None,
        });
        let value = value.ok_or("the counter keeps something")?;
        let cell = chain.disk.read::<Cell>(&Leaf::Storage(KEEPER, U256::from(keeper::SECRET).into()));
        Ok(Self { message, question, value, word: cell.ok_or("the keeper keeps something")?.word })
    }

    /// The same, as if `epoch` had sealed it. The number stands behind the version, wherever it stands.
    fn renumbered(mut self, epoch: u64) -> Self {
        let number = epoch.to_be_bytes();
        self.message.input[1..9].copy_from_slice(&number);
        self.value.1[1..9].copy_from_slice(&number);
        let mut question = self.question.message.to_vec();
        question[1..9].copy_from_slice(&number);
        self.question.message = question.into();
        self
    }

    /// What these keys open of it. The ciphers of words have no tag: what counts is that they show the secret.
    fn opened(&self, aged: &Aged, keys: &Keys, epoch: u64) -> [(&'static str, bool); 3] {
        let contract = aged.counter.address;
        let (sender, code_hash) = (account(1), aged.counter.code_hash);
        let chain_id = &aged.chain.genesis.chain_id;
        let context = CallContext { chain_id, sender, entry: Entry::Execute(contract), code_hash, funds: &[] };
        let (name, value) = &self.value;
        let word = keys.network_cipher(KEEPER, epoch).map(|cipher| cipher.open(self.word));
        [
            ("a message", keys.open_call(&context, &self.message.input, true).is_ok()),
            ("a sealed value", keys.contract_state(contract).open(*name, value).is_ok()),
            ("a word of storage", word == Some(aged.secret.into())),
        ]
    }
}

/// What was recorded in epoch 0, and the chain when it is in epoch 1 alone.
fn retired(stage: &mut Stage) -> Result<(Aged, Recorded, Vec<u8>), Failure> {
    let mut aged = Aged::begin(stage, 2, 2)?;
    let recorded = Recorded::now(&mut aged, stage)?;
    let root = present(&aged.roots(&aged.chain.disk)?);
    aged.idle(|epoch| epoch.number == 1 && epoch.retiring.is_none())?;
    // A call and a question run on every thread's stack.
    let (message, _) = aged.counter.call(&mut aged.chain, 1, stage.dice.bytes(), r#"{"increment":{}}"#)?;
    aged.chain.run(vec![signed(1, 2, 1_000_000, vec![execute(&message)])])?;
    aged.counter.count(&mut aged.chain, 1)?;
    Ok((aged, recorded, root))
}

fn dumped(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut aged, recorded, root) = retired(stage)?;
    let keys = |aged: &Aged| Ok::<_, Failure>(Keys::new("test-1", aged.roots(&aged.chain.disk)?));
    let mut attempts = Attempts::default();
    for (what, opened) in recorded.opened(&aged, &keys(&aged)?, 0) {
        attempts.add(format!("{what}, with what is on disk"), opened);
    }
    // Only root reads an enclave's memory, even where no processor guards it.
    if let Some(dump) = memory(aged.chain.enclave.id()) {
        attempts.add("the root, in memory", holds(&dump, &root));
        attempts.also("the present root is there", holds(&dump, &present(&aged.roots(&aged.chain.disk)?)));
    }
    let living = Recorded::now(&mut aged, stage)?.opened(&aged, &keys(&aged)?, 1);
    attempts.also("of the present epoch all opens", living.iter().all(|(_, opened)| *opened));
    Ok(attempts)
}

fn moved(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut aged, recorded, _) = retired(stage)?;
    let recorded = recorded.renumbered(1);
    let keys = Keys::new("test-1", aged.roots(&aged.chain.disk)?);
    let mut attempts = Attempts::default();
    for (what, opened) in recorded.opened(&aged, &keys, 1) {
        attempts.add(format!("{what}, with the present keys"), opened);
    }
    let answer = aged.chain.ask(Query::Contract(recorded.question.clone()))?;
    attempts.add("a question, asked again", matches!(answer, Answer::Contract { .. }));
    let living = Recorded::now(&mut aged, stage)?;
    attempts.also("of the present epoch all opens", living.opened(&aged, &keys, 1).iter().all(|(_, opened)| *opened));
    let answer = aged.chain.ask(Query::Contract(living.question))?;
    attempts.also("and is answered", matches!(answer, Answer::Contract { .. }));
    Ok(attempts)
}

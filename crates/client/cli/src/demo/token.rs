//! The second act: a private token, from a secret message to a private balance, and two attempts to look inside.

use cloister_chain::cosmos::sealed::MsgExecute;
use cloister_chain::cosmos::{CosmosTx, Message};
use cloister_sdk::cosmos::{Account, Called, Contract, PrivateAttribute, bech32};
use cloister_sdk::{Bytes, Error as SdkError};
use prost::Message as _;
use secret_sdk_proto::Any;
use serde_json::{Value, json};

use super::page::{Page, Shown, Step};
use crate::error::Error;

const TOKEN: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../contracts/cosmwasm/artifacts/private-token.wasm"));

/// The act and who takes part in it.
pub struct TokenStory<'p, 's> {
    page: &'p mut Page<'s>,
    alice: Account,
    bob: Account,
}

impl<'p, 's> TokenStory<'p, 's> {
    /// Both have to hold coins.
    pub const fn new(page: &'p mut Page<'s>, alice: Account, bob: Account) -> Self {
        Self { page, alice, bob }
    }

    /// Everything, in order.
    pub async fn tell(mut self) -> Result<(), Error> {
        let token = self.make().await?;
        let (sent, transfer) = self.transfer(&token).await?;
        self.result(&sent)?;
        let key = self.viewing_key(&token).await?;
        self.balance(&token, &key).await?;
        self.overdraw(&token).await?;
        self.stolen_message(transfer).await
    }

    async fn make(&mut self) -> Result<Contract, Error> {
        let code = self.alice.store_code(TOKEN).await?;
        let start = json!({
            "name": "Demonstration", "symbol": "DEMO", "decimals": 0, "prng_seed": "c2VlZA==",
            "initial_balances": [{ "address": bech32(&self.alice.address()), "amount": "100" }],
        });
        // Names of contracts are unique on a chain.
        let label = format!("demonstration {}", code.id);
        let made = self.alice.instantiate(&code, &label, &start, 0).await?;
        let input = self.published(&made.called).await?;
        let step = Step::new("Second act: Alice uploads a private token and starts it with 100")
            .calls("instantiate { initial_balances: [alice: 100] }")
            .public("contract", Shown::text(bech32(&made.contract.address)))
            .public("code hash", Bytes::from(code.hash))
            .public("message in block", input.clone())
            .you("message", Shown::text("initial balances: 100 for Alice"))
            .check(
                "the message in the block does not hold her address",
                !holds(&input, &bech32(&self.alice.address())),
            );
        self.page.show(&step)?;
        Ok(made.contract)
    }

    /// Gives what Alice was told, and the message as it stood in the block.
    async fn transfer(&mut self, token: &Contract) -> Result<(Called, MsgExecute), Error> {
        let bob = bech32(&self.bob.address());
        let message = json!({ "transfer": { "recipient": bob, "amount": "25" } });
        let called = self.alice.execute(token, &message, 0).await?;
        let published = self.published_execute(&called).await?;
        let input = Bytes::from(published.input.clone());
        let step = Step::new("Alice sends Bob 25: the block shows who called what, and ciphertext")
            .calls("execute { transfer: { recipient, amount } }")
            .public("sender", Shown::text(bech32(&self.alice.address())))
            .public("contract", Shown::text(bech32(&token.address)))
            .public("message", input.clone())
            .you("recipient", Shown::text(&bob))
            .you("amount", Shown::text(25))
            .check("the message in the block does not hold Bob's address", !holds(&input, &bob));
        self.page.show(&step)?;
        Ok((called, published))
    }

    fn result(&mut self, called: &Called) -> Result<(), Error> {
        let output: Bytes = called.tx.responses.first().map(|any| any.value.clone().into()).unwrap_or_default();
        let answer: Value = serde_json::from_slice(&called.data).unwrap_or_default();
        let kinds: Vec<&str> = called.tx.events.iter().map(|event| event.kind.as_str()).collect();
        let private = |attribute: &PrivateAttribute| format!("{} = {}", attribute.key, attribute.value);
        let mut step = Step::new("What the contract answered is one padded ciphertext")
            .public("response", output.clone())
            .public("wasm event", Shown::text(called.tx.attribute("wasm", "contract_address").unwrap_or("none")))
            .you("answer", Shown::text(answer.to_string().trim()));
        for attribute in called.attributes.iter().take(3) {
            step = step.you("attribute", Shown::text(private(attribute)));
        }
        let step = step
            .check("Alice reads: success", answer["transfer"]["status"] == "success")
            .check("the public events say that a contract ran, no more", kinds.contains(&"wasm"))
            .check("\"success\" does not stand in the response", !holds(&output, "success"));
        self.page.show(&step)
    }

    /// Gives Bob's viewing key.
    async fn viewing_key(&mut self, token: &Contract) -> Result<String, Error> {
        let called =
            self.bob.execute(token, &json!({ "create_viewing_key": { "entropy": "demonstration" } }), 0).await?;
        let answer: Value = called.json()?;
        let key = answer["create_viewing_key"]["key"].as_str().unwrap_or_default().to_owned();
        let output: Bytes = called.tx.responses.first().map(|any| any.value.clone().into()).unwrap_or_default();
        let step = Step::new("The token makes Bob a viewing key, from the chain's secret randomness")
            .calls("execute { create_viewing_key: { entropy } }")
            .public("response", output)
            .you("viewing key", Shown::text(&key))
            .check("only Bob reads it", key.starts_with("api_key_"));
        self.page.show(&step)?;
        Ok(key)
    }

    async fn balance(&mut self, token: &Contract, key: &str) -> Result<(), Error> {
        let ask = |key: &str| json!({ "balance": { "address": bech32(&self.bob.address()), "key": key } });
        let own = self.bob.query::<Value>(token, &ask(key)).await?;
        let other = self.alice.query::<Value>(token, &ask("a guess")).await?;
        let amount = own.value["balance"]["amount"].as_str().unwrap_or_default();
        let refused = other.value["viewing_key_error"]["msg"].as_str().unwrap_or_default();
        let step = Step::new("Bob asks for his balance: question and answer are sealed, even to the node")
            .calls("query { balance: { address, key } }")
            .you("with a guess", Shown::text(refused))
            .you("balance", Shown::text(amount))
            .you("at block", Shown::text(own.height))
            .check("Bob has 25", amount == "25")
            .check("another key shows nothing", other.value["balance"].is_null() && !refused.is_empty());
        self.page.show(&step)
    }

    async fn overdraw(&mut self, token: &Contract) -> Result<(), Error> {
        let message = json!({ "transfer": { "recipient": bech32(&self.alice.address()), "amount": "26" } });
        let (log, text) = match self.bob.execute(token, &message, 0).await {
            Err(SdkError::Failed(failure)) => {
                (failure.reason.log.clone(), failure.contract.clone().unwrap_or_default())
            }
            Err(error) => return Err(error.into()),
            Ok(_) => (String::new(), String::new()),
        };
        let shown: String = log.chars().take(60).collect();
        let step = Step::new("Bob tries to send 26: that it fails is public, the reason is his alone")
            .calls("execute { transfer: { recipient, amount } }")
            .public("log", Shown::text(format!("{shown}...")))
            .you("reason", Shown::text(text.trim()))
            .check("it fails", !log.is_empty())
            .check("the contract's reason does not stand in the log", !text.is_empty() && !log.contains(text.trim()));
        self.page.show(&step)
    }

    async fn stolen_message(&mut self, transfer: MsgExecute) -> Result<(), Error> {
        let input = Bytes::from(transfer.input.clone());
        let stolen = MsgExecute { sender: self.bob.address().to_vec(), ..transfer };
        let any = Any { type_url: "/cloister.compute.v1.MsgExecute".into(), value: stolen.encode_to_vec() };
        let log = match self.bob.transact(vec![any], GAS).await {
            Err(SdkError::Failed(failure)) => failure.reason.log.clone(),
            Err(error) => return Err(error.into()),
            Ok(_) => String::new(),
        };
        let why = log.rsplit("Enclave: ").next().unwrap_or_default();
        let step = Step::new("Bob sends Alice's sealed message as if it were his own")
            .public("message", input)
            .public("log", Shown::text(why))
            .you("Bob sees", "nothing")
            .check("it does not open: it is sealed to its sender, contract, code and deposit", why.contains("decrypt"));
        self.page.show(&step)
    }

    /// The ciphertext of a call, as anybody finds it in its block.
    async fn published(&self, called: &Called) -> Result<Bytes, Error> {
        match self.message(called).await? {
            Message::SealedInstantiate(message) => Ok(message.input.into()),
            Message::SealedExecute(message) => Ok(message.input.into()),
            _ => Err(SdkError::Result(called.tx.hash).into()),
        }
    }

    async fn published_execute(&self, called: &Called) -> Result<MsgExecute, Error> {
        match self.message(called).await? {
            Message::SealedExecute(message) => Ok(message),
            _ => Err(SdkError::Result(called.tx.hash).into()),
        }
    }

    async fn message(&self, called: &Called) -> Result<Message, Error> {
        let txs = self.alice.client().block(called.tx.height).await?;
        let decoded = txs.iter().filter_map(|tx| CosmosTx::decode(tx).ok());
        let found = decoded.into_iter().find(|tx| tx.hash() == called.tx.hash);
        let message = found.and_then(|tx| tx.messages().first().cloned());
        message.ok_or_else(|| SdkError::Result(called.tx.hash).into())
    }
}

/// Whether `text` stands in these bytes.
fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Gas for the message that does not open.
const GAS: u64 = 300_000;

//! What contracts keep, and what they are told.

use super::wat::{code, db_write, import, region, v010};
use super::{GAS, SENDER, World, nothing};
use crate::{Call, Code, Coin, Entry, HostError, Returned, Run, Trap, Version, run};

/// Keeps its message under `k`, and answers with what is there.
fn keeper() -> Code {
    let imports = db_write() + &import("db_read", "(param i32) (result i32)") + &import("db_remove", "(param i32)");
    let functions = region(1024, b"k")
        + r#"(func (export "execute") (param i32 i32 i32) (result i32)
                (call $db_write (i32.const 1024) (local.get 2)) (i32.const 16))
             (func (export "migrate") (param i32 i32) (result i32)
                (call $db_remove (i32.const 1024)) (i32.const 16))
             (func (export "query") (param i32 i32) (result i32) (call $db_read (i32.const 1024)))"#;
    code(&imports, &functions)
}

#[test]
fn what_a_call_wrote_a_query_reads() {
    let (mut world, keeper) = (World::new(), keeper());
    assert_eq!(world.call(&keeper, Entry::Execute, br#"{"Ok":"aGk="}"#).result, Ok(nothing()));
    assert_eq!(world.call(&keeper, Entry::Query, b"{}").result, Ok(Returned::Answer(b"hi".to_vec())));

    assert_eq!(world.call(&keeper, Entry::Migrate, b"{}").result, Ok(nothing()));
    assert!(world.state.is_empty());
    // Nothing under the key is pointer 0, which this contract returns as it is.
    assert_eq!(world.call(&keeper, Entry::Query, b"{}").result, Err(Trap::MemoryRead));
}

#[test]
fn a_query_writes_nothing() {
    let imports = db_write() + &import("db_remove", "(param i32)");
    let write = r#"(func (export "query") (param i32 i32) (result i32)
        (call $db_write (local.get 1) (local.get 1)) (i32.const 16))"#;
    let remove = r#"(func (export "query") (param i32 i32) (result i32)
        (call $db_remove (local.get 1)) (i32.const 16))"#;
    for query in [write, remove] {
        let mut world = World::new();
        world.state.insert(b"{}".to_vec(), b"kept".to_vec());
        let result = world.call(&code(&imports, query), Entry::Query, b"{}").result;
        assert_eq!(result, Err(Trap::WriteInQuery));
        assert_eq!(world.at("{}"), b"kept");
    }
    assert_eq!(Trap::WriteInQuery.to_string(), "contract tried to write to storage during a query");
}

/// Keeps `env` and, if there is one, `info`.
fn told(random: bool) -> Code {
    let random = if random { r#"(func (export "requires_random"))"# } else { "" };
    let functions = region(1024, b"env")
        + &region(1060, b"info")
        + random
        + r#"(func (export "execute") (param i32 i32 i32) (result i32)
                (call $db_write (i32.const 1024) (local.get 0))
                (call $db_write (i32.const 1060) (local.get 1)) (i32.const 16))
             (func (export "reply") (param i32 i32) (result i32)
                (call $db_write (i32.const 1024) (local.get 0))
                (call $db_write (i32.const 1060) (local.get 1)) (i32.const 16))"#;
    code(&db_write(), &functions)
}

#[test]
fn the_newer_line_is_told_of_block_contract_transaction_sender_and_funds() {
    let (mut world, told) = (World::new(), told(false));
    let env = super::env();
    let funds = [Coin { denom: "uscrt".into(), amount: u128::MAX }];
    let call = Call { entry: Entry::Execute, env: &env, sender: SENDER, funds: &funds, message: b"{}", gas: GAS };
    assert_eq!(run(&told, &mut world, &call).result, Ok(nothing()));
    assert_eq!(
        String::from_utf8(world.at("env")).unwrap(),
        concat!(
            r#"{"block":{"height":12345,"time":"1700000000123456789","chain_id":"secretdev-1"},"#,
            r#""contract":{"address":"secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne","#,
            r#""code_hash":"0101010101010101010101010101010101010101010101010101010101010101"},"#,
            r#""transaction":{"index":3,"hash":"ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"}}"#,
        )
    );
    assert_eq!(
        String::from_utf8(world.at("info")).unwrap(),
        concat!(
            r#"{"sender":"secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03","#,
            r#""funds":[{"denom":"uscrt","amount":"340282366920938463463374607431768211455"}]}"#,
        )
    );
}

#[test]
fn randomness_goes_to_those_who_ask_for_it_and_never_into_a_query() {
    let mut world = World::new();
    let asks = told(true);
    assert!(asks.wants_random() && !told(false).wants_random());
    world.call(&asks, Entry::Execute, b"{}");
    let random = r#""chain_id":"secretdev-1","random":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="},"#;
    assert!(String::from_utf8(world.at("env")).unwrap().contains(random));

    let env = super::env();
    let query = Call { entry: Entry::Query, env: &env, sender: "", funds: &[], message: b"{}", gas: GAS };
    let arguments = query.arguments(Version::V1, true);
    assert_eq!(arguments.len(), 2);
    assert!(!String::from_utf8(arguments[0].clone()).unwrap().contains("random"));
}

#[test]
fn a_reply_has_no_info() {
    let mut world = World::new();
    let reply = crate::reply_message(7, &crate::ReplyResult::Error("no".into()));
    assert_eq!(world.call(&told(false), Entry::Reply, &reply).result, Ok(nothing()));
    assert_eq!(world.at("info"), br#"{"id":7,"result":{"error":"no"}}"#);
}

#[test]
fn the_older_line_is_told_the_same_in_its_own_form() {
    let functions = region(1024, b"env")
        + r#"(func (export "handle") (param i32 i32) (result i32)
                (call $db_write (i32.const 1024) (local.get 0)) (i32.const 16))
             (func (export "query") (param i32) (result i32) (local.get 0))"#;
    let (mut world, code) = (World::new(), Code::compile(&v010(&db_write(), &functions)).unwrap());
    assert_eq!(code.version(), Version::V010);
    assert_eq!(world.call(&code, Entry::Execute, b"{}").result, Ok(nothing()));
    assert_eq!(
        String::from_utf8(world.at("env")).unwrap(),
        concat!(
            r#"{"block":{"height":12345,"time":1700000000,"chain_id":"secretdev-1"},"#,
            r#""message":{"sender":"secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03","sent_funds":[]},"#,
            r#""contract":{"address":"secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne"},"contract_key":null,"#,
            r#""contract_code_hash":"0101010101010101010101010101010101010101010101010101010101010101","#,
            r#""transaction":null}"#,
        )
    );
    // A query gets the message and nothing else, and there is no reply.
    let answer = world.call(&code, Entry::Query, br#"{"Ok":""}"#).result;
    assert_eq!(answer, Ok(Returned::Answer(Vec::new())));
    assert_eq!(world.call(&code, Entry::Reply, b"{}").result, Err(Trap::Failed));
    assert_eq!(world.call(&code, Entry::Migrate, b"{}").result, Err(Trap::Failed));
}

#[test]
fn the_host_ends_a_call_when_it_must() {
    struct Refusing(HostError);
    impl crate::Host for Refusing {
        fn read(&mut self, _: &[u8]) -> Result<crate::Charged<Option<Vec<u8>>>, HostError> {
            Err(self.0)
        }
        fn write(&mut self, _: &[u8], _: &[u8]) -> Result<crate::Charged<()>, HostError> {
            Err(self.0)
        }
        fn remove(&mut self, _: &[u8]) -> Result<crate::Charged<()>, HostError> {
            Err(self.0)
        }
        fn query(&mut self, _: crate::QueryRequest, _: u64) -> Result<crate::Charged<crate::QueryAnswer>, HostError> {
            Err(self.0)
        }
    }
    let (keeper, env) = (keeper(), super::env());
    let call = |error| {
        let call = Call { entry: Entry::Execute, env: &env, sender: SENDER, funds: &[], message: b"{}", gas: GAS };
        run(&keeper, &mut Refusing(error), &call)
    };
    assert_eq!(call(HostError::OutOfGas), Run { gas_used: GAS, result: Err(Trap::OutOfGas) });
    assert_eq!(call(HostError::Halt).result, Err(Trap::Halt));
    assert_eq!(call(HostError::ReadOnly).result, Err(Trap::WriteInQuery));
}

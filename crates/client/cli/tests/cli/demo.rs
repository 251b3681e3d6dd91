//! The demonstration, from the outside.

use crate::common::{Dev, run};
use serde_json::Value;

#[test]
fn the_demonstration_passes_and_its_ciphertext_is_real() {
    let dev = Dev::start(None);
    let [first, second] = [(); 2].map(|()| steps(dev.url()));
    assert_eq!(first.len(), second.len());
    assert!(first.len() >= 12);

    let find = |steps: &[Value], label: &str| -> Vec<String> {
        steps.iter().filter_map(|step| step["public"][label].as_str()).map(str::to_owned).collect()
    };
    for label in ["state, slot 3", "state, slot 4", "event", "result", "ciphertext"] {
        let (a, b) = (find(&first, label), find(&second, label));
        assert!(!a.is_empty(), "{label}");
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a.len(), 66, "{label}: one word");
            assert_ne!(a, b, "{label}: another run gives another ciphertext");
        }
    }
    let values: Vec<&str> = first.iter().filter_map(|step| step["you"]["value"].as_str()).collect();
    assert_eq!(values, ["7", "8", "8"]);
}

#[test]
fn the_second_act_is_told_by_a_node_that_opens_its_cosmos_door() {
    let dev = Dev::start(None);
    let rest = dev.ready["rest"].as_str().unwrap();
    let first = steps(dev.url()).len();
    let both = [(); 2].map(|()| steps_with(&["--rpc", dev.url(), "--rest", rest]));
    let second = both.each_ref().map(|steps| &steps[first..]);
    assert!(second[0].len() >= 7 && second[0].len() == second[1].len());
    for label in ["message", "response"] {
        let [one, two] = second.map(|steps| {
            let found = steps.iter().filter_map(|step| step["public"][label].as_str());
            found.map(str::to_owned).collect::<Vec<_>>()
        });
        assert!(!one.is_empty(), "{label}");
        for (one, two) in one.iter().zip(&two) {
            assert!(one.len() > 2 * 256 && one.len() == two.len(), "{label}: padded");
            assert_ne!(one, two, "{label}: another run gives another ciphertext");
        }
    }
    let balances: Vec<&str> = second[1].iter().filter_map(|step| step["you"]["balance"].as_str()).collect();
    assert_eq!(balances, ["25"]);
}

#[test]
fn the_demonstration_starts_its_own_chain_and_prints_for_people() {
    let demo = run(&["demo"]);
    let (page, prose) = (String::from_utf8(demo.stdout).unwrap(), String::from_utf8(demo.stderr).unwrap());
    assert!(demo.status.success(), "{page}{prose}");
    assert!(prose.contains("SIMULATED"), "{prose}");
    assert!(!page.contains('\u{1b}'), "no colours without a terminal");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    for who in ["public", "you"] {
        assert!(page.lines().any(|line| line.trim_start().starts_with(who)), "{page}");
    }
}

#[test]
fn a_step_that_fails_fails_the_demonstration() {
    let dev = Dev::start(None);
    let nobody = "0x1111111111111111111111111111111111111111111111111111111111111111";
    let demo = run(&["demo", "--json", "--rpc", dev.url(), "--private-key", nobody]);
    assert_eq!(demo.status.code(), Some(1));
    assert!(demo.stdout.is_empty(), "no step succeeded");
    let words = String::from_utf8(demo.stderr).unwrap();
    assert!(words.contains("insufficient funds") && !words.contains("as it should be"), "{words}");
}

#[test]
fn a_node_that_is_not_there_is_an_error() {
    let demo = run(&["demo", "--rpc", "http://127.0.0.1:1"]);
    assert_eq!(demo.status.code(), Some(1));
    assert!(String::from_utf8(demo.stderr).unwrap().contains("cannot reach the node"));
}

fn steps(url: &str) -> Vec<Value> {
    steps_with(&["--rpc", url])
}

fn steps_with(arguments: &[&str]) -> Vec<Value> {
    let demo = run(&[&["demo", "--json"], arguments].concat());
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let lines = String::from_utf8(demo.stdout).unwrap();
    let steps: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for step in &steps {
        for check in step["checks"].as_array().unwrap() {
            assert_eq!(check["passed"], true, "{step}");
        }
    }
    steps
}

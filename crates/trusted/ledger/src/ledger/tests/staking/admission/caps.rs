//! Accounts and families that have enough enclaves (M-23).

use cloister_chain::trust::{GenesisNode, Share};

use super::*;

const THIRD: Caps = Caps { owner: Some(Share(1, 3)), family: None };

fn net(caps: Caps) -> Net {
    net_with(|genesis| genesis.trust = Some(Trust { caps, ..trust() }))
}

impl Net {
    /// A start of the enclave on this chip asks, for a user.
    fn asks(&mut self, user: u8, chip: u8, run: u8) -> Result<(), (u32, String)> {
        let registration = starting(chip, run).registration("test-1", &self.bulletin());
        let (status, result) = self.does(user, register(user, &registration));
        if status == Status::Success {
            return Ok(());
        }
        let log = result.log.strip_prefix("failed to execute message; message index: 0: ").expect("which message");
        Err((result.code, log.to_owned()))
    }
}

fn over_owner(own: usize, nodes: usize) -> Result<(), (u32, String)> {
    Err((14, format!("the account would have {own} of {nodes} enclaves")))
}

#[test]
fn v23_an_account_stays_below_a_third_of_all_enclaves() {
    let mut net = net(THIRD);
    assert_eq!(net.asks(1, 1, 1), Ok(()), "somebody has to be the first");
    assert_eq!(net.asks(1, 11, 11), over_owner(2, 2));
    for user in 2..=5 {
        assert_eq!(net.asks(user, user, user), Ok(()));
        assert_eq!(net.asks(1, 11, 11), over_owner(2, usize::from(user) + 1));
    }
    assert_eq!(net.asks(6, 6, 6), Ok(()));
    assert_eq!(net.asks(1, 11, 11), Ok(()), "two of seven");
    assert_eq!(net.asks(1, 12, 12), over_owner(3, 8));
    assert_eq!(net.asks(1, 1, 21), Ok(()), "a renewal is no new node");
    let nodes = net.leaf::<Vec<B256>>(Leaf::Nodes).map(|chips| chips.len());
    assert_eq!(nodes, Some(7), "what is refused leaves nothing");

    // Two of eight would do. Nodes that were revoked do not count any more, for anybody.
    for chip in [5, 6] {
        let revoke = MsgRevoke { authority: authority_account(), hardware: starting(chip, chip).chip().to_vec() };
        assert_eq!(net.decree("MsgRevoke", &revoke), gov::Status::Passed);
    }
    assert_eq!(net.asks(2, 22, 22), over_owner(2, 6));
}

#[test]
fn v23_nodes_that_expired_do_not_come_back_beyond_the_cap() {
    let mut net = net(THIRD);
    for user in 1..=6 {
        assert_eq!(net.asks(user, user, user), Ok(()));
    }
    assert_eq!(net.asks(1, 11, 11), Ok(()));
    net.later(40 * 86_400);
    assert_eq!(net.asks(1, 1, 21), Ok(()), "its first one, of none that are admitted");
    assert_eq!(net.asks(1, 11, 31), over_owner(2, 2), "the other one begins anew");
}

#[test]
fn v23_a_genesis_is_founded_by_whom_it_names() {
    let mut net = net_with(|genesis| {
        genesis.trust = Some(Trust { caps: THIRD, ..trust() });
        let bulletin = Bulletin::new(genesis.time / SECOND);
        let node = |chip: u8| GenesisNode {
            owner: account(1),
            certificate: starting(chip, chip).registration("test-1", &bulletin).to_bytes().into(),
        };
        genesis.nodes = (1..=4).map(node).collect();
    });
    assert_eq!(net.leaf::<Vec<B256>>(Leaf::Nodes).map(|chips| chips.len()), Some(4));
    assert_eq!(net.asks(1, 5, 5), over_owner(5, 5), "but does not grow beyond the cap");
    assert_eq!(net.asks(2, 6, 6), Ok(()));
    assert_eq!(net.asks(1, 4, 14), Ok(()), "and all are renewed");
}

#[test]
fn v23_a_family_over_its_share_is_refused() {
    let mut net = net(Caps { owner: None, family: Some(Share(2, 3)) });
    assert_eq!(net.asks(1, 1, 1), Ok(()));
    let over = (14, "2 of 2 enclaves would be of one family".to_owned());
    assert_eq!(net.asks(2, 2, 2), Err(over));
    assert_eq!(net.asks(1, 1, 21), Ok(()), "a renewal is no new node");
    let set = |caps: &str| MsgSetCaps { authority: authority_account(), caps: caps.into() };
    let failed = net.decree_fails("MsgSetCaps", &set(r#"{"family":[4,3]}"#));
    assert!(failed.contains("a share is more than nothing, and at most the whole"), "{failed}");
    assert_eq!(net.decree("MsgSetCaps", &set(r#"{"family":[1,1]}"#)), gov::Status::Passed);
    assert_eq!(net.asks(2, 2, 2), Ok(()));
}

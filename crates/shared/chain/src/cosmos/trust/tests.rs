use alloy_primitives::hex;

use super::*;
use crate::trust::Share;

fn release() -> Release {
    let build = Build {
        measurement: B256::repeat_byte(1),
        source: B256::repeat_byte(2),
        lock: B256::repeat_byte(3),
        toolchain: "rustc".into(),
        flags: "-O".into(),
    };
    let rebuilt = vec![Rebuilt { rebuilder: B256::repeat_byte(4), signature: B512::repeat_byte(5) }];
    Release { build, activation: 300, rebuilt }
}

#[test]
fn a_release_travels_whole() {
    let message = MsgRelease::new("gov".into(), &release());
    assert_eq!(message.read(), Ok(release()));
    let bytes = [
        &hex!("0a03676f761220")[..],
        &[1; 32],
        &hex!("1a20"),
        &[2; 32],
        &hex!("20ac022a20"),
        &[3; 32],
        &hex!("320572757374633a022d4f42640a20"),
        &[4; 32],
        &hex!("1240"),
        &[5; 64],
    ];
    assert_eq!(message.encode_to_vec(), bytes.concat());
    let read = TrustMessage::decode(RELEASE, &bytes.concat());
    assert_eq!(read.expect("of this module"), Ok(TrustMessage::Release(message)));
}

#[test]
fn nothing_in_it_has_another_size() {
    let changes: [fn(&mut MsgRelease); 6] = [
        |message| message.measurement.truncate(31),
        |message| message.source.push(0),
        |message| message.lock.clear(),
        |message| message.rebuilt[0].rebuilder.truncate(31),
        |message| message.rebuilt[0].signature.push(0),
        |message| message.rebuilt = vec![message.rebuilt[0].clone(); MAX_REBUILDERS + 1],
    ];
    for change in changes {
        let mut message = MsgRelease::new("gov".into(), &release());
        change(&mut message);
        assert!(matches!(message.read(), Err(CosmosError::Invalid(_))), "{message:?}");
    }
    let list = |keys: Vec<Vec<u8>>| MsgSetRebuilders { authority: "gov".into(), keys, threshold: 1 }.read();
    assert_eq!(list(vec![vec![4; 32]]), Ok(Rebuilders { keys: vec![B256::repeat_byte(4)], threshold: 1 }));
    assert!(list(vec![vec![4; 31]]).is_err() && list(vec![vec![4; 32]; MAX_REBUILDERS + 1]).is_err());
}

#[test]
fn caps_are_read_from_json_and_nothing_else() {
    let caps = |caps: &str| MsgSetCaps { authority: "gov".into(), caps: caps.into() }.read();
    assert_eq!(caps(r#"{"owner":[1,3]}"#), Ok(Caps { owner: Some(Share(1, 3)), family: None }));
    let long = format!("{{{}}}", " ".repeat(POLICY_BYTES));
    for text in ["", r#"{"owner":3}"#, r#"{"owner":[1,3,5]}"#, r#"{"owner":[-1,3]}"#, r#"{"more":1}"#, &long] {
        assert!(caps(text).is_err(), "{text}");
    }
}

//! What nodes leave behind after published clients kept secrets with them (M-12): logs, metrics and stores.
//!
//! Texts that a suite keeps secret begin with [`WORD`]: a cell of COTI's strings holds eight bytes, so it would show in the clear
//! wherever one of them does. Besides there are the keys of the accounts that a development chain knows.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::shell::{Failure, Outcome};

/// One cell.
pub const WORD: &str = "planted!";
/// What a line of a log holds. Before a node is ready its prose names the keys on purpose.
const LEVELS: &[&str] = &["ERROR ", "WARN ", "INFO ", "DEBUG ", "TRACE "];
/// Is in every genesis, and shows that the search finds what is there.
const PUBLIC: &str = "secretdev-1";

/// The metrics of the nodes that a ready line names.
pub fn metrics(ready: &Value) -> Vec<u8> {
    let nodes = ready["nodes"].as_array().map_or(std::slice::from_ref(ready), Vec::as_slice);
    let doors = nodes.iter().filter_map(|node| node["ops"].as_str()?.strip_prefix("http://"));
    let ask = |door: &str| -> std::io::Result<Vec<u8>> {
        let (mut stream, mut answer) = (TcpStream::connect(door)?, Vec::new());
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    doors.flat_map(|door| ask(door).unwrap_or_default()).collect()
}

/// Complains about secrets in `metrics`, in the log or anywhere below `home`.
pub fn search(ready: &Value, metrics: Vec<u8>, log: &Path, home: &Path) -> Outcome {
    let said = fs::read_to_string(log).map_err(|error| Failure::new(format!("{}: {error}", log.display())))?;
    let lines = said.lines().filter(|line| LEVELS.iter().any(|level| line.contains(level)));
    let mut places = vec![("the metrics".into(), metrics), ("the log".into(), lines.collect::<String>().into_bytes())];
    gather(home, &mut places)?;
    let keys = ready["accounts"].as_array().into_iter().flatten().filter_map(|account| account["aes_key"].as_str());
    let keys: Vec<Vec<u8>> = keys.filter_map(|key| unhex(key.trim_start_matches("0x"))).collect();
    judge(&places, &keys)
}

fn judge(places: &[(String, Vec<u8>)], keys: &[Vec<u8>]) -> Outcome {
    for public in [PUBLIC, "cloister_height "] {
        if !places.iter().any(|(_, bytes)| holds(bytes, public.as_bytes())) {
            return Err(Failure::new(format!("the search for secrets finds nothing, not even {public:?}")));
        }
    }
    for secret in keys.iter().map(Vec::as_slice).chain([WORD.as_bytes()]) {
        for writing in writings(secret) {
            if let Some((place, _)) = places.iter().find(|(_, bytes)| holds(bytes, &writing)) {
                return Err(Failure::new(format!(
                    "M-12: a secret is in {place}: {}",
                    String::from_utf8_lossy(&writing)
                )));
            }
        }
    }
    Ok(())
}

/// As it is, in hexadecimal, and as a list of bytes, which is how a careless `{:?}` shows it.
fn writings(secret: &[u8]) -> [Vec<u8>; 4] {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = secret.iter().map(u8::to_string).collect();
    [secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), list.join(", ").into_bytes()]
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn gather(folder: &Path, places: &mut Vec<(String, Vec<u8>)>) -> Outcome {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            gather(&path, places)?;
        } else if path.is_file() {
            places.push((path.display().to_string(), fs::read(&path).map_err(failed)?));
        }
    }
    Ok(())
}

pub fn holds(bytes: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else { return false };
    let mut from = bytes;
    while let Some(at) = from.iter().position(|byte| byte == first) {
        from = &from[at + 1..];
        if from.starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;

    #[test]
    fn a_secret_is_found_however_it_is_written_and_where() {
        let places = |log: &str| {
            let home = b"..secretdev-1..cloister_height 7".to_vec();
            vec![("the store".to_owned(), home), ("the log".to_owned(), log.as_bytes().to_vec())]
        };
        let key = unhex("00ff10ab").expect("four bytes");
        assert!(judge(&places("DEBUG all is well"), std::slice::from_ref(&key)).is_ok());
        for written in
            ["planted! text", "0x706C616E74656421", "[112, 108, 97, 110, 116, 101, 100, 33, 32]", "key 00ff10ab"]
        {
            let complaint = judge(&places(written), std::slice::from_ref(&key)).expect_err(written).to_string();
            assert!(complaint.starts_with("M-12: a secret is in the log"), "{complaint}");
        }
        assert!(judge(&[("nothing".to_owned(), vec![])], &[]).is_err());
    }

    #[test]
    fn every_suite_of_ours_keeps_such_a_text() {
        for file in ["python/test_data_on_chain.py", "js/test/coti-ethers.test.mjs", "secretjs/test/token.test.mjs"] {
            let text = fs::read_to_string(shell::root().join("interop").join(file)).expect("a suite");
            assert!(text.contains(WORD), "{file}");
        }
    }
}

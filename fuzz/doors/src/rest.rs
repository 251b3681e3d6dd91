//! Requests to the Cosmos door, through the real server over loopback, in front of [`crate::stage`]'s chain.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{LazyLock, Mutex, PoisonError};

use cloister_api::cosmos;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::node::Node;

/// The bytes are the number of a method, and three lines: path and parameters, the height whose state is meant (empty for
/// the tip), and the body, which goes on to the end.
pub(crate) fn cosmos_rest(data: &[u8]) {
    if let Some((method, rest)) = data.split_first() {
        request(METHODS[usize::from(*method) % METHODS.len()], rest);
    }
}

/// The status of the answer.
fn request(method: &str, rest: &[u8]) -> u16 {
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (path, height, body) = (line(), line(), line());
    let mut head = format!("{method} /").into_bytes();
    // Other bytes are not HTTP; hyper refuses them before the door sees anything.
    for byte in path {
        match byte {
            b'!' | b'$'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' | b'~' => head.push(*byte),
            other => head.extend(format!("%{other:02x}").bytes()),
        }
    }
    head.extend(format!(" HTTP/1.1\r\nHost: fuzz\r\nContent-Length: {}\r\n", body.len()).bytes());
    if !height.is_empty() {
        let height: String = height.iter().map(|byte| char::from(*byte.clamp(&b' ', &b'~'))).collect();
        head.extend(format!("x-cosmos-block-height: {height}\r\n").bytes());
    }
    head.extend(b"\r\n");
    let (status, answer) = DOOR.ask(&[&head, body].concat()).expect("the door answers");
    let shown = String::from_utf8_lossy(&head);
    if status == 414 || status == 431 {
        return status;
    }
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_else(|error| panic!("{shown}{status}: {error}"));
    if status == 200 {
        return status;
    }
    // 13 is what a panic or a broken store would give.
    let code = answer["code"].as_u64().unwrap_or_else(|| panic!("{shown}{status}: {answer}"));
    assert!(code != 0 && code != 13, "{shown}{status}: {answer}");
    assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{shown}{status}: {answer}");
    assert!((400..=599).contains(&status), "{shown}{status}: {answer}");
    status
}

struct Door {
    connection: Mutex<Option<BufReader<TcpStream>>>,
    server: cosmos::ServerHandle,
    _runtime: Runtime,
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("threads");
    let address = "127.0.0.1:0".parse().expect("an address");
    let server = runtime.block_on(cosmos::serve(Node::start(), address)).expect("a free port");
    Door { connection: Mutex::default(), server, _runtime: runtime }
});

impl Door {
    /// Status and body of the answer. The connection stays open, unless the door hangs up after its answer.
    fn ask(&self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.server.address())?),
        };
        // The door may answer before it has read everything.
        let sent = stream.get_mut().write_all(request);
        let (mut status, mut length, mut closes) = (0, 0, sent.is_err());
        let mut line = String::new();
        while stream.read_line(&mut line)? > 0 && line != "\r\n" {
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or_default(),
                "connection" => closes |= value.trim() == "close",
                "" => status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default(),
                _ => {}
            }
            line.clear();
        }
        if status == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        *connection = (!closes).then_some(stream);
        Ok((status, body))
    }
}

const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "PUT"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_answered() {
        let seeds = crate::seeds::all().into_iter().filter(|(door, _)| *door == "cosmos_rest");
        let (mut good, mut bad) = (0, Vec::new());
        for (_, seed) in seeds.filter(|(_, seed)| seed[0] == 1 || seed.ends_with(b"\n\n")) {
            match request(METHODS[usize::from(seed[0])], &seed[1..]) {
                200 => good += 1,
                405 => {}
                other => bad.push((other, String::from_utf8_lossy(&seed[1..]).into_owned())),
            }
        }
        assert!(good >= 50, "{good}: {bad:#?}");
    }
}

//! A way between two nodes that can be blocked without anybody being told, as in a partition.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Forwards TCP connections to a port of this machine.
pub(super) struct Link {
    pub port: u16,
    blocked: Arc<AtomicBool>,
    gone: Arc<AtomicBool>,
}

const LOOK: Duration = Duration::from_millis(5);

impl Link {
    /// A way to `target`.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let (blocked, gone) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let state = (Arc::clone(&blocked), Arc::clone(&gone));
        std::thread::spawn(move || {
            while !state.1.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((near, _)) if !state.0.load(Ordering::Relaxed) => {
                        if let Ok(far) = TcpStream::connect(("127.0.0.1", target)) {
                            carry(near.try_clone().unwrap(), far.try_clone().unwrap(), state.clone());
                            carry(far, near, state.clone());
                        }
                    }
                    _ => std::thread::sleep(LOOK),
                }
            }
        });
        Self { port, blocked, gone }
    }

    /// Nothing passes until it is unblocked; connections stay open.
    pub fn block(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, (blocked, gone): (Arc<AtomicBool>, Arc<AtomicBool>)) {
    for stream in [&from, &to] {
        stream.set_nonblocking(false).unwrap();
        stream.set_nodelay(true).unwrap();
    }
    from.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while !gone.load(Ordering::Relaxed) {
            if blocked.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK);
                continue;
            }
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    if to.write_all(&buffer[..length]).is_err() {
                        break;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break,
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    });
}

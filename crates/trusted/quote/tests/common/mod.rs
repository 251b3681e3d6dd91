//! A fake file system with a fake kernel behind it, and recorded answers of processors.

#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use cloister_attest::{ReportData, Statement};
use rustix::fs::{CWD, FileType, Mode, OFlags, inotify};
use tempfile::TempDir;

pub const TDX: &[u8] = include_bytes!("../../../../shared/attest/testdata/dcap/tdx_quote");
pub const TDX_5: &[u8] = include_bytes!("../../../../shared/attest/testdata/dcap/tdx_quote_td15ex");
pub const SGX: &[u8] = include_bytes!("../../../../shared/attest/testdata/dcap/sgx_quote");
pub const VCEK: &[u8] = include_bytes!("../../../../shared/attest/testdata/snp/vcek_milan.der");
const SNP: &str = include_str!("../../../../shared/attest/testdata/snp/report_milan.hex");

pub const VCEK_GUID: [u8; 16] = 0x63da758d_e664_4564_adc5_f4b93be8accd_u128.to_be_bytes();
pub const VLEK_GUID: [u8; 16] = 0xa8074bc2_a25a_483e_aae6_39c045a0b8a1_u128.to_be_bytes();

pub fn snp() -> Vec<u8> {
    hex::decode(SNP.split_whitespace().collect::<String>()).unwrap()
}

/// What a recorded answer was asked about.
pub fn data_of(quote: &[u8]) -> ReportData {
    Statement::from_quote(quote).unwrap().claimed_data().unwrap()
}

pub fn data_of_report(report: &[u8]) -> ReportData {
    ReportData(report[0x50..0x90].try_into().unwrap())
}

/// A host's table with one certificate.
pub fn table(guid: [u8; 16], certificate: &[u8]) -> Vec<u8> {
    let length = u32::try_from(certificate.len()).unwrap().to_le_bytes();
    [&guid, &48u32.to_le_bytes()[..], &length, &[0; 24], certificate].concat()
}

/// A root of a file system in which a machine's interfaces stand.
pub struct Root(TempDir);

impl Root {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, file: &str) -> PathBuf {
        self.path().join(file)
    }

    pub fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn fifo(&self, file: &str) -> PathBuf {
        let path = self.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        path
    }

    /// The folder of configfs-tsm that an earlier run left, with this answer in it.
    pub fn guest(&self, provider: &str, answer: &[u8], table: Option<&[u8]>) {
        self.write(&tsm("provider"), format!("{provider}\n").as_bytes());
        self.write(&tsm("inblob"), b"");
        self.write(&tsm("outblob"), answer);
        self.write(&tsm("generation"), b"7\n");
        if let Some(table) = table {
            self.write(&tsm("auxblob"), table);
        }
    }

    /// The pseudo-files of an enclave that Gramine runs, without its quotes.
    pub fn enclave(&self, kind: &str) {
        self.write("dev/attestation/attestation_type", kind.as_bytes());
        self.write("dev/attestation/user_report_data", b"");
    }
}

pub fn tsm(attribute: &str) -> String {
    format!("sys/kernel/config/tsm/report/cloister-enclave/{attribute}")
}

/// Counts what is written to `inblob`: when a descriptor is closed, as the kernel does. `generation` is a pipe of packets, so
/// that each descriptor's one read brings one number, and waits for it.
pub struct Kernel {
    input: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Vec<u8>>>>,
}

impl Kernel {
    /// Of a [guest](Root::guest). Each write that is closed makes the generation grow by the next of `steps`; then by one.
    pub fn run(root: &Root, steps: &[u64]) -> Self {
        fs::remove_file(root.at(&tsm("generation"))).unwrap();
        let mut generation = Packets::open(&root.fifo(&tsm("generation")));
        generation.write(7);
        let watch = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
        let input = root.at(&tsm("inblob"));
        inotify::add_watch(&watch, &input, inotify::WatchFlags::CLOSE_WRITE).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, file, steps) = (Arc::clone(&stop), input.clone(), steps.to_vec());
        let thread = thread::spawn(move || {
            let (mut number, mut asked, mut steps) = (7, Vec::new(), steps.into_iter());
            let mut space = [MaybeUninit::uninit(); 512];
            let mut events = inotify::Reader::new(watch, &mut space);
            loop {
                events.next().unwrap();
                if stopped.load(Ordering::SeqCst) {
                    return asked;
                }
                let data = fs::read(&file).unwrap();
                // Closed without a question.
                if data.is_empty() {
                    continue;
                }
                asked.push(data);
                File::create(&file).unwrap();
                number += steps.next().unwrap_or(1);
                // For this question's second reading, and for the next question's first.
                generation.write(number);
                generation.write(number);
            }
        });
        Self { input, stop, thread: Some(thread) }
    }

    /// Everything that was asked.
    pub fn end(mut self) -> Vec<Vec<u8>> {
        self.stop.store(true, Ordering::SeqCst);
        drop(OpenOptions::new().write(true).open(&self.input).unwrap());
        self.thread.take().unwrap().join().unwrap()
    }
}

/// A pipe of which each reading brings one number.
pub struct Packets(File);

impl Packets {
    /// Does not wait for a reader.
    pub fn open(path: &Path) -> Self {
        let pipe = OpenOptions::new().read(true).write(true).open(path).unwrap();
        rustix::fs::fcntl_setfl(&pipe, OFlags::RDWR | OFlags::DIRECT).unwrap();
        Self(pipe)
    }

    pub fn write(&mut self, number: u64) {
        self.0.write_all(format!("{number}\n").as_bytes()).unwrap();
    }
}

/// Plays Gramine once: takes the report data and answers whoever then opens the quote.
pub fn gramine(root: &Root, answer: impl FnOnce(ReportData) -> Vec<u8> + Send + 'static) -> JoinHandle<()> {
    fs::remove_file(root.at("dev/attestation/user_report_data")).unwrap();
    let input = root.fifo("dev/attestation/user_report_data");
    let output = root.fifo("dev/attestation/quote");
    thread::spawn(move || {
        let mut data = Vec::new();
        File::open(input).unwrap().read_to_end(&mut data).unwrap();
        let quote = answer(ReportData(data.try_into().unwrap()));
        OpenOptions::new().write(true).open(output).unwrap().write_all(&quote).unwrap();
    })
}

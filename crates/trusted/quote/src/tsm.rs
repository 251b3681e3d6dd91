use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use cloister_attest::{ReportData, Statement};

use crate::certificates::{self, Certificate};
use crate::files::{self, Access};
use crate::{Machine, QUOTE_BYTES, QuoteError, Quoter, about};

/// A confidential guest of Linux: configfs-tsm (Linux `Documentation/ABI/testing/configfs-tsm-report`, from 6.7 on).
///
/// Below `/sys/kernel/config/tsm/report` each asker makes a folder, in which the kernel puts
///
/// | attribute | |
/// | --- | --- |
/// | `provider` | `tdx_guest` or `sev_guest`: the kind of evidence |
/// | `inblob` | written: the 64 bytes of report data |
/// | `outblob` | read: the processor's answer to them, made on the first read after a write |
/// | `auxblob` | SEV-SNP: the host's table of certificates, or nothing |
/// | `generation` | a number that grows with each write: two askers in one folder see each other by it |
///
/// What the documentation leaves to the code (Linux `fs/configfs/file.c`) decides how this type is built. A descriptor serves
/// *once*: what was written to `inblob` reaches the kernel when its descriptor is **closed**, and the error of that is lost;
/// `outblob`, `auxblob` and `generation` are read into a buffer of the descriptor with the first read, and never again. A
/// process that locks itself down cannot open them anew. So [`Tsm::find`] opens them for [`Tsm::QUESTIONS`] questions in
/// advance, and each question spends one set: `generation`, `inblob`, `outblob`, `auxblob`, `generation`.
///
/// The answer counts if `generation` grew by exactly one between the two readings, and if it is about the data that was
/// written: then nobody else wrote in between. Otherwise the next set is spent, [`Tsm::ATTEMPTS`] times in all.
///
/// SEV-SNP: the report is signed by a key that AMD certifies for the chip and its firmware. Many hosts give that certificate
/// (VCEK) with `auxblob`; if not, the operator fetches it from AMD's key service and hands it to [`crate::find`]. It is public
/// and proves itself, so it does not matter who brings it. The privilege level is 0 unless a folder's `privlevel` was written,
/// which nobody here does; under a service module (SVSM) the kernel refuses that level.
///
/// The kernel that answers is the guest's own and measured with it; what it says is still read with a bound.
pub struct Tsm {
    machine: Machine,
    folder: PathBuf,
    vcek: Option<Vec<u8>>,
    questions: VecDeque<Question>,
}

/// The descriptors of one question.
struct Question {
    before: OwnedFd,
    input: OwnedFd,
    output: OwnedFd,
    /// On SEV-SNP.
    table: Option<OwnedFd>,
    after: OwnedFd,
}

impl Tsm {
    /// How many questions a process can ask. A registration takes two (the first answer tells the chip's name, which the second
    /// is bound to), a renewal one; evidence is renewed every month.
    pub const QUESTIONS: usize = 32;
    /// How often one statement is asked for when others get in between.
    pub const ATTEMPTS: usize = 3;

    /// The interface below `root`, opened; `None` if there is none. The folder that an earlier run left is used again.
    pub fn find(root: &Path, vcek: Option<Vec<u8>>) -> Result<Option<Self>, QuoteError> {
        let folder = root.join(FOLDER);
        if !files::make_folder(&folder)? {
            return Ok(None);
        }
        let provider = files::open(&folder.join(PROVIDER), Access::Read)?;
        let machine = match files::read_word(&provider, PROVIDER)?.as_str() {
            "tdx_guest" => Machine::Tdx,
            "sev_guest" => Machine::Snp,
            unknown => return Err(QuoteError::UnknownProvider(unknown.to_owned())),
        };
        let questions = (0..Self::QUESTIONS).map(|_| Question::open(&folder, machine)).collect::<Result<_, _>>()?;
        Ok(Some(Self { machine, folder, vcek, questions }))
    }

    fn read(&self, answer: Answer) -> Result<Statement, QuoteError> {
        match answer {
            Answer { blob, table: None } => Statement::from_quote(&blob).map_err(QuoteError::Malformed),
            Answer { blob: report, table: Some(table) } => {
                let vcek = match (certificates::find(&table)?, &self.vcek) {
                    (Certificate::Vcek(vcek), _) => vcek,
                    (Certificate::Leased, _) => return Err(QuoteError::LeasedKey),
                    (Certificate::None, Some(vcek)) => vcek.clone(),
                    (Certificate::None, None) => return Err(certificates::wanted(&report)),
                };
                let size = report.len().saturating_add(vcek.len()).saturating_add(SNP_FRAME);
                if size > Statement::MAX_BYTES {
                    return Err(QuoteError::StatementSize);
                }
                Ok(Statement::Snp { report, vcek })
            }
        }
    }
}

impl Quoter for Tsm {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn statement(&mut self, data: &ReportData) -> Result<Statement, QuoteError> {
        for _ in 0..Self::ATTEMPTS {
            let question = self.questions.pop_front().ok_or(QuoteError::Spent)?;
            if let Some(answer) = question.ask(data)? {
                return about(data, self.read(answer)?);
            }
        }
        Err(QuoteError::Busy(self.folder.clone()))
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.questions.iter().flat_map(Question::descriptors).collect()
    }
}

/// What the kernel answered.
struct Answer {
    blob: Vec<u8>,
    /// On SEV-SNP; empty if the host gave none.
    table: Option<Vec<u8>>,
}

impl Question {
    fn open(folder: &Path, machine: Machine) -> Result<Self, QuoteError> {
        let open = |attribute: &str, access| files::open(&folder.join(attribute), access);
        Ok(Self {
            before: open(GENERATION, Access::Read)?,
            input: open(INPUT, Access::Write)?,
            output: open(OUTPUT, Access::Read)?,
            table: if machine == Machine::Snp { Some(open(TABLE, Access::Read)?) } else { None },
            after: open(GENERATION, Access::Read)?,
        })
    }

    /// `None` if somebody else wrote in between.
    fn ask(self, data: &ReportData) -> Result<Option<Answer>, QuoteError> {
        let before = generation(&self.before)?;
        files::write(self.input, INPUT, &data.0)?;
        let blob = files::read(&self.output, OUTPUT, QUOTE_BYTES)?.to_vec();
        let table = self.table.as_ref().map(|table| files::read(table, TABLE, TABLE_BYTES)).transpose()?;
        // The kernel's number wraps around, too.
        let alone = generation(&self.after)? == before.wrapping_add(1);
        Ok(alone.then(|| Answer { blob, table: table.map(|table| table.to_vec()) }))
    }

    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let always = [&self.before, &self.input, &self.output, &self.after];
        always.into_iter().chain(&self.table).map(AsFd::as_fd)
    }
}

fn generation(descriptor: &OwnedFd) -> Result<u64, QuoteError> {
    let word = files::read_word(descriptor, GENERATION)?;
    word.parse().map_err(|_| QuoteError::Unreadable(GENERATION))
}

/// Ours, so that nobody who is not mistaken writes into it.
const FOLDER: &str = "sys/kernel/config/tsm/report/cloister-enclave";
const PROVIDER: &str = "provider";
const GENERATION: &str = "generation";
const INPUT: &str = "inblob";
const OUTPUT: &str = "outblob";
const TABLE: &str = "auxblob";
/// Of the kernel's own limit (`TSM_REPORT_OUTBLOB_MAX`).
const TABLE_BYTES: usize = 32 << 10;
/// A statement's variant and two lengths.
const SNP_FRAME: usize = 9;

//! Programs of calls to the confidential precompile, as EVM code.
//!
//! Arbitrary bytes hardly ever name a live handle. Here they choose functions and operands, and an operand may be the
//! result of an earlier call, a word that the contract itself stored, or a correctly signed input text.
//!
//! ```text
//! program = call*, at most 24
//! call    = function (1) ‖ how (1) ‖ metadata (5) ‖ count (1) ‖ operand*
//! how     = bits 0-1: call, static call, delegate call, call code; bit 2: store the first result in the slot of the call
//! operand = 0-95: result (operand mod 24) of call number (operand / 4), word operand mod 4 │ others: see `operand`
//! ```

use alloy_primitives::{Address, U256};
use cloister_envelope::{Form, InputContext};

use crate::cells::account;
use crate::cursor::Cursor;

/// The first four bytes of the transaction's calldata, for which input texts are signed.
pub(crate) const SELECTOR: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// Selectors of the published interface, and one that nothing has.
const SELECTORS: [u32; 41] = [
    0xd2c1_35e5,
    0x2d58_3135,
    0xc50c_9c02,
    0x1f44_91de,
    0x3c6f_0e68,
    0xe5c8_3313,
    0xd9b6_0b60,
    0x134e_b890,
    0x072d_17fc,
    0x8c5d_0150,
    0xf581_fa20,
    0x371d_1bf2,
    0xce8c_713d,
    0xf1d2_1bb4,
    0x0915_497f,
    0x4e9b_a4b5,
    0x86e3_b7b9,
    0xfe9c_73d1,
    0xfb7d_a35f,
    0x6f96_2e2c,
    0x1135_f71a,
    0x39bd_1d8d,
    0x7c12_a1eb,
    0x4209_4c56,
    0x813b_2074,
    0x6d82_e45e,
    0x145f_ca2c,
    0xdd14_8693,
    0x69ca_0874,
    0x9bda_0782,
    0x0cfe_d561,
    0x20cc_408d,
    0x1d79_e49a,
    0x56c7_2d28,
    0xc2ff_267a,
    0x935d_6aaf,
    0xe4f3_6e10,
    0x0135_e466,
    0xa85f_0ca2,
    0x1159_675e,
    0xdead_beef,
];
const MOST_CALLS: usize = 24;
/// Each call leaves up to four words; the input is put together behind them.
const RESULT_BYTES: usize = 128;
const INPUT: usize = MOST_CALLS * RESULT_BYTES;

/// The code that makes the calls which `cursor` describes, when it runs at `contract`.
pub(crate) fn compile(mut cursor: Cursor<'_>, contract: Address) -> Vec<u8> {
    let mut code = Code { bytes: Vec::new(), contract };
    for number in 0..MOST_CALLS {
        if cursor.is_empty() {
            break;
        }
        code.call(number, &mut cursor);
    }
    // What the last calls returned is what the transaction returns.
    code.push(INPUT).push(0).op(RETURN);
    code.bytes
}

struct Code {
    bytes: Vec<u8>,
    contract: Address,
}

impl Code {
    fn call(&mut self, number: usize, cursor: &mut Cursor<'_>) {
        let function = SELECTORS[usize::from(cursor.byte()) % SELECTORS.len()];
        let how = cursor.byte();
        let mut head = [0; 32];
        head[..4].copy_from_slice(&function.to_be_bytes());
        self.word(U256::from_be_bytes(head), INPUT);
        let mut end = INPUT + 4;
        // Functions without metadata take a byte count here, so five zero bytes leave it out.
        let meta = cursor.array::<5>();
        if meta != [0xff; 5] {
            let mut word = [0; 32];
            word[..5].copy_from_slice(&meta);
            self.word(U256::from_be_bytes(word), end);
            end += 32;
        }
        let mut last = U256::ZERO;
        for _ in 0..cursor.byte() % 7 {
            end = self.operand(cursor, end, &mut last);
        }
        self.push(RESULT_BYTES).push(number * RESULT_BYTES).push(end - INPUT).push(INPUT);
        match how & 3 {
            0 => self.push(0).push(0x64).op(GAS).op(CALL),
            1 => self.push(0x64).op(GAS).op(STATICCALL),
            2 => self.push(0x64).op(GAS).op(DELEGATECALL),
            _ => self.push(0).push(0x64).op(GAS).op(CALLCODE),
        };
        self.op(POP);
        if how & 4 != 0 {
            self.push(number * RESULT_BYTES).op(MLOAD).push(number).op(SSTORE);
        }
    }

    /// Writes one operand at `end` and gives the new end. `last` is the last clear word.
    fn operand(&mut self, cursor: &mut Cursor<'_>, end: usize, last: &mut U256) -> usize {
        match cursor.byte() {
            result @ 0..96 => {
                self.push(usize::from(result) * 32).op(MLOAD).push(end).op(MSTORE);
                end + 32
            }
            stored @ 96..120 => {
                self.push(usize::from(stored - 96)).op(SLOAD).push(end).op(MSTORE);
                end + 32
            }
            120..160 => {
                *last = U256::from(cursor.byte());
                self.word(*last, end);
                end + 32
            }
            160..200 => {
                *last = cursor.word();
                self.word(*last, end);
                end + 32
            }
            200..220 => self.blob(account().address().as_slice(), end),
            220..240 => {
                let sender = account().address();
                let context = InputContext { sender, contract: self.contract, selector: SELECTOR };
                self.blob(&context.sign(*last, &account(), Form::Raw).signature, end)
            }
            240..248 => {
                let key = cursor.long();
                self.blob(&[&account().sign(key, Form::Raw)[..], key].concat(), end)
            }
            _ => self.blob(cursor.short(), end),
        }
    }

    /// The ABI form of a last argument of the type `bytes`.
    fn blob(&mut self, content: &[u8], end: usize) -> usize {
        self.word(U256::from(end + 32 - INPUT - 4), end);
        self.word(U256::from(content.len()), end + 32);
        let mut end = end + 64;
        for chunk in content.chunks(32) {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(U256::from_be_bytes(word), end);
            end += 32;
        }
        end
    }

    fn word(&mut self, word: U256, at: usize) {
        self.op(PUSH32);
        self.bytes.extend_from_slice(&word.to_be_bytes::<32>());
        self.push(at).op(MSTORE);
    }

    fn push(&mut self, number: usize) -> &mut Self {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        self.op(PUSH2);
        self.bytes.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn op(&mut self, op: u8) -> &mut Self {
        self.bytes.push(op);
        self
    }
}

const POP: u8 = 0x50;
const MLOAD: u8 = 0x51;
const MSTORE: u8 = 0x52;
const SLOAD: u8 = 0x54;
const SSTORE: u8 = 0x55;
const GAS: u8 = 0x5a;
const PUSH2: u8 = 0x61;
const PUSH32: u8 = 0x7f;
const CALL: u8 = 0xf1;
const CALLCODE: u8 = 0xf2;
const RETURN: u8 = 0xf3;
const DELEGATECALL: u8 = 0xf4;
const STATICCALL: u8 = 0xfa;

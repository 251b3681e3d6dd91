//! The recorded evidence and the times at which it holds (see `testdata/README.md`).

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cloister_attest::{Collateral, DcapPolicy, Evidence, Policy, Statement, Tolerated};

/// One recorded quote and three times: inside the window, before it and after it.
pub struct Recorded {
    pub name: &'static str,
    pub inside: u64,
    pub before: u64,
    pub after: u64,
}

pub const SGX: Recorded =
    Recorded { name: "sgx_quote", inside: 1_750_416_971, before: 1_750_330_570, after: 1_752_919_279 };
pub const TDX: Recorded =
    Recorded { name: "tdx_quote", inside: 1_750_415_547, before: 1_750_329_146, after: 1_752_919_236 };
pub const TDX_15_EX: Recorded =
    Recorded { name: "tdx_quote_td15ex", inside: 1_791_504_586, before: 1_791_418_185, after: 1_794_008_712 };

impl Recorded {
    /// The evidence without the zeros that were recorded behind the quote.
    pub fn evidence(&self) -> Evidence {
        let mut quote = self.quote();
        if self.name == TDX.name {
            quote.truncate(4936);
        }
        self.with_quote(quote)
    }

    /// Another quote with the same collateral.
    pub fn with_quote(&self, quote: Vec<u8>) -> Evidence {
        Evidence { statement: Statement::Dcap { quote }, collateral: self.collateral() }
    }

    /// The quote as it was recorded.
    pub fn quote(&self) -> Vec<u8> {
        fs::read(testdata().join("dcap").join(self.name)).unwrap()
    }

    pub fn collateral(&self) -> Collateral {
        let path = testdata().join(format!("dcap/{}_collateral.json", self.name));
        Collateral::from_json(&fs::read_to_string(path).unwrap()).unwrap()
    }
}

/// Accepts everything that a policy can, for the platforms that were recorded.
pub fn lenient() -> Policy {
    Policy {
        allow_smt: true,
        dcap: DcapPolicy {
            tolerated: BTreeSet::from([Tolerated::SwHardeningNeeded, Tolerated::ConfigurationAndSwHardeningNeeded]),
            advisories: BTreeSet::from([289, 615]),
            allow_dynamic_platform: true,
            allow_cached_keys: true,
            ..DcapPolicy::default()
        },
        ..Policy::default()
    }
}

pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

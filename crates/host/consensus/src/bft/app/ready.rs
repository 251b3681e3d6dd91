//! `ConsensusReady`: where to start.

use super::{App, Start};
use crate::bft::{End, Fatal};

impl App {
    /// The height after the last decided block, which has to be executed by now: nothing can be said on top of a block
    /// whose results are not known.
    pub fn ready(&mut self) -> Result<Start, End> {
        let (parent, tip) = (self.chain.parent(), self.chain.tip()?);
        if parent.header.height != tip {
            let executed = parent.header.height;
            let text =
                format!("block {tip} was decided, but only block {executed} was executed before consensus began");
            return Err(End::Store(Fatal(text.into())));
        }
        self.start(parent)
    }
}

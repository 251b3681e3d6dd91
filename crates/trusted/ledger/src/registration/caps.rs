//! Whether a node would be one too many of its owner or of its family (M-23).

use cloister_attest::Family;
use cloister_chain::trust::{Caps, Node, Trust};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, B256, Leaf};
use cloister_state::Supply;

use super::{CAPS, refused};
use crate::compute::Work;
use crate::cosmos::Fail;

impl<S: Supply> Work<'_, '_, S> {
    /// Counts the nodes that are admitted at the time of the block before. A node that is admitted still is only renewed; one
    /// that has expired begins anew, or an account could let nodes expire and come back with all of them.
    pub(super) fn check_caps(
        &mut self,
        trust: &Trust,
        owner: Address,
        former: Option<&Node>,
        family: Family,
    ) -> Result<(), Fail> {
        let now = self.scene.before;
        if trust.caps == Caps::default() || former.is_some_and(|node| node.is_admitted(now)) {
            return Ok(());
        }
        // The price of a verification covers a look at MAX_NODES records: it must not rise with the network.
        let mut meter = self.meter.paid();
        let chips: Vec<B256> = meter.read(Leaf::Nodes)?.unwrap_or_default();
        let leaves: Vec<_> = chips.into_iter().map(Leaf::Node).collect();
        meter.state().prefetch(&leaves, &[]).map_err(|_| Fail::Halt(Halt::Supply))?;
        let (mut nodes, mut of_owner, mut of_family) = (0usize, 0usize, 0usize);
        for leaf in leaves {
            let Some(node) = meter.read::<Node>(leaf)?.filter(|node| node.is_admitted(now)) else {
                continue;
            };
            nodes = nodes.saturating_add(1);
            of_owner = of_owner.saturating_add(usize::from(node.owner == owner));
            of_family = of_family.saturating_add(usize::from(node.family == family));
        }
        trust.caps.allow(nodes, of_owner, of_family).map_err(|over| refused(CAPS, over.to_string()))
    }
}

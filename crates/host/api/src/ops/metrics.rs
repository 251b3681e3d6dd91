//! What Prometheus reads.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::Vitals;
use crate::Backend;

/// Every metric of a node: what it counted, and what can be looked up now.
pub(super) fn registry<B: Backend>(backend: &Arc<B>) -> Registry {
    let mut registry = Registry::with_prefix("cloister");
    registry.register_collector(Box::new(Now(Arc::clone(backend))));
    if let Some(vitals) = backend.vitals() {
        register(&mut registry, vitals);
    }
    registry
}

/// What a node counted.
pub(super) fn register(registry: &mut Registry, vitals: &Vitals) {
    let Vitals { blocks, transactions, execution, interval, restarts } = vitals.clone();
    registry.register("blocks", "Blocks that this node committed since it started", blocks);
    registry.register("transactions", "Transactions in these blocks", transactions);
    let (took, apart) = ("Time that the enclave took over a block", "Time between two blocks, by their headers");
    registry.register_with_unit("block_execution", took, Unit::Seconds, execution);
    registry.register_with_unit("block_interval", apart, Unit::Seconds, interval);
    registry.register("enclave_restarts", "How often the enclave died and came back", restarts);
}

/// What is looked up when Prometheus asks.
struct Now<B>(Arc<B>);

impl<B: Backend> Collector for Now<B> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(node) = self;
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        let height = *node.heads().borrow();
        gauge("height", "Height of the last committed block", height)?;
        let header = node.store().reader().and_then(|reader| reader.header(height));
        if let Ok(Some(header)) = header {
            gauge("last_block_timestamp_seconds", "Time of that block, in seconds since 1970", header.seconds())?;
        }
        let waiting = node.mempool().status();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        gauge("mempool_pending", "Ethereum transactions that the next blocks may take", count(waiting.pending))?;
        gauge("mempool_queued", "Ethereum transactions that wait for an earlier one", count(waiting.queued))?;
        gauge("mempool_cosmos", "Cosmos transactions that wait", count(waiting.cosmos))?;
        gauge("peers", "Connected nodes", count(node.peers()))?;
        gauge("behind_blocks", "Blocks that others have and this node does not", {
            node.syncing().map_or(0, |target| target.saturating_sub(height))
        })
    }
}

impl<B: Backend> fmt::Debug for Now<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}

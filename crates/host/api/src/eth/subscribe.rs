//! Subscriptions over WebSocket. They follow the store's heights, so a slow client gets every block, late.

use alloy_rpc_types_eth::Filter;
use alloy_rpc_types_eth::pubsub::{Params, SubscriptionKind};
use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::core::{SubscriptionResult, async_trait, to_json_raw_value};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::server::{PendingSubscriptionSink, RandomIntegerIdProvider, SubscriptionSink};
use jsonrpsee::types::SubscriptionId;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::error::EthError;
use super::transaction::EthTransactionServer as _;
use super::{Backend, Door};

#[rpc(server, namespace = "eth")]
pub trait EthSubscribe {
    /// Sends `newHeads`, `logs`, `newPendingTransactions` (hashes, or with `true` transactions) or `syncing` as they come.
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = serde_json::Value)]
    async fn subscribe(&self, kind: SubscriptionKind, params: Option<Params>) -> SubscriptionResult;
}

#[async_trait]
impl<B: Backend> EthSubscribeServer for Door<B> {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        kind: SubscriptionKind,
        params: Option<Params>,
    ) -> SubscriptionResult {
        let door = self.clone();
        match (kind, params.unwrap_or_default()) {
            (SubscriptionKind::NewHeads, _) => {
                let heads = move |height| Ok(vec![door.mined(&door.reader()?, height)?.header()]);
                self.follow(pending, heads).await
            }
            (SubscriptionKind::Logs, Params::Logs(filter)) => {
                self.follow(pending, move |height| door.logs_at(&filter, height)).await
            }
            (SubscriptionKind::Logs, Params::None) => {
                let filter = Filter::new();
                self.follow(pending, move |height| door.logs_at(&filter, height)).await
            }
            (SubscriptionKind::NewPendingTransactions, Params::Bool(true)) => self.arrivals(pending, true).await,
            (SubscriptionKind::NewPendingTransactions, Params::None | Params::Bool(false)) => {
                self.arrivals(pending, false).await
            }
            (SubscriptionKind::Syncing, Params::None) => {
                let mut before = None;
                let changed = move |_| {
                    let now = door.backend.syncing().is_some();
                    Ok(Vec::from_iter((before.replace(now) != Some(now)).then_some(now)))
                };
                self.follow(pending, changed).await
            }
            _ => {
                pending.reject(EthError::Params("no such subscription, or it does not take these parameters")).await;
                Ok(())
            }
        }
    }
}

impl<B: Backend> Door<B> {
    /// Sends what `items` makes of each height from now on, until the client or the node is gone.
    async fn follow<T: Serialize>(
        &self,
        pending: PendingSubscriptionSink,
        mut items: impl FnMut(u64) -> Result<Vec<T>, EthError>,
    ) -> SubscriptionResult {
        // Before the client is told: what is committed after that is new to it.
        let mut heads = self.backend.heads();
        let mut next = *heads.borrow_and_update() + 1;
        let sink = pending.accept().await?;
        loop {
            tokio::select! {
                () = sink.closed() => return Ok(()),
                changed = heads.changed() => if changed.is_err() { return Ok(()) },
            }
            let tip = *heads.borrow_and_update();
            // Only a developer's revert takes the tip back.
            next = next.min(tip + 1);
            for height in next..=tip {
                for item in items(height).inspect_err(|error| tracing::warn!(%error, "a subscription ended"))? {
                    if !send(&sink, &item).await {
                        return Ok(());
                    }
                }
            }
            next = tip + 1;
        }
    }

    /// Sends what enters the mempool.
    async fn arrivals(&self, pending: PendingSubscriptionSink, full: bool) -> SubscriptionResult {
        let mut arrivals = self.backend.arrivals();
        let sink = pending.accept().await?;
        loop {
            let hash = tokio::select! {
                () = sink.closed() => return Ok(()),
                arrival = arrivals.recv() => match arrival {
                    Ok(hash) => hash,
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return Ok(()),
                },
            };
            let open = if !full {
                send(&sink, &hash).await
            } else {
                // It may be in a block already: blocks come at once.
                match self.by_hash(hash).await {
                    Ok(Some(tx)) => send(&sink, &tx).await,
                    // Replaced, or gone with its sender's funds.
                    Ok(None) => true,
                    Err(error) => {
                        tracing::warn!(%error, "a subscription ended");
                        false
                    }
                }
            };
            if !open {
                return Ok(());
            }
        }
    }
}

/// Waits for room and sends; false when the client is gone.
async fn send<T: Serialize>(sink: &SubscriptionSink, item: &T) -> bool {
    let Ok(message) = to_json_raw_value(item) else { return false };
    sink.send(message).await.is_ok()
}

/// Subscription ids as go-ethereum writes them: hexadecimal text.
#[derive(Debug)]
pub(super) struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        match RandomIntegerIdProvider.next_id() {
            SubscriptionId::Num(id) => SubscriptionId::from(format!("{id:#x}")),
            text => text,
        }
    }
}

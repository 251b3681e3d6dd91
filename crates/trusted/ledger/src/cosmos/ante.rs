//! Who asks, and who pays.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{CosmosTx, PublicKey, SignerData, bech32};
use cloister_chain::leaf::Auth;
use cloister_chain::receipt::Event;
use cloister_chain::staking::pool;
use cloister_chain::{Account, Genesis, Header, Leaf};
use cloister_state::Supply;

use super::meter::{Fail, Meter};
use super::{bank, events, feegrant};

/// Checks time-out, signatures and sequences, takes the fee, and returns the events of all that. `signed` is
/// false for a simulation, whose signatures are not looked at.
pub(super) fn run<S: Supply>(
    genesis: &Genesis,
    header: &Header,
    meter: &mut Meter<'_, S>,
    tx: &CosmosTx,
    signed: bool,
) -> Result<Vec<Event>, Fail> {
    let last = tx.timeout_height();
    if last != 0 && header.height > last {
        let log = format!("block height: {}, timeout height: {last}: tx timeout height", header.height);
        return Err(Fail::sdk(30, log));
    }
    // The whole price follows from the transaction alone. So the mempool can tell who cannot pay it, and nothing gets into a
    // block without paying a fee because its gas ended here.
    let size = u64::try_from(tx.bytes().len()).unwrap_or(u64::MAX);
    meter.charge(size.saturating_mul(TX_BYTE), "txSize")?;
    let signers = u64::try_from(tx.signers().len()).unwrap_or(u64::MAX);
    meter.charge(signers.saturating_mul(SIGNATURE), "ante verify: secp256k1")?;
    let meter = &mut meter.paid();
    let mut accounts = Vec::with_capacity(tx.signers().len());
    let mut data = Vec::with_capacity(tx.signers().len());
    for signer in tx.signers() {
        let unknown = || Fail::sdk(9, format!("account {} does not exist: unknown address", bech32(signer)));
        let auth: Auth = meter.read(Leaf::Auth(*signer))?.ok_or_else(unknown)?;
        let account: Account = meter.read(Leaf::Account(*signer))?.unwrap_or_default();
        data.push(SignerData { number: auth.number, sequence: account.sequence, key: auth.public_key()? });
        accounts.push((*signer, auth, account));
    }
    if signed {
        tx.verify(&genesis.chain_id, &data)?;
    }

    let mut emitted = Vec::new();
    let fee = bank::shown(tx.fee());
    if let Some(signer) = tx.signers().first() {
        let payer = tx.granter().unwrap_or(*signer);
        if payer != *signer {
            emitted = feegrant::pay(meter, header, (payer, *signer), tx)?;
        }
        if tx.fee() > 0 {
            bank::send(meter, payer, pool::fee_collector(), tx.fee(), &mut emitted)?;
        }
        emitted.push(events::event("tx", [("fee", fee), ("fee_payer", bech32(&payer))]));
    }
    for (index, (signer, mut auth, mut account)) in accounts.into_iter().enumerate() {
        emitted.push(events::event("tx", [("acc_seq", format!("{}/{}", bech32(&signer), account.sequence))]));
        let signature = tx.parts().2.get(index).map(|signature| STANDARD.encode(signature)).unwrap_or_default();
        emitted.push(events::event("tx", [("signature", signature)]));
        account.sequence = account.sequence.saturating_add(1);
        meter.write(Leaf::Account(signer), Some(&account))?;
        if let Some(key) = tx.public_key(index)?.filter(|_| auth.key.is_none()) {
            auth.key = Some(PublicKey::to_bytes(&key));
            meter.write(Leaf::Auth(signer), Some(&auth))?;
        }
    }
    Ok(emitted)
}

/// Gas per byte of a transaction (`tx_size_cost_per_byte`).
const TX_BYTE: u64 = 10;
/// Gas per signature (`sig_verify_cost_secp256k1`).
const SIGNATURE: u64 = 1_000;

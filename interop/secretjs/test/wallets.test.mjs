// Every way to sign: direct, amino, EIP-191 and several keys together.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMultisigThresholdPubkey, encodeSecp256k1Pubkey, makeSignDoc, pubkeyToAddress } from '@cosmjs/amino';
import { encodePubkey } from '@cosmjs/proto-signing';
import { CompactBitArray, MultiSignature } from 'cosmjs-types/cosmos/crypto/multisig/v1beta1/multisig.js';
import { AuthInfo, TxBody, TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx.js';
import { SigningKey, Wallet as EthereumWallet, computeAddress, getBytes } from 'ethers';
import { MetaMaskWallet, MsgExecuteContract, MsgSend, Wallet } from 'secretjs';
import { AminoWallet } from 'secretjs/dist/wallet_amino.js';
import {
  balance, call, chainId, client, coins, done, execute, executeData, freshClient, fund, gas, instantiate, known,
  query, reader, rejection, upload,
} from '../lib/chain.mjs';

const amino = 127;
const direct = 'SIGN_MODE_DIRECT';

function modes(tx) {
  return tx.tx.auth_info.signer_infos.map(({ mode_info }) => mode_info.single?.mode ?? mode_info);
}

/** Everything that a wallet signs: coins, code, a contract, a call with a deposit, a migration. */
async function works(secretjs, mode, memo = 'a <b> & "c" \u00e9') {
  const to = new Wallet().address;
  const sent = await done(secretjs.tx.bank.send(
    { from_address: secretjs.address, to_address: to, amount: coins(4) },
    gas(100_000, { memo }),
  ));
  assert.deepEqual(modes(sent), [mode]);
  assert.equal(await balance(to), 4n);

  const code = await upload(secretjs, 'counter');
  const counter = await instantiate(secretjs, code, { count: 5 }, { admin: secretjs.address });
  const tx = await done(execute(secretjs, counter, { increment: {} }, { funds: coins(3) }));
  assert.deepEqual(modes(tx), [mode]);
  assert.deepEqual(executeData(tx), { count: 6 });
  assert.equal(await balance(counter.address), 3n);
  const migrated = await done(secretjs.tx.compute.migrateContract(
    {
      sender: secretjs.address,
      contract_address: counter.address,
      code_id: code.codeId,
      code_hash: code.codeHash,
      msg: { count: 50 },
    },
    gas(),
  ));
  assert.deepEqual(modes(migrated), [mode]);
  const increment = () => new MsgExecuteContract(call(secretjs, counter, { increment: {} }));
  await done(secretjs.tx.broadcast([increment(), increment()], gas()));
  assert.deepEqual(await query(secretjs, counter, { get_count: {} }), { count: 52 });
}

test('Wallet signs the bytes of the transaction', async () => {
  await works(await freshClient(), direct);
});

test('AminoWallet signs the JSON of the transaction', async () => {
  await works(await freshClient({}, new AminoWallet()), 'SIGN_MODE_LEGACY_AMINO_JSON');
});

test('MetaMaskWallet signs a text that people read', async () => {
  const wallet = await metaMask();
  // secretjs does not escape <, > and & in this text, as Go does on chain: a memo with these is refused there too.
  await works(await freshClient({}, wallet), 'SIGN_MODE_EIP_191', 'lunch, "again" \u00e9');
});

/** MetaMask as secretjs sees it: a provider with the two methods that sign, and somewhere to keep the public key. */
async function metaMask() {
  const kept = new Map();
  globalThis.localStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
  const ethereum = EthereumWallet.createRandom();
  const provider = {
    request: async ({ method, params }) => {
      if (method === 'personal_sign') return ethereum.signMessage(getBytes(params[0]));
      assert.equal(method, 'eth_sign');
      return new SigningKey(ethereum.privateKey).sign(params[1]).serialized;
    },
  };
  const wallet = await MetaMaskWallet.create(provider, ethereum.address);
  assert.equal(computeAddress(`0x${Buffer.from(wallet.publicKey).toString('hex')}`), ethereum.address);
  return wallet;
}

test('what was signed for another chain, account number or message is refused', async () => {
  const from = await freshClient();
  const { account } = await from.query.auth.account({ address: from.address });
  const right = { chainId, accountNumber: Number(account.account_number), sequence: 0 };
  const send = (more, amount = 1) => from.tx.bank.send(
    { from_address: from.address, to_address: known.b.address, amount: coins(amount) },
    gas(100_000, { explicitSignerData: { ...right, ...more } }),
  );
  for (const wrong of [{ chainId: 'secret-4' }, { accountNumber: right.accountNumber + 1 }]) {
    assert.match(await rejection(send(wrong)), /code 4 \(codespace: sdk\)\. Log: signature verification failed/);
  }
  const signed = await from.tx.signTx(
    [new MsgSend({ from_address: from.address, to_address: known.b.address, amount: coins(1) })],
    gas(100_000),
  );
  const raw = TxRaw.decode(signed);
  const other = await from.tx.signTx(
    [new MsgSend({ from_address: from.address, to_address: known.b.address, amount: coins(2) })],
    gas(100_000),
  );
  const forged = TxRaw.encode({ ...raw, bodyBytes: TxRaw.decode(other).bodyBytes }).finish();
  assert.match(await rejection(from.tx.broadcastSignedTx(forged, gas())), /code 4 .*signature verification failed/);
  assert.equal(await balance(from.address), 10n ** 9n);
});

test("nobody spends from somebody else's account", async () => {
  const [mallory, victim] = [await freshClient(), await freshClient()];
  const theft = mallory.tx.bank.send(
    { from_address: victim.address, to_address: mallory.address, amount: coins(1) },
    gas(100_000),
  );
  assert.match(await rejection(theft), /^Broadcasting transaction failed with code \d+ \(codespace: sdk\)/);
  assert.equal(await balance(victim.address), 10n ** 9n);
});

test('two of three keys together send coins, one of them does not', async () => {
  const members = Array.from({ length: 3 }, () => new AminoWallet());
  const key = createMultisigThresholdPubkey(members.map(({ publicKey }) => encodeSecp256k1Pubkey(publicKey)), 2, true);
  const address = pubkeyToAddress(key, 'secret');
  await fund(address);
  const to = new Wallet().address;

  await done(reader().tx.broadcastSignedTx(await multisigned(key, address, members, [0, 2], to), gas()));
  assert.equal(await balance(to), 6n);
  const alone = await multisigned(key, address, members, [1], to);
  assert.match(await rejection(reader().tx.broadcastSignedTx(alone, gas())), /code 4 \(codespace: sdk\)/);
  assert.equal(await balance(to), 6n);
});

/** A transfer that the members with these indexes sign. */
async function multisigned(key, address, members, signers, to) {
  const { account } = await reader().query.auth.account({ address });
  const message = new MsgSend({ from_address: address, to_address: to, amount: coins(6) });
  const fee = { amount: coins(10_000), gas: '100000' };
  const document = makeSignDoc([await message.toAmino()], fee, chainId, '', account.account_number, account.sequence);
  const ordered = key.value.pubkeys.map(({ value }) =>
    members.findIndex((member) => Buffer.from(member.publicKey).toString('base64') === value));
  const [bits, signatures] = [new Uint8Array(1), []];
  for (const [position, member] of ordered.entries()) {
    if (!signers.includes(member)) continue;
    bits[0] |= 0x80 >> position;
    const { signature } = await members[member].signAmino(members[member].address, document);
    signatures.push(Buffer.from(signature.signature, 'base64'));
  }
  const { type_url: typeUrl, encode } = await message.toProto();
  const bitarray = CompactBitArray.fromPartial({ elems: bits, extraBitsStored: members.length });
  return TxRaw.encode({
    bodyBytes: TxBody.encode(TxBody.fromPartial({ messages: [{ typeUrl, value: await encode() }] })).finish(),
    authInfoBytes: AuthInfo.encode(AuthInfo.fromPartial({
      signerInfos: [{
        publicKey: encodePubkey(key),
        modeInfo: { multi: { bitarray, modeInfos: signatures.map(() => ({ single: { mode: amino } })) } },
        sequence: BigInt(account.sequence),
      }],
      fee: { amount: fee.amount, gasLimit: BigInt(fee.gas) },
    })).finish(),
    signatures: [MultiSignature.encode({ signatures }).finish()],
  }).finish();
}

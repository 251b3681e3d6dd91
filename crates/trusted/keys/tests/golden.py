"""Computes golden.json: the key schedule written a second time, from hmac, hashlib and the `cryptography` package.

python3 golden.py > golden.json
"""
import hashlib, hmac, json

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

CHAIN = "golden-1"


def hkdf(key, info, length):
    prk, output, block = hmac.digest(bytes(32), key, "sha256"), b"", b""
    while len(output) < length:
        block = hmac.digest(prk, block + info + bytes([len(output) // 32 + 1]), "sha256")
        output += block
    return output[:length]


def part(data):
    return len(data).to_bytes(4, "big") + data


def info(label, *context):
    return part(f"cloister/v1/{CHAIN}/{label}".encode()) + b"".join(map(part, context))


def number(value):
    return value.to_bytes(8, "big")


def cell(key, r, plain):
    pad = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(r)
    return bytes(a ^ b for a, b in zip(pad, plain.to_bytes(16, "big"), strict=True)) + r


rows = {}


def row(parent, label, length, *context):
    rows.setdefault(label, []).append(hkdf(parent, info(label, *context), length))
    return rows[label][-1]


seed = bytes(range(32))
address, contract = bytes([0xAA] * 20), bytes([0xCC] * 20)
parent_hash, tx_hash, input_hash, randomness = (bytes([fill] * 32) for fill in (0x11, 0x22, 0x33, 0x44))

permanent = row(seed, "permanent root", 32)
epoch = row(seed, "epoch root", 32)
user = row(permanent, "user aes key", 16, address)
following = row(epoch, "next epoch root", 32, number(1), randomness)
network = row(epoch, "network cell key", 32, contract)
transaction = row(epoch, "transaction key", 32, number(7), parent_hash, tx_hash)
row(epoch, "sweep key", 32, number(7), parent_hash)
query = row(epoch, "query key", 32, input_hash)
row(epoch, "block beacon", 32, parent_hash)
exchanges = {
    "io": row(permanent, "io exchange key", 32),
    "seed": row(permanent, "seed exchange key", 32),
    "input": row(epoch, "input exchange key", 32),
}
callback = row(epoch, "callback secret", 32)
row(epoch, "contract random", 32, parent_hash, contract, number(3))
state = row(epoch, "contract state", 32, contract)
names = row(permanent, "contract names", 32, contract)
name = row(names, "state name", 32, b"balance of alice")
state_cipher = row(state, "state cipher", 32)
state_nonce = row(state, "state nonce", 12, name, number(7), parent_hash, number(2), number(5))
for counter in range(2):
    row(transaction, "handle", 32, number(counter))
    row(transaction, "cell salt", 16, number(counter))
    row(transaction, "random number", 32, number(counter))
    row(transaction, "onboarding share", 16, number(counter))
    for share in range(2):
        row(transaction, "onboarding coins", 32, number(counter), bytes([share]))

registration = bytes([0x77] * 32)
row(transaction, "share ephemeral", 32, registration)

sealing = bytes([0x5E] * 32)
sealing_cipher = row(sealing, "sealing cipher", 32)


def seal(purpose, context, plain):
    data = info(purpose, context)
    nonce = row(sealing, "sealing nonce", 12, data)
    return (b"\1" + AESGCMSIV(sealing_cipher).encrypt(nonce, plain, data)).hex()


def state_value(value):
    bucket = 32
    while bucket < 4 + len(value):
        bucket *= 2
    padded = (len(value).to_bytes(4, "big") + value).ljust(bucket, b"\0")
    data = info("contract state value", contract, name, number(0))
    return (b"\2" + number(0) + state_nonce + AESGCMSIV(state_cipher).encrypt(state_nonce, padded, data)).hex()


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()


genesis, boot, ephemeral = bytes([0x66] * 32), bytes([0xB0] * 32), bytes([0xE0] * 32)
boot_key, ephemeral_key = (bytes.fromhex(public(private)) for private in (boot, ephemeral))
agreed = X25519PrivateKey.from_private_bytes(ephemeral).exchange(X25519PublicKey.from_public_bytes(boot_key))
share_key = row(agreed, "roots share", 32, genesis, registration, ephemeral_key, boot_key)
share_data = info("share of the roots", genesis, registration, ephemeral_key, boot_key)
roots = permanent + epoch + bytes(32) + number(0)
retiring = permanent + following + epoch + number(1)
share = b"\2" + ephemeral_key + AESGCM(share_key).encrypt(bytes(12), roots, share_data)

print(json.dumps({
    "roots": roots.hex(),
    "roots_after_a_switch": retiring.hex(),
    "roots_share": share.hex(),
    "sealed_roots": seal("sealed roots", b"measurement", roots),
    "sealed_checkpoint": seal("sealed checkpoint", number(7), b"height 7"),
    "rows": {label: [value.hex() for value in values] for label, values in rows.items()},
    "public_keys": {name: public(private) for name, private in exchanges.items()},
    "callback_signature": hashlib.sha256(callback + b'message[{"denom":"uscrt","amount":"5"}]').hexdigest(),
    "state_values": {value.decode(): state_value(value) for value in (b"", b"5", b"x" * 28, b"x" * 29)},
    "user_cell_of_5": cell(user, rows["cell salt"][0], 5).hex(),
    "network_cell_of_5": cell(network, rows["cell salt"][0], 5).hex(),
    "query_salt": hkdf(query, info("cell salt", number(0)), 16).hex(),
    "beacon_of_epoch_1": hkdf(following, info("block beacon", parent_hash), 32).hex(),
}, indent=1))

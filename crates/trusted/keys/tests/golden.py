"""Computes golden.json: the key schedule written a second time, from hmac, hashlib and the `cryptography` package.

python3 golden.py > golden.json
"""
import hashlib, hmac, json

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

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
query = row(epoch, "query key", 32, input_hash)
row(epoch, "block beacon", 32, parent_hash)
for counter in range(2):
    row(transaction, "handle", 32, number(counter))
    row(transaction, "cell salt", 16, number(counter))
    row(transaction, "random number", 32, number(counter))
    row(transaction, "onboarding share", 16, number(counter))
    for share in range(2):
        row(transaction, "onboarding coins", 32, number(counter), bytes([share]))

sealing = bytes([0x5E] * 32)
sealing_cipher = row(sealing, "sealing cipher", 32)


def seal(purpose, context, plain):
    data = info(purpose, context)
    nonce = row(sealing, "sealing nonce", 12, data)
    return (b"\1" + AESGCMSIV(sealing_cipher).encrypt(nonce, plain, data)).hex()


print(json.dumps({
    "sealed_seed": seal("sealed seed", b"measurement", seed),
    "sealed_checkpoint": seal("sealed checkpoint", number(7), b"height 7"),
    "rows": {label: [value.hex() for value in values] for label, values in rows.items()},
    "user_cell_of_5": cell(user, rows["cell salt"][0], 5).hex(),
    "network_cell_of_5": cell(network, rows["cell salt"][0], 5).hex(),
    "query_salt": hkdf(query, info("cell salt", number(0)), 16).hex(),
    "beacon_of_epoch_1": hkdf(following, info("block beacon", parent_hash), 32).hex(),
}, indent=1))

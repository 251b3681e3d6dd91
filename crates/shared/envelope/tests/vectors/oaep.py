"""Computes oaep.json: RSA-OAEP (RFC 8017 7.1.1, SHA-256, empty label) with given coins, from nothing but hashlib and pow.

python3 oaep.py > oaep.json
"""
import hashlib, json, pathlib

here = pathlib.Path(__file__).parent
spki = bytes.fromhex(json.loads((here / "coti.json").read_text())["onboard"]["rsa_public_key_spki_der"][2:])
modulus, exponent = int.from_bytes(spki[33:289], "big"), int.from_bytes(spki[291:294], "big")
assert modulus.bit_length() == 2048 and exponent == 65537


def mgf1(seed, length):
    blocks = (hashlib.sha256(seed + counter.to_bytes(4, "big")).digest() for counter in range(-(-length // 32)))
    return b"".join(blocks)[:length]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def oaep(message, coins):
    data = hashlib.sha256(b"").digest() + bytes(256 - len(message) - 66) + b"\1" + message
    data = xor(data, mgf1(coins, len(data)))
    seed = xor(coins, mgf1(data, 32))
    return pow(int.from_bytes(b"\0" + seed + data, "big"), exponent, modulus).to_bytes(256, "big")


key, share = bytes(range(16)), bytes(range(0xA0, 0xB0))
coins = [bytes(range(32)), bytes(range(32, 64))]
print(json.dumps({
    "key": key.hex(),
    "share": share.hex(),
    "coins": [part.hex() for part in coins],
    "answer": (oaep(share, coins[0]) + oaep(xor(key, share), coins[1])).hex(),
    "legacy_answer": oaep(key, coins[0]).hex(),
}, indent=1))

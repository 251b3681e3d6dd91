"""Computes gcm.json: our own message form written a second time, with Python's `cryptography`.

python3 gcm.py > gcm.json
"""
import json

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def extract(material):
    mac = hmac.HMAC(bytes(32), hashes.SHA256())
    mac.update(material)
    return mac.finalize()


def part(data):
    return len(data).to_bytes(4, "big") + data


def parts(label, *context):
    return part(b"cloister envelope v1/" + label.encode()) + b"".join(map(part, context))


def number(value):
    return value.to_bytes(8, "big")


def pad(plain):
    bucket = 256
    while bucket < 4 + len(plain):
        bucket *= 2
    return (len(plain).to_bytes(4, "big") + plain).ljust(bucket, b"\0")


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


EPOCH = number(7)
client, network = bytes(range(1, 33)), bytes(range(101, 133))
nonce = bytes(range(0x40, 0x60))
shared = X25519PrivateKey.from_private_bytes(network).exchange(X25519PublicKey.from_public_bytes(public(client)))
secret = extract(shared + nonce)


def derive(label, length, *context):
    info = parts(label, public(client), public(network), *context)
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)


def message(label, plain, *context):
    sealed = AESGCM(derive(label, 32)).encrypt(bytes(12), pad(plain), parts(label, EPOCH, *context))
    return (b"\2" + EPOCH + nonce + public(client) + sealed).hex()


def output(label, text, *place):
    salt = derive(label + " salt", 16, *place, pad(text))
    return (b"\2" + salt + AESGCM(derive(label, 32, *place, salt)).encrypt(bytes(12), pad(text), None)).hex()


def sha256(data):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def permitted(label, text, last, *context):
    """What an account signs and seals: RFC 6979, and of the two possible `s` the lower one."""
    bound = parts(label, EPOCH, *context)
    signed = parts("permit", bound, nonce, public(client), number(last), sha256(text))
    rule = ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True)
    r, s = utils.decode_dss_signature(reader.sign(sha256(signed), rule))
    key = reader.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    signature = r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")
    return message(label, signature + key + number(last) + text, *context)


def field(tag, data):
    """A field of bytes or text in protobuf, with a tag below 16 and a short value; an empty one is left out."""
    assert len(data) < 128
    return bytes([tag << 3 | 2, len(data)]) + data if data else b""


def attribute(tag, contract, key, value):
    return field(tag, field(1, contract) + field(2, key) + field(3, value))


reader = ec.derive_private_key(int.from_bytes(bytes([0x77] * 32), "big"), ec.SECP256K1())
chain, sender, contract, code = b"golden-1", bytes([0xAA] * 20), bytes([0xCC] * 20), bytes([0xC0] * 32)
transaction = bytes([0x22] * 32)
funds = [("uscrt", 5), ("uatom", 2**200)]
coins = b"".join(part(denom.encode()) + part(amount.to_bytes(32, "big")) for denom, amount in funds)


def call(label, entry, to, plain, coins):
    return message(label, plain, chain, sender, entry, to, code, coins)


of = b"secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg"
result = field(1, b"data") + attribute(3, of, b"from", b"alice") + attribute(3, of, b"to", b"")
failure = field(2, "you owe 7 \u20ac".encode())
# The height, field 5, is a varint: 258 = 2 * 128 + 2.
answer = field(1, b'{"count":7}') + bytes([5 << 3, 0x82, 0x02])
# 75,000 is 0b100_1001001_1111000.
estimate = bytes([1 << 3, 0xF8, 0xC9, 0x04, 2 << 3, 0x82, 0x02])
first = (transaction, number(0), number(0))
texts = [b"", b'{"ok":true}', bytes([0x61]) * 252, bytes([0x62]) * 253, bytes(range(256)) * 2]
print(json.dumps({
    "client_private": client.hex(),
    "client_public": public(client).hex(),
    "network_private": network.hex(),
    "network_public": public(network).hex(),
    "epoch": 7,
    "nonce": nonce.hex(),
    "chain_id": chain.decode(),
    "sender": sender.hex(),
    "contract": contract.hex(),
    "code_hash": code.hex(),
    "funds": [{"denom": denom, "amount": str(amount)} for denom, amount in funds],
    "transaction": transaction.hex(),
    "texts": [text.hex() for text in texts],
    "execute": [call("call input", b"execute", contract, text, coins) for text in texts],
    "instantiate": [call("call input", b"instantiate", b"", text, coins) for text in texts],
    "migrate_without_funds": [call("call input", b"migrate", contract, text, b"") for text in texts],
    "estimate_of_execute": [call("estimate input", b"execute", contract, text, coins) for text in texts],
    "query": [message("query input", text, chain, contract, code) for text in texts],
    "output_0_of_message_1": [output("call output", text, transaction, number(1), number(0)) for text in texts],
    "output_3_of_message_0": [output("call output", text, transaction, number(0), number(3)) for text in texts],
    "answer": [output("query answer", text) for text in texts],
    "answer_to_estimate": [output("estimate answer", text) for text in texts],
    "reader_private": "77" * 32,
    "last_height": 258,
    "signed_query": [permitted("query input", text, 258, chain, contract, code) for text in texts],
    "signed_estimate_of_execute": [
        permitted("estimate input", text, 258, chain, sender, b"execute", contract, code, coins) for text in texts
    ],
    "result_in_output_0_of_message_0": {"plain": result.hex(), "sealed": output("call output", result, *first)},
    "failure_in_output_0_of_message_0": {"plain": failure.hex(), "sealed": output("call output", failure, *first)},
    "answer_of_block_258": {"plain": answer.hex(), "sealed": output("query answer", answer)},
    "estimate_of_75000_at_block_258": {"plain": estimate.hex(), "sealed": output("estimate answer", estimate)},
}, indent=1))

"""The user's AES key: one for each account, for ever, by either form of on-boarding."""

import pytest
from coti.crypto_utils import decrypt_rsa, generate_rsa_keypair, sign
from web3.exceptions import Web3Exception

from account import LEGACY_ONBOARD_ABI, LEGACY_ONBOARD_ADDRESS, ONBOARD_ABI, ONBOARD_ADDRESS

PRECOMPILE = "0x0000000000000000000000000000000000000064"
USER_KEY_ABI = [
    {
        "type": "function",
        "name": "GetUserKey",
        "stateMutability": "view",
        "inputs": [{"name": "signedKey", "type": "bytes"}],
        "outputs": [{"name": "", "type": "bytes"}],
    }
]


def test_both_forms_give_the_same_key(new_user):
    user = new_user("2")
    key = user.onboard()
    assert len(bytes.fromhex(key)) == 16
    assert user.onboard_legacy() == key
    assert user.onboard() == key


def test_two_accounts_have_two_keys(new_user):
    assert new_user("1").onboard() != new_user("1").onboard()


def test_on_boarding_fits_the_gas_that_the_example_can_pay(new_user, web3):
    user = new_user("1")
    _, public_key = generate_rsa_keypair()
    contract = web3.eth.contract(address=LEGACY_ONBOARD_ADDRESS, abi=LEGACY_ONBOARD_ABI)
    receipt = user.transact(contract.functions.OnboardAccount(public_key, signature(user, public_key)))
    assert receipt.status == 1
    assert receipt.gasUsed < 6_600_000


def test_somebody_elses_signature_gets_no_key(new_user, web3):
    user, other = new_user("2"), new_user()
    _, public_key = generate_rsa_keypair()
    contract = web3.eth.contract(address=ONBOARD_ADDRESS, abi=ONBOARD_ABI)
    for forged in [signature(other, public_key), b"", bytes(65), signature(user, public_key)[:64], signature(user, b"another key")]:
        receipt = user.transact(contract.functions.onboardAccount(public_key, forged))
        assert receipt.status == 0
        assert receipt.logs == []


def test_a_malformed_rsa_key_gets_no_key(new_user, web3):
    user = new_user("2")
    _, good = generate_rsa_keypair()
    contract = web3.eth.contract(address=ONBOARD_ADDRESS, abi=ONBOARD_ABI)
    for public_key in [good[:-1], good + b"\0", b"\0" * len(good), good[:100] + b"\xff" * 20 + good[120:250]]:
        receipt = user.transact(contract.functions.onboardAccount(public_key, signature(user, public_key)))
        assert receipt.status == 0, public_key.hex()


def test_the_key_may_be_asked_for_without_a_transaction_but_only_by_its_owner(new_user, web3):
    """The one operation that eth_call serves: the signature is the proof of who asks."""
    user, other = new_user("1"), new_user()
    key = user.onboard()
    private_key, public_key = generate_rsa_keypair()
    ask = web3.eth.contract(address=PRECOMPILE, abi=USER_KEY_ABI).functions.GetUserKey(signature(user, public_key) + public_key)

    answer = ask.call({"from": user.address})
    shares = [decrypt_rsa(private_key, answer[at : at + 256]) for at in range(0, len(answer), 256)]
    assert combined(shares) == key

    with pytest.raises(Web3Exception):
        ask.call({"from": other.address})


def signature(user, message):
    return sign(message, bytes(user.account.key))


def combined(shares):
    whole = shares[0]
    for share in shares[1:]:
        whole = bytes(a ^ b for a, b in zip(whole, share))
    return whole.hex()

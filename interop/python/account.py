"""An account the way COTI's Python examples use one: legacy transactions signed locally, the published SDK for secrets."""

from coti.crypto_utils import (
    build_input_text,
    build_string_input_text,
    decrypt_rsa,
    decrypt_string,
    decrypt_uint,
    generate_rsa_keypair,
    recover_user_key,
    sign,
)
from eth_account import Account
from web3 import Web3

GAS_LIMIT = 10_000_000
GAS_PRICE = Web3.to_wei(30, "gwei")

ONBOARD_ADDRESS = "0x536A67f0cc46513E7d27a370ed1aF9FDcC7A5095"
ONBOARD_ABI = [
    {
        "type": "function",
        "name": "onboardAccount",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "publicKey", "type": "bytes"}, {"name": "signedEK", "type": "bytes"}],
        "outputs": [],
    },
    {
        "type": "event",
        "name": "AccountOnboarded",
        "anonymous": False,
        "inputs": [
            {"name": "_from", "type": "address", "indexed": True},
            {"name": "userKey1", "type": "bytes", "indexed": False},
            {"name": "userKey2", "type": "bytes", "indexed": False},
        ],
    },
]

LEGACY_ONBOARD_ADDRESS = "0x0eEb07792150D9B79F1bcE02Cd66f1329C2d2aD6"
LEGACY_ONBOARD_ABI = [
    {
        "type": "function",
        "name": "OnboardAccount",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "signedEK", "type": "bytes"}, {"name": "signature", "type": "bytes"}],
        "outputs": [],
    }
]


class User:
    def __init__(self, web3, private_key):
        self.web3 = web3
        self.account = Account.from_key(private_key)
        self.address = self.account.address
        self.aes_key = None

    def transact(self, call, gas_price=GAS_PRICE):
        """Sends a call of a contract (or its constructor) and waits for the receipt, whatever its status."""
        transaction = call.build_transaction(
            {"from": self.address, "nonce": self._nonce(), "gas": GAS_LIMIT, "gasPrice": gas_price, "chainId": self.web3.eth.chain_id}
        )
        return self._send(transaction)

    def pay(self, receiver, wei, gas=21_000):
        transaction = {
            "to": receiver,
            "value": wei,
            "gas": gas,
            "gasPrice": self.web3.eth.gas_price,
            "nonce": self._nonce(),
            "chainId": self.web3.eth.chain_id,
        }
        receipt = self._send(transaction)
        assert receipt.status == 1
        return receipt

    def onboard(self):
        """The present form: two shares of the key in the event, as newer examples read them."""
        private_key, public_key = generate_rsa_keypair()
        contract = self.web3.eth.contract(address=ONBOARD_ADDRESS, abi=ONBOARD_ABI)
        receipt = self.transact(contract.functions.onboardAccount(public_key, self._sign(public_key)))
        assert receipt.status == 1
        event = contract.events.AccountOnboarded().process_receipt(receipt)[0].args
        assert event._from == self.address
        self.aes_key = recover_user_key(private_key, event.userKey1, event.userKey2).hex()
        return self.aes_key

    def onboard_legacy(self):
        """The form of May 2024: the key whole, and the client takes everything behind byte 64 of the log."""
        private_key, public_key = generate_rsa_keypair()
        contract = self.web3.eth.contract(address=LEGACY_ONBOARD_ADDRESS, abi=LEGACY_ONBOARD_ABI)
        receipt = self.transact(contract.functions.OnboardAccount(public_key, self._sign(public_key)))
        assert receipt.status == 1
        self.aes_key = decrypt_rsa(private_key, receipt.logs[0].data[64:]).hex()
        return self.aes_key

    def encrypt(self, value, contract, selector):
        """An input text for the function of `contract` that has `selector`."""
        build = build_string_input_text if isinstance(value, str) else build_input_text
        return build(value, self.aes_key, self.address, contract.address, selector, bytes(self.account.key))

    def decrypt(self, ciphertext, aes_key=None):
        return decrypt_uint(ciphertext, aes_key or self.aes_key)

    def decrypt_string(self, ciphertext):
        return decrypt_string(ciphertext, self.aes_key)

    def _sign(self, message):
        return sign(message, bytes(self.account.key))

    def _nonce(self):
        return self.web3.eth.get_transaction_count(self.address)

    def _send(self, transaction):
        signed = self.account.sign_transaction(transaction)
        tx_hash = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        return self.web3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.02)

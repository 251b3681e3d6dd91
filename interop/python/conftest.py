"""The node under test, accounts with money, and a DataOnChain of their own for the tests that ask."""

import json
import os
from pathlib import Path

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.middleware import ExtraDataToPOAMiddleware

from account import User

RPC_URL = os.environ.get("CLOISTER_RPC", "http://127.0.0.1:8545")
ARTIFACTS = Path(__file__).parents[2] / "contracts" / "solidity" / "artifacts"
# The fifth account of hardhat's well-known mnemonic, which a dev node funds.
FUNDED_KEY = "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"


@pytest.fixture(scope="session")
def web3():
    connection = Web3(HTTPProvider(RPC_URL))
    connection.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    assert connection.is_connected()
    return connection


@pytest.fixture(scope="session")
def ws_url():
    return RPC_URL.replace("http", "ws", 1)


@pytest.fixture(scope="session")
def bank(web3):
    return User(web3, FUNDED_KEY)


@pytest.fixture
def new_user(web3, bank):
    """Makes accounts that own half a coin each, as the documented example gives its second account."""

    def make(coins="0.5"):
        user = User(web3, Account.create().key.hex())
        bank.pay(user.address, web3.to_wei(coins, "ether"))
        return user

    return make


@pytest.fixture(scope="session")
def alice(web3, bank):
    """The one who deploys, on-boarded."""
    user = User(web3, Account.create().key.hex())
    bank.pay(user.address, web3.to_wei(50, "ether"))
    user.onboard()
    return user


@pytest.fixture(scope="session")
def artifact():
    def read(name):
        return json.loads((ARTIFACTS / f"{name}.json").read_text())

    return read


@pytest.fixture
def data_on_chain(web3, alice, artifact):
    """A fresh contract, deployed by alice."""
    compiled = artifact("DataOnChain")
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    receipt = alice.transact(factory.constructor())
    assert receipt.status == 1
    return web3.eth.contract(address=receipt.contractAddress, abi=compiled["abi"])

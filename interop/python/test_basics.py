"""What COTI's basic examples do: a native transfer, and listening for blocks."""

import asyncio
import json

import pytest
import websockets
from eth_account import Account
from web3.exceptions import TimeExhausted, Web3RPCError


def test_a_native_transfer_estimates_to_exactly_21000(web3, new_user):
    user = new_user("1")
    receiver = Account.create().address
    wei = web3.to_wei("0.000000005", "ether")
    estimate = web3.eth.estimate_gas(
        {
            "to": receiver,
            "from": user.address,
            "value": wei,
            "nonce": web3.eth.get_transaction_count(user.address),
            "gas": 21_000,
            "gasPrice": web3.eth.gas_price,
        }
    )
    assert estimate == 21_000
    receipt = user.pay(receiver, wei, gas=21_000)
    assert receipt.gasUsed == 21_000
    assert web3.eth.get_balance(receiver) == wei


def test_the_node_introduces_itself(web3):
    assert web3.eth.chain_id == 7082400
    assert web3.client_version
    block = web3.eth.get_block("latest")
    assert block.baseFeePerGas >= 5_000_000
    assert block.gasLimit >= 120_000_000


def test_new_heads_arrive_over_websocket(ws_url, bank):
    async def listen():
        async with websockets.connect(ws_url) as socket:
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}))
            subscription = json.loads(await asyncio.wait_for(socket.recv(), 10))["result"]
            receipt = await asyncio.to_thread(bank.pay, bank.address, 0)
            while True:
                message = json.loads(await asyncio.wait_for(socket.recv(), 10))
                assert message["method"] == "eth_subscription"
                assert message["params"]["subscription"] == subscription
                if int(message["params"]["result"]["number"], 16) == receipt.blockNumber:
                    return message["params"]["result"], receipt

    head, receipt = asyncio.run(listen())
    assert head["hash"] == "0x" + receipt.blockHash.hex().removeprefix("0x")


def test_a_transaction_of_a_used_nonce_is_refused(web3, bank):
    receiver = Account.create().address
    bank.pay(receiver, 1)
    stale = bank.account.sign_transaction(
        {"to": receiver, "value": 1, "gas": 21_000, "gasPrice": web3.eth.gas_price, "nonce": 0, "chainId": web3.eth.chain_id}
    )
    with pytest.raises(Web3RPCError, match="nonce too low"):
        web3.eth.send_raw_transaction(stale.raw_transaction)
    assert web3.eth.get_balance(receiver) == 1


def test_a_transaction_that_was_never_sent_has_no_receipt(web3):
    with pytest.raises(TimeExhausted):
        web3.eth.wait_for_transaction_receipt("0x" + "11" * 32, timeout=0.3)

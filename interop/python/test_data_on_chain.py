"""COTI's "How to encrypt data on-chain", step by step, with the published Python SDK."""

from coti.crypto_utils import generate_aes_key

FOREIGN_CONTRACT = "0x074695f49d9c788c056FbBc697669EE6F23AE796"
SET_ENCRYPTED_INPUT = "0x4f0bc491"
SET_ENCRYPTED_STRING = "0x80b9de4b"


def test_the_public_value_is_readable_by_everybody(web3, data_on_chain):
    assert data_on_chain.functions.getSomeValue().call() == 5
    assert int.from_bytes(web3.eth.get_storage_at(data_on_chain.address, 0), "big") == 5


def test_the_six_documented_steps(web3, alice, data_on_chain):
    # 1, 2: a clear value goes in, the network encrypts it inside the contract.
    receipt = set_clear_value(alice, data_on_chain, 7)

    # 3: the block shows the clear value that was sent.
    transaction = web3.eth.get_transaction_by_block(receipt.blockHash, receipt.transactionIndex)
    assert int(transaction.input.hex().removeprefix("0x")[8:], 16) == 7

    # 4: the network's ciphertext is turned into one for the user.
    assert network_value(data_on_chain) != 7
    offboarded = alice.transact(data_on_chain.functions.setUserSomeEncryptedValue())
    assert offboarded.status == 1

    # 5: the user reads it, from the event or from the state.
    ciphertext = user_value(data_on_chain)
    assert int.from_bytes(offboarded.logs[0].data, "big") == ciphertext

    # 6: and decrypts it.
    assert alice.decrypt(ciphertext) == 7


def test_a_random_key_decrypts_to_something_else(alice, data_on_chain):
    set_clear_value(alice, data_on_chain, 7)
    assert alice.transact(data_on_chain.functions.setUserSomeEncryptedValue()).status == 1
    assert alice.decrypt(user_value(data_on_chain), generate_aes_key().hex()) != 7


def test_the_users_key_does_not_open_the_networks_ciphertext(alice, data_on_chain):
    set_clear_value(alice, data_on_chain, 7)
    assert alice.decrypt(network_value(data_on_chain)) != 7


def test_the_same_value_is_never_encrypted_to_the_same_ciphertext(alice, data_on_chain):
    seen = set()
    for _ in range(3):
        set_clear_value(alice, data_on_chain, 7)
        seen.add(network_value(data_on_chain))
    assert len(seen) == 3


def test_an_encrypted_value_goes_in_and_the_block_shows_only_ciphertext(web3, alice, data_on_chain):
    sent, receipt = set_encrypted_value(alice, data_on_chain, 8)

    transaction = web3.eth.get_transaction_by_block(receipt.blockHash, receipt.transactionIndex)
    public = int(transaction.input.hex().removeprefix("0x")[8:72], 16)
    assert public == sent
    assert public != 8
    assert alice.decrypt(public) == 8

    offboarded = alice.transact(data_on_chain.functions.setUserSomeEncryptedValueEncryptedInput())
    ciphertext = data_on_chain.functions.getUserSomeEncryptedValueEncryptedInput().call({"from": alice.address})
    assert int.from_bytes(offboarded.logs[0].data, "big") == ciphertext
    assert alice.decrypt(ciphertext) == 8


def test_the_sum_is_computed_on_ciphertext_for_whoever_asks(alice, new_user, data_on_chain):
    set_clear_value(alice, data_on_chain, 7)
    set_encrypted_value(alice, data_on_chain, 8)

    assert alice.transact(data_on_chain.functions.add()).status == 1
    for_alice = arithmetic_result(data_on_chain)
    assert alice.decrypt(for_alice) == 15

    # Half a coin must pay for on-boarding and one more transaction, both at ten million gas.
    bob = new_user("0.5")
    bob.onboard_legacy()
    assert bob.transact(data_on_chain.functions.add()).status == 1
    for_bob = arithmetic_result(data_on_chain)
    assert bob.decrypt(for_bob) == 15
    assert bob.decrypt(for_alice) != 15
    assert alice.decrypt(for_bob) != 15


def test_a_copied_ciphertext_is_useless(web3, alice, data_on_chain):
    set_clear_value(alice, data_on_chain, 7)
    before = network_value(data_on_chain)
    foreign = network_value(web3.eth.contract(address=FOREIGN_CONTRACT, abi=data_on_chain.abi))
    copied(alice, data_on_chain, foreign)
    assert network_value(data_on_chain) == foreign != before
    assert alice.transact(data_on_chain.functions.setUserSomeEncryptedValue()).status == 0


def test_a_genuine_ciphertext_of_a_sister_contract_is_useless_too(web3, alice, data_on_chain, artifact):
    compiled = artifact("DataOnChain")
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    sister = web3.eth.contract(address=alice.transact(factory.constructor()).contractAddress, abi=compiled["abi"])
    set_clear_value(alice, sister, 99)
    copied(alice, data_on_chain, network_value(sister))
    assert alice.transact(data_on_chain.functions.setUserSomeEncryptedValue()).status == 0
    assert alice.transact(sister.functions.setUserSomeEncryptedValue()).status == 1
    assert alice.decrypt(user_value(sister)) == 99


def test_an_uninitialised_value_cannot_be_loaded(alice, data_on_chain):
    assert alice.transact(data_on_chain.functions.setUserSomeEncryptedValue()).status == 0


def test_somebody_elses_input_text_is_refused(alice, new_user, data_on_chain):
    bob = new_user()
    stolen = alice.encrypt(8, data_on_chain, SET_ENCRYPTED_INPUT)
    call = data_on_chain.functions.setSomeEncryptedValueEncryptedInput(stolen["ciphertext"], stolen["signature"])
    assert bob.transact(call).status == 0


def test_an_input_text_for_another_function_is_refused(alice, data_on_chain):
    wrong = alice.encrypt(8, data_on_chain, SET_ENCRYPTED_STRING)
    call = data_on_chain.functions.setSomeEncryptedValueEncryptedInput(wrong["ciphertext"], wrong["signature"])
    assert alice.transact(call).status == 0


def test_strings(alice, data_on_chain):
    for text in ["test string", "x", "exactly8", "a string that needs several cells", "planted! and looked for"]:
        sent = alice.encrypt(text, data_on_chain, SET_ENCRYPTED_STRING)
        call = data_on_chain.functions.setSomeEncryptedStringEncryptedInput(((sent["ciphertext"]["value"],), sent["signature"]))
        assert alice.transact(call).status == 1
        receipt = alice.transact(data_on_chain.functions.setUserSomeEncryptedStringEncryptedInput())
        assert receipt.status == 1

        event = data_on_chain.events.UserEncryptedStringValue().process_receipt(receipt)[0]
        assert alice.decrypt_string(event.args.value) == text
        state = data_on_chain.functions.getUserSomeEncryptedStringEncryptedInput().call()
        assert alice.decrypt_string(as_tuple(state)) == text


def set_clear_value(user, contract, value):
    receipt = user.transact(contract.functions.setSomeEncryptedValue(value))
    assert receipt.status == 1
    return receipt


def set_encrypted_value(user, contract, value):
    sent = user.encrypt(value, contract, SET_ENCRYPTED_INPUT)
    call = contract.functions.setSomeEncryptedValueEncryptedInput(sent["ciphertext"], sent["signature"])
    receipt = user.transact(call)
    assert receipt.status == 1
    return sent["ciphertext"], receipt


def copied(user, contract, ciphertext):
    assert user.transact(contract.functions.setNetworkSomeEncryptedValue(ciphertext)).status == 1


def network_value(contract):
    return contract.functions.getNetworkSomeEncryptedValue().call()


def user_value(contract):
    return contract.functions.getUserSomeEncryptedValue().call()


def arithmetic_result(contract):
    return contract.functions.getUserArithmeticResult().call()


def as_tuple(state):
    """The SDK wants the struct as a tuple; web3 gives the only member of it, or the tuple, by version."""
    return state if isinstance(state, tuple) else (state,)

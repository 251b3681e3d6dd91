#!/usr/bin/env bash
# Runs the Python suite against the node at CLOISTER_RPC, in a virtual environment of its own.
set -euo pipefail
cd "$(dirname "$0")"
if ! cmp -s requirements.txt .venv/requirements.txt; then
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt .venv/requirements.txt
fi
exec .venv/bin/python -m pytest "$@"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails where a source is not as `make format` would leave it, or breaks a rule of .swift-format.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/help.sh"
help_of "${BASH_SOURCE[0]}" "$@"
takes_nothing "${BASH_SOURCE[0]}" "$@"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! swift format lint --strict --recursive --parallel Sources Tests Package.swift; then
    echo "error: 'make format' mends most of this" >&2
    exit 1
fi
echo "format: fine"

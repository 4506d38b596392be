# SPDX-License-Identifier: Apache-2.0
include tests/fuzz/module.mk

conformance: all ## compare with what AWS was recorded to answer, write docs/conformance.md (UPDATE=1: and expected.json)
	@tests/conformance/run.sh

.PHONY: conformance

# SPDX-License-Identifier: Apache-2.0
include tests/fuzz/module.mk

conformance: all ## compare with what AWS was recorded to answer, write docs/conformance.md (UPDATE=1: and expected.json)
	@tests/conformance/run.sh

test-streaming: all ## streamed answers of AWS's 200 MiB (in `make test` they have 64)
	@cd tests && HEARTH_TEST_STREAM_MIB=200 ../build/venv/bin/python -m pytest -q -s integration/test_streaming.py

.PHONY: conformance test-streaming

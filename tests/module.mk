# SPDX-License-Identifier: Apache-2.0
include tests/fuzz/module.mk
include tests/history/module.mk
include tests/ledger/module.mk

conformance: all ## compare with what AWS was recorded to answer, write docs/conformance.md (UPDATE=1: and expected.json)
	@tests/conformance/run.sh

long-faults: all ## random operations and kills for minutes each, where `make test` takes seconds (LONG=seconds)
	@$(MAKE) -s SANITIZE=address,undefined $(BUILD)/san-address-undefined/tests/controller/world_test BUILD=$(BUILD)/san-address-undefined
	@HEARTH_WORLD_SECONDS=$(or $(LONG),60) $(BUILD)/san-address-undefined/tests/controller/world_test
	@cd tests && HEARTH_KILL_SECONDS=$(or $(LONG),120) ../build/venv/bin/python -m pytest -q -s faults/test_kill_controller.py

check-model: ## the permit protocol: all states of its models, and variants that must fail
	@tests/model/check.sh $(BUILD)/model

test-streaming: all ## streamed answers of AWS's 200 MiB (in `make test` they have 64)
	@cd tests && HEARTH_TEST_STREAM_MIB=200 ../build/venv/bin/python -m pytest -q -s integration/test_streaming.py

check-cgroup-v2: all sandbox-tools $(BUILD)/samples/c-bootstrap ## sandboxes on real kernels with cgroup version 2 only, in qemu: many minutes (MODES="plain systemd old")
	@tests/vm/run.sh $(MODES)

.PHONY: check-cgroup-v2 check-model conformance long-faults test-streaming

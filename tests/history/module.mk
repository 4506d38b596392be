# SPDX-License-Identifier: Apache-2.0
# tests/history: what the permit protocol promises, on real processes.
HISTORY_TOOLS := $(BUILD)/history/recorder $(BUILD)/history/load $(BUILD)/history/runtime
$(BUILD)/history/%: tests/history/%.c tests/history/wire.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g $(WARN) -static -o $@ $<

check-history: all $(HISTORY_TOOLS) ## concurrency limits of four gateways and three invokers, with faults: three minutes (SEED=n)
	@HEARTH_TEST_BUILD=$(abspath $(BUILD)) tests/history/run.sh short $(if $(SEED),--seed $(SEED))

check-split: all $(HISTORY_TOOLS) ## the same while everything is parted in two, each side with a Redis: a minute (SEED=n)
	@HEARTH_TEST_BUILD=$(abspath $(BUILD)) tests/history/run.sh split $(if $(SEED),--seed $(SEED))

chaos: check-split ## the same for as long as you like (SEED=n, CHAOS_SECONDS=3600)
	@HEARTH_TEST_BUILD=$(abspath $(BUILD)) tests/history/run.sh long --longest 25 --seconds $(or $(CHAOS_SECONDS),3600) $(if $(SEED),--seed $(SEED))

.PHONY: check-history check-split chaos

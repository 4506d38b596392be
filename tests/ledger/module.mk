# SPDX-License-Identifier: Apache-2.0
CHECK_LEDGER_OBJ := $(call obj,$(wildcard tests/ledger/*.c) $(filter-out %_test.c,$(wildcard controller/permits/ledger*.c)) controller/store/docs.c)
$(BUILD)/tests/ledger/check_ledger: $(CHECK_LEDGER_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CMOCKA) $(LDLIBS)

check-ledger: $(BUILD)/tests/ledger/check_ledger ## the ledger of permits: a million random steps against a model, and scripts without a guard (SEED=, STEPS=)
	@$< $(addprefix --seed ,$(SEED)) $(addprefix --steps ,$(STEPS))

-include $(patsubst %.o,%.d,$(call obj,$(wildcard tests/ledger/*.c)))
.PHONY: check-ledger

# SPDX-License-Identifier: Apache-2.0
# invoker: the function logs as a program of their own, and a consumer, for tests/integration/test_kafka_logs.py.
LOG_DRIVER_OBJ := $(call obj,tests/integration/log_driver.c \
	$(filter-out %_test.c invoker/log_rpc.c,$(wildcard invoker/log*.c)) \
	$(filter-out %_test.c,$(wildcard common/base/*.c)) \
	common/proto/log_record.c common/io/loop.c common/io/timer_heap.c common/io/kafka.c)
$(BUILD)/tests/log-driver: $(LOG_DRIVER_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/kafka-consumer: $(call obj,tests/integration/kafka/consumer.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

log-tools: $(BUILD)/tests/log-driver $(BUILD)/tests/kafka-consumer ## what the test of the function logs runs

-include $(patsubst %.o,%.d,$(LOG_DRIVER_OBJ) $(call obj,tests/integration/kafka/consumer.c))
.PHONY: log-tools

# SPDX-License-Identifier: Apache-2.0
# invoker: the function logs as a program of their own, and a consumer, for tests/integration/test_kafka_logs.py.
LOG_DRIVER_OBJ := $(call obj,tests/integration/log_driver.c \
	$(filter-out %_test.c invoker/log_rpc.c,$(wildcard invoker/log*.c)) \
	$(filter-out %_test.c,$(wildcard common/base/*.c)) \
	common/model/fn_log_level.c common/proto/log_record.c common/proto/log_line_level.c common/io/loop.c common/io/timer_heap.c common/io/kafka.c)
$(BUILD)/tests/log-driver: $(LOG_DRIVER_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/kafka-consumer: $(call obj,tests/integration/kafka/consumer.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

log-tools: $(BUILD)/tests/log-driver $(BUILD)/tests/kafka-consumer ## what the test of the function logs runs

-include $(patsubst %.o,%.d,$(LOG_DRIVER_OBJ) $(call obj,tests/integration/kafka/consumer.c))
.PHONY: log-tools

# invoker: the launcher as a program of its own, and its function, for tests/integration/test_sandboxes.py.
SANDBOX_DRIVER_OBJ := $(call obj,tests/integration/sandbox/driver.c $(filter-out invoker/main.c,$(call prog_src,invoker)))
$(BUILD)/tests/sandbox-driver: $(SANDBOX_DRIVER_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NFT_LIBS) $(LDLIBS)

# runs in a sandbox: static and never sanitized, as hearth-init
$(BUILD)/tests/sandbox-function: tests/integration/sandbox/function.c
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g0 $(WARN) -static -o $@ $<

# runs in a sandbox too, and tries to leave it
ESCAPE_SRC := $(wildcard tests/integration/escape/*.c)
$(BUILD)/tests/escape: $(ESCAPE_SRC) tests/integration/escape/escape.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -O2 -g0 $(WARN) -static -o $@ $(ESCAPE_SRC)

check-escape: all $(BUILD)/tests/escape ## a function that tries to get out of its sandbox in every way it knows
	@cd tests && ../build/venv/bin/python -m pytest -q integration/test_escape.py

sandbox-tools: $(BUILD)/tests/sandbox-driver $(BUILD)/tests/sandbox-function $(BUILD)/hearth-init ## what the test of sandboxes runs

-include $(patsubst %.o,%.d,$(SANDBOX_DRIVER_OBJ))
.PHONY: sandbox-tools check-escape

# invoker: a sandbox's HTTP face as a program of its own, for tests/conformance/test_recorded_runtime.py.
FACE_DRIVER_OBJ := $(call obj,tests/integration/sandbox/face_driver.c \
	invoker/runtime_face.c invoker/runtime_api.c invoker/extension_face.c invoker/extension_api.c \
	$(filter-out %_test.c,$(wildcard common/base/*.c)) \
	common/proto/extension_register.c common/proto/telemetry_subscription.c common/proto/http1.c \
	$(addprefix common/io/,http_body.c http_conn.c http_reply.c http_server.c http_small.c loop.c timer_heap.c))
$(BUILD)/tests/face-driver: $(FACE_DRIVER_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

face-tools: $(BUILD)/tests/face-driver ## what the replay of the Runtime API's recordings runs

-include $(patsubst %.o,%.d,$(FACE_DRIVER_OBJ))
.PHONY: face-tools

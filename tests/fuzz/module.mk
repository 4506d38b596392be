# SPDX-License-Identifier: Apache-2.0
# Fuzzing: tests/fuzz/fuzz_NAME.c holds LLVMFuzzerTestOneInput() for one parser of foreign bytes.
#   tests/fuzz/corpus/NAME/   small seeds (optional)      tests/fuzz/NAME.dict   words (optional)
#   FUZZ_SRC_NAME             sources it needs beyond the pure layers, e.g. common/io/redis_url.c
# What a run finds stays in $(FUZZ)/corpus/NAME; an input that breaks something is
# $(FUZZ)/crash-NAME-*, and `$(FUZZ)/fuzz_NAME FILE` runs it again.
FUZZ := $(BUILD)/fuzz
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 30
FUZZ_SAN := address,undefined
FUZZ_FLAGS := -O1 -g $(WARN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIB_SRC := $(foreach l,base model proto,$(filter-out %_test.c,$(wildcard common/$(l)/*.c)))
FUZZ_LIB := $(FUZZ)/libpure.a
FUZZ_LIBS = $(shell pkg-config --libs libuv libcjson libpcre2-8 libcrypto libssl libarchive zlib)
FUZZ_SRC_link := $(addprefix common/io/,link.c link_io.c link_server.c link_stream.c link_tls.c loop.c timer_heap.c)
FUZZ_SRC_http_small := $(addprefix common/io/,http_body.c http_conn.c http_reply.c http_server.c http_small.c loop.c timer_heap.c)
FUZZ_SRC_code_signature := controller/code/code_signature.c
FUZZ_SRC_permit_wire := controller/permits/permit_wire.c
fuzz_obj = $(patsubst %.c,$(FUZZ)/obj/%.o,$(1))

$(FUZZ)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -D_GNU_SOURCE -I. $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SAN) \
		-include common/base/banned.h -MMD -MP -c -o $@ $<

$(FUZZ_LIB): $(call fuzz_obj,$(FUZZ_LIB_SRC))
	$(Q)rm -f $@ && ar rcs $@ $^

define fuzz_target
$(FUZZ)/fuzz_$(1): $(call fuzz_obj,tests/fuzz/fuzz_$(1).c $(FUZZ_SRC_$(1))) $(FUZZ_LIB)
	$$(Q)$$(FUZZ_CC) -fsanitize=fuzzer,$$(FUZZ_SAN) -o $$@ $$^ $$(FUZZ_LIBS)

fuzz-$(1): $(FUZZ)/fuzz_$(1)
	@mkdir -p $(FUZZ)/corpus/$(1)
	@echo "fuzz: $(1) for $$(FUZZ_SECONDS) s"
	@if ! $$< -max_total_time=$$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(FUZZ)/crash-$(1)- $(addprefix -dict=,$(wildcard tests/fuzz/$(1).dict)) \
		$(FUZZ)/corpus/$(1) $(wildcard tests/fuzz/corpus/$(1)) >$(FUZZ)/$(1).log 2>&1; then \
		tail -40 $(FUZZ)/$(1).log; echo "fuzz: $(1) FAILED, see $(FUZZ)/$(1).log"; exit 1; fi
	@grep -E 'number_of_executed_units|new_units_added' $(FUZZ)/$(1).log | sed 's/^stat::/  /'

.PHONY: fuzz-$(1)
endef
$(foreach n,$(FUZZ_NAMES),$(eval $(call fuzz_target,$(n))))

fuzz: $(addprefix fuzz-,$(FUZZ_NAMES)) ## every parser of foreign bytes, FUZZ_SECONDS (30) each; fuzz-NAME: one

-include $(patsubst %.o,%.d,$(call fuzz_obj,$(FUZZ_LIB_SRC) $(wildcard tests/fuzz/fuzz_*.c common/io/*.c)))

.PHONY: fuzz

# SPDX-License-Identifier: Apache-2.0
# Hearth: one plain GNU makefile. `make help` lists the targets.
-include config.mak

ifeq ($(origin CC),default)
CC := gcc
endif
# V=1 shows the commands
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)")
BUILD ?= build$(if $(SANITIZE),/san-$(subst $(comma),-,$(SANITIZE)))
comma := ,
PKGS := libuv libcurl hiredis rdkafka libcjson libpcre2-8 libcrypto libssl libarchive zlib

CPPFLAGS += -D_GNU_SOURCE -I. $(shell pkg-config --cflags $(PKGS) libwebsockets 2>/dev/null)
CFLAGS ?= $(if $(SANITIZE),-O1,-O2) -g
WARN := -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Werror
HARDEN := -fstack-protector-strong -fno-omit-frame-pointer -fPIE
CFLAGS += $(WARN) $(HARDEN)
LDFLAGS += -pie -Wl,-z,relro,-z,now
LDLIBS = $(shell pkg-config --libs $(PKGS)) -lpthread -lm
LWS_LIBS = $(shell pkg-config --libs libwebsockets)
# the invoker's packet filter
NFT_LIBS = $(shell pkg-config --libs libnftables)
ifdef SANITIZE
CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=$(SANITIZE)
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
# places where tests make things fail: always there under sanitizers, never in what is installed
ifneq ($(FAULT_POINTS)$(SANITIZE),)
CPPFLAGS += -DHEARTH_FAULT_POINTS
endif

LAYERS := base model proto io
LIB_SRC := $(foreach l,$(LAYERS),$(filter-out %_test.c,$(wildcard common/$(l)/*.c)))
PROGRAMS := gateway controller invoker cli
prog_src = $(filter-out %_test.c,$(wildcard $(1)/*.c $(1)/*/*.c))
TEST_SRC := $(wildcard common/*/*_test.c $(foreach p,$(PROGRAMS),$(p)/*_test.c $(p)/*/*_test.c))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

LIB := $(BUILD)/libhearth.a
BINARIES := $(BUILD)/hearth-gateway $(BUILD)/hearth-controller $(BUILD)/hearth-invoker $(BUILD)/hearth $(BUILD)/hearth-init

.DEFAULT_GOAL := all
all: $(BINARIES) ## build all programs

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC  $<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -include common/base/banned.h -MMD -MP -c -o $@ $<

$(LIB): $(call obj,$(LIB_SRC))
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/hearth-gateway: $(call obj,$(call prog_src,gateway)) $(LIB)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LWS_LIBS) $(LDLIBS)
$(BUILD)/hearth-controller: $(call obj,$(call prog_src,controller)) $(LIB)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/hearth-invoker: $(call obj,$(call prog_src,invoker)) $(LIB)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NFT_LIBS) $(LDLIBS)
$(BUILD)/hearth: $(call obj,$(call prog_src,cli)) $(LIB)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# PID 1 of a sandbox: static, no libraries of ours, never sanitized (it runs in foreign images)
INIT_SRC := $(filter-out %_test.c,$(wildcard images/init/*.c)) common/proto/init_wire.c
$(BUILD)/hearth-init: $(INIT_SRC) $(wildcard images/init/*.h) common/proto/init_wire.h
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -O2 -g0 $(WARN) -include common/base/banned.h -static -o $@ $(INIT_SRC)

# ---- unit tests: foo_test.c beside foo.c, one program each; a program's test links its objects but main.o
TESTS := $(patsubst %.c,$(BUILD)/tests/%,$(TEST_SRC))
CMOCKA = $(shell pkg-config --libs cmocka)
# a layer's tests link that layer and those before it, nothing else
define layer_test
$(BUILD)/tests/common/$(1)/%: $(BUILD)/obj/common/$(1)/%.o $(call obj,$(foreach l,$(2),$(filter-out %_test.c,$(wildcard common/$(l)/*.c))))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(CMOCKA) $$(if $(filter io,$(1)),$$(LWS_LIBS)) $$(LDLIBS)
endef
$(eval $(call layer_test,base,base))
$(eval $(call layer_test,model,base model))
$(eval $(call layer_test,proto,base model proto))
$(eval $(call layer_test,io,base model proto io))
define prog_test
$(BUILD)/tests/$(1)/%: $(BUILD)/obj/$(1)/%.o $(filter-out %/main.o,$(call obj,$(call prog_src,$(1)))) $(LIB)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(CMOCKA) $$(LWS_LIBS) $$(if $(filter invoker,$(1)),$$(NFT_LIBS)) $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call prog_test,$(p))))

check: $(TESTS) ## unit tests (seconds)
	@scripts/run-unit-tests.sh $(TESTS)

check-layers: ## includes only point to earlier layers, programs never include one another
	@scripts/check-layers.sh

check-headers: ## each header compiles alone
	@scripts/check-headers.sh "$(CC)" "$(CPPFLAGS) $(filter-out -Werror,$(WARN)) -Werror"

check-threads: $(BUILD)/tests/common/io/loop_test ## what uses threads, for SANITIZE=thread
	@$<

run: ## set up, build, start Hearth, deploy and invoke a sample function; stays up
	@scripts/run.sh

test: ## set up and run everything that must hold
	@scripts/test.sh

docs: all ## write docs/configuration.md from the programs' own tables
	@scripts/configuration-docs.sh $(BUILD) > docs/configuration.md

check-docs: all ## docs/configuration.md says what the programs say
	@scripts/configuration-docs.sh $(BUILD) | diff -u docs/configuration.md - || { echo "run: make docs"; exit 1; }

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 22

clean: ## remove what was built
	rm -rf build

include $(wildcard */module.mk)
-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRC) $(foreach p,$(PROGRAMS),$(call prog_src,$(p))) $(TEST_SRC)))

.PHONY: all check check-layers check-headers check-threads check-docs docs run test help clean
.SECONDARY:

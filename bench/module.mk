# SPDX-License-Identifier: Apache-2.0
BENCH_TOOLS := $(BUILD)/bench/reference_gateway $(BUILD)/bench/http_load $(BUILD)/bench/malloc_count.so
$(BUILD)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -std=gnu11 -Wall -Wextra -o $@ $<
$(BUILD)/bench/malloc_count.so: bench/malloc_count.c
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g -std=gnu11 -Wall -Wextra -fPIC -shared -o $@ $<

bench: all $(BENCH_TOOLS) $(BUILD)/samples/c-bootstrap ## measure, pairwise in one go; prints figure=… lines
	@bench/run.sh

$(BUILD)/bench/link_bench: $(call obj,bench/link_bench.c) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-link: $(BUILD)/bench/link_bench ## what a round trip over a link costs
	@$<

SANDBOX_BENCH_OBJ := $(call obj,bench/sandbox_bench.c $(filter-out invoker/main.c,$(call prog_src,invoker)))
$(BUILD)/bench/sandbox_bench: $(SANDBOX_BENCH_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NFT_LIBS) $(LDLIBS)

# runs in a sandbox: static
$(BUILD)/bench/holding_runtime: bench/holding_runtime.c
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -g0 -std=gnu11 -Wall -Wextra -static -o $@ $<

bench-sandboxes: all $(BUILD)/bench/sandbox_bench $(BUILD)/bench/holding_runtime $(BUILD)/samples/c-bootstrap ## what a cold start costs, by phase and launcher
	@bench/run.sh sandboxes

bench-freezing: all $(BUILD)/samples/c-bootstrap ## what it costs to freeze idle functions and to thaw them
	@bench/run.sh freezing

bench-functions: all ## what operations cost with 1,000, 10,000 and 100,000 functions; minutes
	@bench/run.sh functions

KEEP_ALIVE_OBJ := $(call obj,bench/keep_alive_sim.c invoker/keep_alive.c)
$(BUILD)/bench/keep_alive_sim: $(KEEP_ALIVE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-keep-alive: $(BUILD)/bench/keep_alive_sim ## keep-alive policies on a trace: TRACE=folder with invocations.csv and memory.csv
	@test -n "$(TRACE)" || { echo "bench-keep-alive: name the trace: make bench-keep-alive TRACE=folder"; exit 1; }
	@$< $(TRACE)/invocations.csv $(TRACE)/memory.csv

PERMITS_BENCH_OBJ := $(call obj,bench/permits_bench.c gateway/leases.c gateway/lease_pool.c $(filter-out %_test.c,$(wildcard controller/permits/ledger*.c)))
$(BUILD)/bench/permits_bench: $(PERMITS_BENCH_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CMOCKA) $(LDLIBS)

LEASE_BENCH_OBJ := $(call obj,bench/lease_bench.c gateway/admission.c gateway/leases.c gateway/lease_pool.c)
$(BUILD)/bench/lease_bench: $(LEASE_BENCH_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-permits: $(BUILD)/bench/permits_bench $(BUILD)/bench/lease_bench ## what a permit costs through leases, against a script for each
	@$(BUILD)/bench/permits_bench
	@$(BUILD)/bench/lease_bench

PLACEMENT_OBJ := $(call obj,$(filter-out %_test.c,$(wildcard gateway/placement*.c)))
PLACEMENT_BENCHES := $(BUILD)/bench/placement_cost $(BUILD)/bench/placement_sim
$(PLACEMENT_BENCHES): $(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(PLACEMENT_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-placement: $(PLACEMENT_BENCHES) ## what a placement decision costs with 10 to 10,000 nodes, and how good it is
	@$(BUILD)/bench/placement_cost
	@$(BUILD)/bench/placement_sim

bench-programs: $(BENCH_TOOLS) $(PLACEMENT_BENCHES) $(addprefix $(BUILD)/bench/,link_bench sandbox_bench holding_runtime keep_alive_sim permits_bench lease_bench) ## all that benches run

-include $(patsubst %.o,%.d,$(call obj,bench/placement_cost.c bench/placement_sim.c bench/permits_bench.c bench/lease_bench.c bench/sandbox_bench.c bench/link_bench.c bench/keep_alive_sim.c))
.PHONY: bench bench-programs bench-placement bench-freezing bench-keep-alive bench-link bench-functions bench-permits bench-sandboxes

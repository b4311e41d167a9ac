# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# The policy: reading any text, and deciding by image and by interpreter alike.
FUZZERS += policy
POLICY_SRCS := $(wildcard $(TOP)/policy/*.c)

$(B)/policy_fuzz: $(HERE)/policy_fuzz.c $(HERE)/fuzz.h $(POLICY_SRCS) $(wildcard $(TOP)/policy/*.h) $(TOP)/bpf/match.h $(TOP)/bpf/flow.h $(TOP)/include/uapi/smc_ulp_policy.h
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -D_GNU_SOURCE -I$(TOP) -I$(TOP)/include -I$(TOP)/bpf -o $@ $< $(POLICY_SRCS) -lyaml

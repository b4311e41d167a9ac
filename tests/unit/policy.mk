# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# The policy library, the compiled image and the matcher the BPF programs use.
POLICY := diag load parse spans glob check policy eval print compile image
POLICY_TESTS := test_policy test_policy_match
POLICY_OBJS := $(POLICY:%=$(B)/policy/%.o)
TESTS += $(POLICY_TESTS)

$(B)/policy/%.o $(POLICY_TESTS:%=$(B)/%.o): UNIT_CFLAGS += -D_GNU_SOURCE -I$(TOP) -I$(TOP)/include -I$(TOP)/bpf

$(B)/policy/%.o: $(TOP)/policy/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -c -o $@ $<

$(POLICY_TESTS:%=$(B)/%): $(B)/%: $(B)/%.o $(POLICY_OBJS)
	$(CC) $(UNIT_CFLAGS) -o $@ $^ $(UNIT_LIBS) -lyaml

-include $(wildcard $(B)/policy/*.d)

# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# What of the loader needs no kernel: a container's state, globs of cgroups.
LOADER := oci glob
LOADER_TESTS := test_loader
TESTS += $(LOADER_TESTS)

$(B)/loader/%.o $(LOADER_TESTS:%=$(B)/%.o): UNIT_CFLAGS += -D_GNU_SOURCE -I$(TOP) -I$(TOP)/include -I$(TOP)/bpf

$(B)/loader/%.o: $(TOP)/loader/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -c -o $@ $<

$(LOADER_TESTS:%=$(B)/%): $(B)/%: $(B)/%.o $(LOADER:%=$(B)/loader/%.o) $(B)/policy/glob.o
	$(CC) $(UNIT_CFLAGS) -o $@ $^ $(UNIT_LIBS) -ljansson

-include $(wildcard $(B)/loader/*.d)

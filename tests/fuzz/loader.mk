# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# The loader: what a container runtime sends a hook.
FUZZERS += oci

$(B)/oci_fuzz: $(HERE)/oci_fuzz.c $(HERE)/fuzz.h $(TOP)/loader/oci.c $(TOP)/loader/oci.h
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -I$(TOP) -o $@ $< $(TOP)/loader/oci.c -ljansson

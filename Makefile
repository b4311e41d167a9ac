# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# Thin: each target installs what it needs (scripts/install-deps) and calls the part
# that knows how. `make help` lists them.

include version.mk

KVER ?= 6.12
SCRIPT ?= tests/vm/cases/smoke.sh
need = @scripts/install-deps

.DEFAULT_GOAL := all
.PHONY: all kmod bpf loader policy tools test-unit fuzz check check-debug demo bench bench-policy \
	style layers vm deb check-deb clean install help

all: kmod bpf loader		## the modules for KVER (default 6.12), the BPF programs and the loader

kmod:				## the kernel modules: KVER=6.1|6.12|7.2|all|debug|host, KDIR=headers
	$(need) build vm
	@scripts/build-kmod $(KVER) $(if $(KDIR),KDIR=$(KDIR))

bpf:				## the BPF programs
	$(need) build
	@$(MAKE) --no-print-directory -C bpf

policy:				## the policy library
	$(need) build
	@$(MAKE) --no-print-directory -C policy

loader: bpf policy		## smc-ulp-loader
	@$(MAKE) --no-print-directory -C loader

tools:				## the programs that tests run in guests
	$(need) build
	@$(MAKE) --no-print-directory -C tests/tools

test-unit:			## unit tests, on this machine, no root
	$(need) build
	@$(MAKE) --no-print-directory -C tests/unit check

fuzz:				## the fuzzers, for long: SECONDS=each
	$(need) build
	@$(MAKE) --no-print-directory -C tests/fuzz long $(if $(SECONDS),LONG_SECONDS=$(SECONDS))

check:				## all tests, in under 20 minutes: K=pattern, KVER=6.1|7.2|all
	$(need) build vm demo
	@tests/check $(if $(K),-k '$(K)') $(if $(filter command environment,$(origin KVER)),--kernel $(KVER))

check-debug:			## the cases on a kernel with KASAN, lockdep and kmemleak
	$(need) build vm demo debug
	@tests/check --debug $(if $(K),-k '$(K)')

demo:				## unmodified programs moved to SMC-R
	$(need) build vm demo
	@tests/demo/run $(ARGS)

bench:				## measurements, in virtual time
	$(need) build vm bench
	@tests/bench/run $(ARGS)

bench-policy:			## what a decision costs by the number of rules, and its memory
	$(need) build vm
	@tests/bench/policy $(ARGS)

style:				## checkpatch, kernel-doc, sparse, shellcheck, codespell, layers
	$(need) build vm style
	@scripts/check-style

layers:				## does each file include only what kmod/LAYERS lets it
	$(need) build
	@scripts/check-layers

vm:				## run one script in guests: SCRIPT=, ARGS=, VM=options of tests/vm/run
	$(need) vm
	@tests/vm/run --kernel $(KVER) $(VM) $(SCRIPT) $(ARGS)

deb:				## Debian packages: smc-ulp-dkms and smc-ulp-tools
	$(need) build deb
	@scripts/build-deb

check-deb: deb			## the packages in fresh roots of bookworm and trixie: install, upgrade, purge
	$(need) root
	@tests/packages/check $(ARGS)

install: loader			## modules for the running kernel, modprobe.d, and the loader
	$(need) build
	@scripts/build-kmod host
	install -d $(DESTDIR)/lib/modules/$$(uname -r)/updates
	install -m 644 build/kmod/host/smc_ulp.ko build/kmod/host/smc_ulp_bpf.ko $(DESTDIR)/lib/modules/$$(uname -r)/updates/
	$(if $(DESTDIR),,depmod -a)
	install -D -m 644 etc/modprobe.d/smc-ulp.conf $(DESTDIR)/etc/modprobe.d/smc-ulp.conf
	@$(MAKE) --no-print-directory -C loader install

clean:				## what was compiled; fetched kernels stay (rm -r build for all)
	rm -rf build/kmod build/tools build/unit build/fuzz build/vm build/bpf build/loader build/policy build/examples build/tests-loader build/deb

help:				## this list
	@echo "smc-ulp $(VERSION)"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1@\2/p' Makefile | \
		while IFS=@ read -r t h; do printf '  %-14s %s\n' "$$t" "$$h"; done

# SPDX-License-Identifier: GPL-2.0
# What do this kernel's headers have? SMCU_HAVE_* for compat/, found by looking for the text itself: distributions carry changes back,
# so a version says little. In patterns a dot stands for what make would take for itself. Included by each Kbuild; compat/include
# comes before the kernel's own folders, for #include_next.
smcu-compat := $(src)/$(SMCU_TO_KMOD)compat
smcu-have = $(if $(shell grep -qE '$(3)' $(srctree)/include/$(2) && echo y),-DSMCU_HAVE_$(1))

smcu-features := $(call smcu-have,SOCKADDR_UNSIZED,linux/socket.h,^struct sockaddr_unsized)
smcu-features += $(call smcu-have,PROTO_ACCEPT_ARG,net/sock.h,^struct proto_accept_arg)
smcu-features += $(call smcu-have,IOCTL_KARG,net/sock.h,int .karg.;)
smcu-features += $(call smcu-have,RECVMSG_SHORT,net/sock.h,^[[:space:]]+size_t len. int flags.;)
smcu-features += $(call smcu-have,SENDPAGE,net/sock.h,.[*]sendpage..)
smcu-features += $(call smcu-have,INET_TEST_BIT,net/inet_sock.h,define inet_test_bit)
smcu-features += $(call smcu-have,MEM_CGROUP_FROM_SK,net/sock.h,mem_cgroup_from_sk.const)
smcu-features += $(call smcu-have,MEM_CGROUP_TRYGET,linux/memcontrol.h,bool mem_cgroup_tryget.struct)
smcu-features += $(call smcu-have,SK_WAKE_ASYNC_RCU,net/sock.h,void sk_wake_async_rcu)
smcu-features += $(call smcu-have,ZEROCOPY_DEVMEM,linux/skbuff.h,struct ubuf_info .uarg. bool devmem)
smcu-features += $(call smcu-have,SYSCTL_SZ,net/net_namespace.h,register_net_sysctl_sz)
smcu-features += $(call smcu-have,SYSCTL_CONST,linux/sysctl.h,proc_handler.const struct ctl_table)
smcu-features += $(call smcu-have,DMA_DEV_NEED_SYNC,linux/dma-mapping.h,bool dma_dev_need_sync)

LINUXINCLUDE := -I$(smcu-compat)/include $(LINUXINCLUDE)
ccflags-y += $(smcu-features) -include $(smcu-compat)/compat.h

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.10, "dma: avoid redundant calls for sync operations": behind an IOMMU only what has to be synced is. Before, dma_need_sync()
 * said so of everything there, coherent or not; memory is copied only for devices that are not trusted.
 */
#ifndef SMCU_COMPAT_LINUX_DMA_MAPPING_H
#define SMCU_COMPAT_LINUX_DMA_MAPPING_H

#include_next <linux/dma-mapping.h>

#ifndef SMCU_HAVE_DMA_DEV_NEED_SYNC
#include <linux/dma-map-ops.h>
#include <linux/iommu.h>
#include <linux/pci.h>

static inline bool smcu_dma_need_sync(struct device *dev, dma_addr_t addr)
{
	const struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (domain && domain->type & __IOMMU_DOMAIN_DMA_API)
		return !dev_is_dma_coherent(dev) || (dev_is_pci(dev) && to_pci_dev(dev)->untrusted);
	return dma_need_sync(dev, addr);
}

#define dma_need_sync smcu_dma_need_sync
#endif

#endif

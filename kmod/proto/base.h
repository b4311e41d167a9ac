/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only header of proto/ that knows whether it is compiled into the module, a unit test or a fuzzer.
 *
 * Everything in proto/ is pure: no allocation, no lock, no sleep, no log, no clock; so every function may be
 * called in any context, and their descriptions do not repeat it. Wire integers are read and
 * written byte by byte, so neither alignment nor the byte order of the machine matters.
 */
#ifndef SMCU_PROTO_BASE_H
#define SMCU_PROTO_BASE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#ifndef static_assert
#define static_assert _Static_assert
#endif
#endif

/**
 * smcu_get_be16() - a number of the wire, most significant byte first
 * @p: 2 bytes
 *
 * Return: in host order
 */
static inline u16 smcu_get_be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

/**
 * smcu_get_be24() - a number of the wire, most significant byte first
 * @p: 3 bytes
 *
 * Return: in host order
 */
static inline u32 smcu_get_be24(const u8 *p)
{
	return (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
}

/**
 * smcu_get_be32() - a number of the wire, most significant byte first
 * @p: 4 bytes
 *
 * Return: in host order
 */
static inline u32 smcu_get_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/**
 * smcu_get_be64() - a number of the wire, most significant byte first
 * @p: 8 bytes
 *
 * Return: in host order
 */
static inline u64 smcu_get_be64(const u8 *p)
{
	return (u64)smcu_get_be32(p) << 32 | smcu_get_be32(p + 4);
}

/**
 * smcu_put_be16() - a number for the wire, most significant byte first
 * @p: 2 bytes
 * @v: in host order
 */
static inline void smcu_put_be16(u8 *p, u16 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

/**
 * smcu_put_be24() - a number for the wire, most significant byte first
 * @p: 3 bytes
 * @v: in host order; the upper 8 bits are not written
 */
static inline void smcu_put_be24(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 16);
	p[1] = (u8)(v >> 8);
	p[2] = (u8)v;
}

/**
 * smcu_put_be32() - a number for the wire, most significant byte first
 * @p: 4 bytes
 * @v: in host order
 */
static inline void smcu_put_be32(u8 *p, u32 v)
{
	smcu_put_be16(p, (u16)(v >> 16));
	smcu_put_be16(p + 2, (u16)v);
}

/**
 * smcu_put_be64() - a number for the wire, most significant byte first
 * @p: 8 bytes
 * @v: in host order
 */
static inline void smcu_put_be64(u8 *p, u64 v)
{
	smcu_put_be32(p, (u32)(v >> 32));
	smcu_put_be32(p + 4, (u32)v);
}

#endif

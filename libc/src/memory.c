/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* memcpy, memmove and memset by wasm's bulk instructions; short ones by a loop, because an engine may
 * make a call of its own out of each instruction. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHORT 32

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	if (size > SHORT) {
		__asm__ volatile("local.get %0\n local.get %1\n local.get %2\n memory.copy 0, 0"
			: : "r"(to), "r"(from), "r"(size) : "memory");
		return to;
	}
	unsigned char *t = to;
	const unsigned char *f = from;
	#pragma clang loop vectorize(disable) unroll(disable)
	for (; size >= 8; size -= 8, t += 8, f += 8) {
		uint64_t word;
		__builtin_memcpy_inline(&word, f, 8);
		__builtin_memcpy_inline(t, &word, 8);
	}
	#pragma clang loop vectorize(disable) unroll(disable)
	while (size--) *t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	__asm__ volatile("local.get %0\n local.get %1\n local.get %2\n memory.copy 0, 0"
		: : "r"(to), "r"(from), "r"(size) : "memory");
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	if (size > SHORT) {
		__asm__ volatile("local.get %0\n local.get %1\n local.get %2\n memory.fill 0"
			: : "r"(to), "r"(byte), "r"(size) : "memory");
		return to;
	}
	unsigned char *t = to;
	uint64_t word = (unsigned char)byte * 0x0101010101010101ull;
	#pragma clang loop vectorize(disable) unroll(disable)
	for (; size >= 8; size -= 8, t += 8) __builtin_memcpy_inline(t, &word, 8);
	#pragma clang loop vectorize(disable) unroll(disable)
	while (size--) *t++ = byte;
	return to;
}

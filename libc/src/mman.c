/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Memory inside the process: the range above the program's data is handed out in pages of 4 KiB.
 * Free ranges are a list in address order, kept in their own first bytes. Protection is not enforced. */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "syscall.h"
#include "lock.h"
#include "skerry.h"

#define PAGE 4096u
#define WASM_PAGE 65536u
#define UP(x) (((x) + PAGE - 1) & -PAGE)

struct hole {
	struct hole *next;
	size_t size;
};

extern char __heap_base;

static volatile int lock[1];
static struct hole *holes;
static uintptr_t top;    /* nothing is handed out from here on */
static uintptr_t dirty;  /* from here on, memory is still zero */

const struct file_hooks *__skerry_file_hooks;

void __skerry_mm_lock(void)
{
	LOCK(lock);
}

void __skerry_mm_unlock(void)
{
	UNLOCK(lock);
}

static uintptr_t lowest(void)
{
	return UP((uintptr_t)&__heap_base);
}

/* Makes sure that the memory reaches `end`; grows in steps so that small requests do not. */
static int reach(uintptr_t end)
{
	uintptr_t pages = __builtin_wasm_memory_size(0);
	if ((end - 1) / WASM_PAGE < pages) return 0;
	size_t need = (end - 1) / WASM_PAGE + 1 - pages;
	size_t spare = pages / 8 < 64 ? pages / 8 : 64;
	if (__builtin_wasm_memory_grow(0, need + spare) != (size_t)-1) return 0;
	if (__builtin_wasm_memory_grow(0, need) != (size_t)-1) return 0;
	return -1;
}

/* Moves `top` up by `size`; returns the old one, or 0. */
static uintptr_t extend(size_t size)
{
	if (!top) top = dirty = lowest();
	uintptr_t start = top, end = start + size;
	if (end < start || reach(end)) return 0;
	if (start < dirty) memset((void *)start, 0, (end < dirty ? end : dirty) - start);
	top = end;
	if (dirty < top) dirty = top;
	return start;
}

/* The first hole that is large enough (its tail is taken), else new memory. Zeroed. */
static uintptr_t take(size_t size)
{
	for (struct hole **link = &holes, *h; (h = *link); link = &h->next) {
		if (h->size < size) continue;
		uintptr_t start = (uintptr_t)h + h->size - size;
		if (h->size == size) *link = h->next;
		else h->size -= size;
		memset((void *)start, 0, size);
		return start;
	}
	return extend(size);
}

/* Takes [start, end) out of the holes; what is in use there stays. Returns the bytes that were free. */
static size_t carve(uintptr_t start, uintptr_t end)
{
	size_t freed = 0;
	struct hole **link = &holes, *h;
	while ((h = *link) && (uintptr_t)h < end) {
		uintptr_t from = (uintptr_t)h, to = from + h->size;
		if (to <= start) {
			link = &h->next;
			continue;
		}
		struct hole *next = h->next;
		freed += (to < end ? to : end) - (from > start ? from : start);
		*link = next;
		if (to > end) {
			struct hole *rest = (void *)end;
			rest->size = to - end;
			rest->next = next;
			*link = rest;
		}
		if (from < start) {
			h->size = start - from;
			h->next = *link;
			*link = h;
			link = &h->next;
		}
	}
	return freed;
}

/* How much of [start, end) is free, above `top` included. */
static size_t available(uintptr_t start, uintptr_t end)
{
	size_t sum = end > top ? end - (start > top ? start : top) : 0;
	for (struct hole *h = holes; h && (uintptr_t)h < end; h = h->next) {
		uintptr_t from = (uintptr_t)h, to = from + h->size;
		if (to > start) sum += (to < end ? to : end) - (from > start ? from : start);
	}
	return sum;
}

/* Puts [start, end) among the holes, or lowers `top`. */
static void give(uintptr_t start, uintptr_t end)
{
	struct hole **link = &holes, *h, *previous = 0;
	carve(start, end);
	while ((h = *link) && (uintptr_t)h < start) {
		previous = h;
		link = &h->next;
	}
	if (previous && (uintptr_t)previous + previous->size == start) {
		previous->size += end - start;
		start = (uintptr_t)previous;
	} else {
		struct hole *fresh = (void *)start;
		fresh->size = end - start;
		fresh->next = h;
		*link = previous = fresh;
	}
	if (h && end == (uintptr_t)h) {
		previous->size += h->size;
		previous->next = h->next;
	}
	if (start + previous->size != top) return;
	for (link = &holes; *link != previous; link = &(*link)->next);
	*link = 0;
	top = start;
}

/* Makes [start, end) ours wherever it lies above the program's data. */
static int occupy(uintptr_t start, uintptr_t end)
{
	if (!top) top = dirty = lowest();
	if (start < lowest() || end < start) return -ENOMEM;
	uintptr_t old = top;
	if (end > old && !extend(end - old)) return -ENOMEM;
	if (start > old) give(old, start);
	carve(start, end);
	return 0;
}

static long fixed(uintptr_t start, size_t size, int flags)
{
	if (start % PAGE) return -EINVAL;
	if (!top) top = dirty = lowest();
	if ((flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE && available(start, start + size) < size)
		return -EEXIST;
	int error = occupy(start, start + size);
	if (error) return error;
	memset((void *)start, 0, size);
	return start;
}

/* Anonymous memory. A hint that is not MAP_FIXED is ignored. */
long __skerry_map(long address, long length, long protection, long flags)
{
	size_t size = UP((size_t)length);
	if (!size) return length ? -ENOMEM : -EINVAL;
	if (protection & PROT_EXEC) return -EACCES;
	int exact = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	if (exact && __skerry_file_hooks) __skerry_file_hooks->unmap(address, size);
	LOCK(lock);
	long r = exact ? fixed(address, size, flags) : (long)take(size);
	UNLOCK(lock);
	return r ? r : -ENOMEM;
}

long __skerry_munmap(long address, long length)
{
	uintptr_t start = address, end = start + UP((size_t)length);
	if (start % PAGE || !length || end < start) return -EINVAL;
	if (__skerry_file_hooks) __skerry_file_hooks->unmap(start, end - start);
	LOCK(lock);
	if (start < lowest()) start = lowest();
	if (end > top) end = top;
	if (start < end) give(start, end);
	UNLOCK(lock);
	return 0;
}

/* Grows in place when what follows is free. */
static int stretch(uintptr_t end, size_t more)
{
	if (end + more < end || available(end, end + more) < more) return -1;
	if (occupy(end, end + more)) return -1;
	memset((void *)end, 0, more);
	return 0;
}

long __skerry_mremap(long address, long old_length, long new_length, long flags, long target)
{
	uintptr_t start = address;
	size_t old = UP((size_t)old_length), size = UP((size_t)new_length);
	if (start % PAGE || !size || !old) return -EINVAL;
	if (!(flags & MREMAP_FIXED)) {
		if (size < old) __skerry_munmap(start + size, old - size);
		if (size <= old) return address;
		LOCK(lock);
		int failed = stretch(start + old, size - old);
		UNLOCK(lock);
		if (!failed) {
			if (__skerry_file_hooks) __skerry_file_hooks->move(start, start, size);
			return address;
		}
	}
	if (!(flags & MREMAP_MAYMOVE)) return flags & MREMAP_FIXED ? -EINVAL : -ENOMEM;
	long to = __skerry_map(target, size, 0, flags & MREMAP_FIXED ? MAP_FIXED : 0);
	if ((unsigned long)to > -4096ul) return to;
	memcpy((void *)to, (void *)start, old < size ? old : size);
	if (__skerry_file_hooks) __skerry_file_hooks->move(start, to, size);
	__skerry_munmap(start, old);
	return to;
}

long __skerry_mprotect(long address, long length, long protection)
{
	return protection & PROT_EXEC ? -EACCES : 0;
}

/* MADV_DONTNEED promises zeros afterwards; the rest is advice. */
long __skerry_madvise(long address, long length, long advice)
{
	if (advice == MADV_DONTNEED && !((unsigned long)address % PAGE))
		memset((void *)address, 0, UP((size_t)length));
	return 0;
}

long __skerry_msync(long address, long length, long flags)
{
	if (__skerry_file_hooks) __skerry_file_hooks->sync(address, length);
	return 0;
}

long __skerry_mincore(long address, long length, long vector)
{
	memset((void *)vector, 1, UP((size_t)length) / PAGE);
	return 0;
}

/* There is no program break; its old place is the answer to every question, as on failure. */
long __skerry_brk(long end)
{
	return lowest();
}

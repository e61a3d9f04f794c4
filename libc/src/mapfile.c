/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Mappings of files. The contents are read once; a shared writable mapping is written back by msync,
 * munmap and exit. Other processes do not see changes before that. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "syscall.h"
#include "lock.h"
#include "skerry.h"

#define PAGE 4096u

struct mapping {
	struct mapping *next;
	uintptr_t start;
	size_t size;
	int fd;
	long owner;
	uint64_t offset;
};

static volatile int lock[1];
static struct mapping *mappings, *spare;

static struct mapping *new_mapping(void)
{
	if (!spare) {
		long page = __skerry_map(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
		if ((unsigned long)page > -4096ul) return 0;
		struct mapping *m = (void *)page, *end = m + PAGE / sizeof *m;
		for (; m < end; m++) {
			m->next = spare;
			spare = m;
		}
	}
	struct mapping *m = spare;
	spare = m->next;
	return m;
}

static long read_file(int fd, uintptr_t to, size_t size, uint64_t offset)
{
	for (size_t done = 0; done < size;) {
		long r = __syscall(SYS_pread64, fd, to + done, size - done, __SYSCALL_LL_E(offset + done));
		if (r == -EINTR) continue;
		if (r < 0) return r == -ESPIPE ? -ENODEV : r;
		if (!r) break;
		done += r;
	}
	return 0;
}

/* Never makes the file longer: what lies past its end is not part of it. */
static void write_back(struct mapping *m, uintptr_t from, uintptr_t to)
{
	struct { uint32_t mask, words[9]; uint64_t size; char rest[208]; } status;
	if (from < m->start) from = m->start;
	if (to > m->start + m->size) to = m->start + m->size;
	if (from >= to || m->owner != __syscall(SYS_getpid)) return;
	if (__syscall(SYS_statx, m->fd, "", AT_EMPTY_PATH, STATX_SIZE, &status)) return;
	uint64_t offset = m->offset + (from - m->start);
	if (offset >= status.size) return;
	if (to - from > status.size - offset) to = from + (status.size - offset);
	while (from < to) {
		long r = __syscall(SYS_pwrite64, m->fd, from, to - from, __SYSCALL_LL_E(offset));
		if (r <= 0 && r != -EINTR) return;
		if (r > 0) from += r, offset += r;
	}
}

static void file_sync(uintptr_t start, size_t size)
{
	uintptr_t end = start + size < start ? UINTPTR_MAX : start + size;
	LOCK(lock);
	for (struct mapping *m = mappings; m; m = m->next) write_back(m, start, end);
	UNLOCK(lock);
}

static void forget(struct mapping **link)
{
	struct mapping *m = *link;
	*link = m->next;
	__syscall(SYS_close, m->fd);
	m->next = spare;
	spare = m;
}

/* Unmapping the middle of a mapping keeps the record of its beginning only. */
static void file_unmap(uintptr_t start, size_t size)
{
	uintptr_t end = start + size;
	LOCK(lock);
	for (struct mapping **link = &mappings, *m; (m = *link);) {
		uintptr_t last = m->start + m->size;
		if (last <= start || m->start >= end) {
			link = &m->next;
			continue;
		}
		write_back(m, m->start, last);
		if (m->start < start) {
			m->size = start - m->start;
			link = &m->next;
		} else if (last > end) {
			m->offset += end - m->start;
			m->start = end;
			m->size = last - end;
			link = &m->next;
		} else {
			forget(link);
		}
	}
	UNLOCK(lock);
}

static void file_move(uintptr_t from, uintptr_t to, size_t size)
{
	LOCK(lock);
	for (struct mapping *m = mappings; m; m = m->next) {
		if (m->start != from) continue;
		size_t old = m->size;
		m->start = to;
		m->size = size;
		if (size > old) read_file(m->fd, to + old, size - old, m->offset + old);
	}
	UNLOCK(lock);
}

static const struct file_hooks hooks = { file_unmap, file_sync, file_move };

static int remember(int fd, uintptr_t start, size_t size, uint64_t offset)
{
	int own = __syscall(SYS_fcntl64, fd, F_DUPFD_CLOEXEC, 100);
	if (own < 0) return own;
	LOCK(lock);
	struct mapping *m = new_mapping();
	if (m) {
		*m = (struct mapping){ mappings, start, size, own, __syscall(SYS_getpid), offset };
		mappings = m;
		__skerry_file_hooks = &hooks;
	}
	UNLOCK(lock);
	return m ? 0 : -ENOMEM;
}

long __skerry_map_file(long address, long length, long protection, long flags, long fd, long page)
{
	if (flags & MAP_ANONYMOUS) return __skerry_map(address, length, protection, flags);
	long mode = __syscall(SYS_fcntl64, fd, F_GETFL);
	if (mode < 0) return mode;
	int back = (flags & 3) == MAP_SHARED && protection & PROT_WRITE;
	if ((mode & O_ACCMODE) == O_WRONLY || (back && (mode & O_ACCMODE) != O_RDWR)) return -EACCES;
	uint64_t offset = (uint64_t)(uint32_t)page * PAGE;
	long start = __skerry_map(address, length, protection, flags);
	if ((unsigned long)start > -4096ul) return start;
	long error = read_file(fd, start, length, offset);
	if (!error && back) error = remember(fd, start, length, offset);
	if (!error) return start;
	__skerry_munmap(start, length);
	return error;
}

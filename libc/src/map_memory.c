/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* mmap for callers inside libc that want anonymous memory only (they are compiled with __mmap renamed). */

#include <sys/mman.h>
#include "syscall.h"

hidden void *__skerry_map_memory(void *start, size_t size, int protection, int flags, int fd, off_t offset)
{
	return (void *)__syscall_ret(__skerry_map((long)start, size, protection, flags | MAP_ANONYMOUS));
}

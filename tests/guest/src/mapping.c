/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* mmap: private files, anonymous memory, mprotect's answers, mremap, brk. */
#include "guest.h"

int main(void)
{
	put_file("f", "mapped content");
	int fd = open("f", O_RDWR);
	char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	IS(p != MAP_FAILED);
	printf("%.14s|%d\n", p, p[100]);
	p[0] = 'M';
	cat_file("f");
	close(fd);
	printf("%.14s\n", p);
	SHOW(munmap(p, 4096));
	char *a = mmap(0, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	IS(a != MAP_FAILED && ((uintptr_t)a & 4095) == 0);
	int zero = 1;
	for (int i = 0; i < 100000; i++) zero &= a[i] == 0;
	IS(zero);
	memset(a, 'x', 100000);
	a = mremap(a, 100000, 300000, MREMAP_MAYMOVE);
	IS(a != MAP_FAILED && a[0] == 'x' && a[99999] == 'x');
	IS(munmap(a, 300000) == 0);
	char *again = mmap(0, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zero = 1;
	for (int i = 0; i < 100000; i++) zero &= again[i] == 0;
	IS(zero);
	SHOW((long)mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 ? -1 : 0);
	SHOW((long)mmap(0, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == -1 ? -1 : 0);
	SHOW((long)mmap(0, 4096, PROT_READ, 0, -1, 0) == -1 ? -1 : 0);
	void *blocks[100];
	for (int i = 0; i < 100; i++) { blocks[i] = malloc(10000 + i * 100); memset(blocks[i], i, 10000); }
	int ok = 1;
	for (int i = 0; i < 100; i++) ok &= ((char *)blocks[i])[9999] == i;
	IS(ok);
	for (int i = 0; i < 100; i++) free(blocks[i]);
	char *big = malloc(20 << 20);
	IS(big != 0);
	big[(20 << 20) - 1] = 1;
	big = realloc(big, 30 << 20);
	IS(big[(20 << 20) - 1] == 1);
	void *aligned;
	RC(posix_memalign(&aligned, 4096, 5000));
	IS(((uintptr_t)aligned & 4095) == 0);
	volatile size_t huge = (size_t)-1 / 2 + 1; /* volatile: or the compiler answers */
	void *volatile nothing = malloc(huge);
	IS(nothing == 0 && errno == ENOMEM);
	SHOW(sysconf(_SC_PAGESIZE));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* epoll: level, edge, one-shot, errors, nesting. */
#include <sys/epoll.h>
#include "guest.h"

static int ep;
static void add(int op, int fd, unsigned events, int data)
{
	struct epoll_event ev = { .events = events, .data = { .u32 = data } };
	int r = epoll_ctl(ep, op, fd, &ev);
	if (r) printf("epoll_ctl %s\n", ename(errno));
}

static void look(int timeout)
{
	struct epoll_event ev[8];
	int n = epoll_wait(ep, ev, 8, timeout);
	if (n < 0) { printf("wait %s\n", ename(errno)); return; }
	printf("%d events", n);
	unsigned sum = 0, bits = 0;
	for (int i = 0; i < n; i++) { sum += ev[i].data.u32; bits |= ev[i].events; }
	printf(" data %u bits %x\n", sum, bits);
}

int main(void)
{
	int a[2], b[2];
	char buffer[10];
	MUST(pipe2(a, O_NONBLOCK));
	MUST(pipe2(b, O_NONBLOCK));
	ep = epoll_create1(EPOLL_CLOEXEC);
	add(EPOLL_CTL_ADD, a[0], EPOLLIN, 1);
	add(EPOLL_CTL_ADD, a[0], EPOLLIN, 1);
	add(EPOLL_CTL_MOD, b[0], EPOLLIN, 1);
	add(EPOLL_CTL_DEL, b[0], 0, 0);
	add(EPOLL_CTL_ADD, 99, EPOLLIN, 0);
	add(EPOLL_CTL_ADD, ep, EPOLLIN, 0);
	int file = open("/dev/null", O_RDONLY), regular = open("f", O_RDWR | O_CREAT, 0600);
	add(EPOLL_CTL_ADD, regular, EPOLLIN, 0);
	look(0);
	write(a[1], "xy", 2);
	look(-1);
	look(0);
	read(a[0], buffer, 10);
	look(0);
	puts("edge");
	add(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLET, 2);
	write(a[1], "x", 1);
	look(0);
	look(0);
	write(a[1], "y", 1);
	look(0);
	puts("one shot");
	add(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT, 3);
	look(0);
	look(0);
	add(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT, 4);
	look(0);
	puts("several");
	add(EPOLL_CTL_MOD, a[0], EPOLLIN, 10);
	add(EPOLL_CTL_ADD, b[1], EPOLLOUT, 100);
	look(0);
	add(EPOLL_CTL_DEL, b[1], 0, 0);
	close(a[1]);
	look(0);
	int copy = dup(a[0]);
	close(a[0]);
	look(0); /* the description still lives */
	close(copy);
	look(0);
	add(EPOLL_CTL_ADD, b[0], EPOLLIN, 7);
	pid_t pid = fork();
	if (!pid) { nap(30); write(b[1], "z", 1); _exit(0); }
	look(5000);
	reap(pid);
	int outer = epoll_create1(0), inner = ep;
	ep = outer;
	add(EPOLL_CTL_ADD, inner, EPOLLIN, 8);
	look(0);
	struct epoll_event ev;
	SHOW(epoll_wait(ep, &ev, 0, 0));
	SHOW(epoll_wait(file, &ev, 1, 0));
	SHOW(epoll_create1(5));
	return 0;
}

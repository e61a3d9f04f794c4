/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* eventfd and timerfd. */
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include "guest.h"

static void take(int fd)
{
	uint64_t value = 0;
	ssize_t n = read(fd, &value, 8);
	if (n < 0) printf("read %s\n", ename(errno));
	else printf("read %d value %llu\n", (int)n, (unsigned long long)value);
}

int main(void)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	uint64_t value = 5;
	SHOW(write(fd, &value, 8));
	take(fd);
	take(fd);
	SHOW(write(fd, &value, 4));
	value = UINT64_MAX;
	SHOW(write(fd, &value, 8));
	value = UINT64_MAX - 1;
	SHOW(write(fd, &value, 8));
	value = 1;
	SHOW(write(fd, &value, 8));
	struct pollfd p = { fd, POLLIN | POLLOUT };
	SHOW(poll(&p, 1, 0));
	printf("%x\n", p.revents);
	close(fd);
	fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	take(fd); take(fd); take(fd);
	close(fd);
	fd = eventfd(0, 0);
	pid_t pid = fork();
	if (!pid) { nap(30); value = 42; write(fd, &value, 8); _exit(0); }
	take(fd);
	reap(pid);
	SHOW(eventfd(0, 0x7));

	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	take(t);
	struct itimerspec its = { { 0, 0 }, { 0, 30000000 } }, now;
	SHOW(timerfd_settime(t, 0, &its, 0));
	take(t);
	p.fd = t; p.events = POLLIN;
	SHOW(poll(&p, 1, 5000));
	take(t);
	its.it_interval.tv_nsec = 10000000;
	its.it_value.tv_nsec = 1;
	SHOW(timerfd_settime(t, 0, &its, 0));
	nap(65);
	uint64_t count = 0;
	read(t, &count, 8);
	IS(count >= 5 && count < 100);
	SHOW(timerfd_gettime(t, &now));
	IS(now.it_interval.tv_nsec == 10000000 && now.it_value.tv_nsec > 0);
	struct itimerspec off = { 0 };
	SHOW(timerfd_settime(t, 0, &off, &now));
	take(t);
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	struct itimerspec past = { { 0, 0 }, { at.tv_sec > 1 ? at.tv_sec - 1 : 0, 1 } };
	SHOW(timerfd_settime(t, TFD_TIMER_ABSTIME, &past, 0));
	SHOW(poll(&p, 1, 1000));
	take(t);
	SHOW(timerfd_create(77, 0));
	SHOW(write(t, &value, 8));
	return 0;
}

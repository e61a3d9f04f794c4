/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Clocks and sleeping. */
#include <sys/times.h>
#include "guest.h"

static void nothing(int signo) {}

int main(void)
{
	struct timespec a, b, res;
	clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME };
	for (int i = 0; i < 6; i++) {
		int r = clock_gettime(ids[i], &a) || clock_gettime(ids[i], &b) || clock_getres(ids[i], &res);
		printf("clock %d: %d order %d\n", (int)ids[i], r, b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	}
	SHOW(clock_gettime(99, &a));
	clock_gettime(CLOCK_REALTIME, &a);
	IS(a.tv_sec > 1600000000 && a.tv_sec - time(0) >= -1 && a.tv_sec - time(0) <= 1);
	long long start = now_ms();
	nap(50);
	long long took = now_ms() - start;
	IS(took >= 50 && took < 1000);
	clock_gettime(CLOCK_MONOTONIC, &a);
	a.tv_nsec += 50000000;
	if (a.tv_nsec >= 1000000000) { a.tv_nsec -= 1000000000; a.tv_sec++; }
	RC(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, 0));
	RC(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, 0));
	struct timespec bad = { 0, 1000000000 }, neg = { -1, 0 }, zero = { 0, 0 };
	SHOW(nanosleep(&bad, 0));
	SHOW(nanosleep(&neg, 0));
	SHOW(nanosleep(&zero, 0));
	RC(clock_nanosleep(99, 0, &zero, 0));
	RC(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &zero, 0));
	handle(SIGALRM, nothing, 0);
	struct itimerval t = { { 0, 0 }, { 0, 30000 } };
	setitimer(ITIMER_REAL, &t, 0);
	struct timespec two = { 2, 0 }, left = { 9, 9 };
	RC(clock_nanosleep(CLOCK_REALTIME, 0, &two, &left));
	IS(left.tv_sec == 1);
	SHOW(usleep(1000));
	alarm(20);
	struct tms tms;
	IS(times(&tms) != (clock_t)-1);
	IS(sysconf(_SC_CLK_TCK) == 100);
	clock_t c = clock();
	volatile double x = 0;
	for (int i = 0; i < 10000000; i++) x += i;
	IS(clock() > c);
	clockid_t own;
	RC(clock_getcpuclockid(0, &own));
	SHOW(clock_gettime(own, &a));
	IS(clock_getcpuclockid(0x7ffffff0, &own) != 0);
	struct timeval tv;
	SHOW(gettimeofday(&tv, 0));
	return 0;
}

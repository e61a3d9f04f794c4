/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* clocks and sleeping */
#include "check.h"
#include <sched.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(void)
{
	struct timespec ts = { 0, 30000000 };
	long long real = now(CLOCK_REALTIME), mono = now(CLOCK_MONOTONIC);

	HOLDS(real > 1700000000LL * 1000000000);
	SAY(nanosleep(&ts, NULL));
	HOLDS(now(CLOCK_MONOTONIC) - mono >= 30000000);
	HOLDS(now(CLOCK_MONOTONIC) - mono < 3000000000LL);
	HOLDS(now(CLOCK_REALTIME) - real >= 29000000);
	mono = now(CLOCK_MONOTONIC);
	SAY(usleep(10000));
	HOLDS(now(CLOCK_MONOTONIC) - mono >= 10000000);
	SAY(clock_getres(CLOCK_MONOTONIC, &ts));
	HOLDS(ts.tv_sec == 0 && ts.tv_nsec >= 1);
	HOLDS(now(CLOCK_MONOTONIC) <= now(CLOCK_MONOTONIC));
	SAY(sched_yield());
	struct tm *tm = gmtime(&(time_t){ 86400 * 365 });
	printf("%d\n", tm->tm_year);
	return 0;
}

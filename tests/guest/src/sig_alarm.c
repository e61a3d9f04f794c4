/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* alarm, setitimer, getitimer. */
#include "guest.h"

static volatile int ticks;
static void tick(int signo) { ticks++; }

int main(void)
{
	handle(SIGALRM, tick, 0);
	alarm(0);
	SHOW(alarm(100));
	unsigned left = alarm(0);
	IS(left == 100 || left == 99);
	SHOW(alarm(0));
	struct itimerval t = { { 0, 20000 }, { 0, 30000 } }, now, old;
	SHOW(setitimer(ITIMER_REAL, &t, 0));
	while (ticks < 3) pause();
	SHOW(getitimer(ITIMER_REAL, &now));
	IS(now.it_interval.tv_usec == 20000 && now.it_value.tv_sec == 0 && now.it_value.tv_usec <= 20000);
	struct itimerval off = { 0 };
	SHOW(setitimer(ITIMER_REAL, &off, &old));
	IS(old.it_interval.tv_usec == 20000);
	int before = ticks;
	nap(60);
	IS(ticks == before);
	struct itimerval bad = { { 0, 0 }, { 0, 1000000 } };
	SHOW(setitimer(ITIMER_REAL, &bad, 0));
	SHOW(setitimer(9, &off, 0));
	pid_t pid = fork();
	if (!pid) { signal(SIGALRM, SIG_DFL); t.it_value.tv_usec = 1; setitimer(ITIMER_REAL, &t, 0); for (;;) pause(); }
	reap(pid);

	/* processor time: this loop uses it */
	ticks = 0;
	handle(SIGVTALRM, tick, 0);
	struct itimerval cpu = { { 0, 0 }, { 0, 50000 } };
	setitimer(ITIMER_VIRTUAL, &cpu, 0);
	while (!ticks) getppid();
	puts("SIGVTALRM");
	return 0;
}

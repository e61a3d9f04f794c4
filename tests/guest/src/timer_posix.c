/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* timer_create and relatives. */
#include "guest.h"

static volatile int fired, value, code;
static void on_timer(int signo, siginfo_t *si, void *context)
{
	fired++;
	value = si->si_value.sival_int;
	code = si->si_code;
}

static void on_thread(union sigval v) { fired += v.sival_int; }

int main(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	sa.sa_sigaction = on_timer;
	sigaction(SIGUSR1, &sa, 0);
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	ev.sigev_value.sival_int = 1234;
	timer_t timer;
	SHOW(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	struct itimerspec t = { { 0, 0 }, { 0, 30000000 } }, now;
	SHOW(timer_settime(timer, 0, &t, 0));
	SHOW(timer_gettime(timer, &now));
	IS(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 30000000);
	while (!fired) pause();
	printf("fired %d value %d code %d\n", fired, value, code);
	SHOW(timer_gettime(timer, &now));
	IS(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);

	t.it_interval.tv_nsec = 10000000;
	t.it_value.tv_nsec = 10000000;
	fired = 0;
	timer_settime(timer, 0, &t, 0);
	while (fired < 3) pause();
	sigset_t block = set_of(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &block, 0);
	nap(60);
	fired = 0;
	sigprocmask(SIG_UNBLOCK, &block, 0);
	IS(fired == 1);
	IS(timer_getoverrun(timer) >= 2);
	SHOW(timer_delete(timer));
	SHOW(timer_create(CLOCK_REALTIME, 0, &timer));
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	struct itimerspec past = { { 0, 0 }, { at.tv_sec - 5, 0 } };
	handle(SIGALRM, SIG_DFL, 0);
	sigset_t alarms = set_of(SIGALRM, 0);
	sigprocmask(SIG_BLOCK, &alarms, 0);
	alarm(0);
	SHOW(timer_settime(timer, TIMER_ABSTIME, &past, 0));
	int signo;
	RC(sigwait(&alarms, &signo));
	printf("signo %d\n", signo);
	timer_delete(timer);
	alarm(20);

	struct sigevent thread = { .sigev_notify = SIGEV_THREAD };
	thread.sigev_notify_function = on_thread;
	thread.sigev_value.sival_int = 100;
	fired = 0;
	SHOW(timer_create(CLOCK_MONOTONIC, &thread, &timer));
	struct itimerspec once = { { 0, 0 }, { 0, 1000000 } };
	SHOW(timer_settime(timer, 0, &once, 0));
	for (int i = 0; i < 200 && !fired; i++) nap(10);
	printf("fired %d\n", fired);
	struct itimerspec bad = { { 0, 0 }, { 0, 1000000000 } };
	SHOW(timer_settime(timer, 0, &bad, 0));
	SHOW(timer_create(99, &ev, &timer));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The end of the main thread is not the end of the process; return from main is. */
#include "guest.h"

static pthread_t first;

static void *survivor(void *arg)
{
	nap(30);
	puts("survivor");
	return 0;
}

static void *joins_main(void *arg)
{
	void *r;
	RC(pthread_join(first, &r));
	printf("main returned %ld\n", (long)r);
	return 0;
}

static void *exits(void *arg)
{
	nap(20);
	exit(6);
}

int main(void)
{
	pthread_t t;
	pid_t pid = fork();
	if (!pid) { pthread_create(&t, 0, survivor, 0); pthread_exit(0); }
	reap(pid);
	pid = fork();
	if (!pid) { pthread_create(&t, 0, survivor, 0); return 4; }
	reap(pid);
	pid = fork();
	if (!pid) { first = pthread_self(); pthread_create(&t, 0, joins_main, 0); pthread_exit((void *)8); }
	reap(pid);
	pid = fork();
	if (!pid) { pthread_create(&t, 0, exits, 0); for (;;) pause(); }
	reap(pid);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Cancellation, clean-up handlers, detached threads. */
#include <semaphore.h>
#include "guest.h"

static sem_t ready, done;
static int cleaned;
static void clean(void *arg) { cleaned += (int)(long)arg; }

static void *sleeper(void *arg)
{
	pthread_cleanup_push(clean, (void *)1);
	pthread_cleanup_push(clean, (void *)10);
	sem_post(&ready);
	for (;;) pause();
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return 0;
}

static void *stubborn(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, 0);
	sem_post(&ready);
	nap(30);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, 0);
	pthread_testcancel();
	return (void *)5;
}

static void *polite(void *arg)
{
	sem_post(&ready);
	nap(20);
	return (void *)7;
}

static void unlock(void *m) { pthread_mutex_unlock(m); }

static void *waiter(void *arg)
{
	pthread_mutex_t *m = arg;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	pthread_mutex_lock(m);
	pthread_cleanup_push(unlock, m);
	sem_post(&ready);
	pthread_cond_wait(&never, m);
	pthread_cleanup_pop(1);
	return 0;
}

static void *detached(void *arg) { sem_post(&done); return 0; }
static void *exits(void *arg) { pthread_exit((void *)99); }

static void finish(const char *name, pthread_t t)
{
	void *r;
	RC(pthread_cancel(t));
	RC(pthread_join(t, &r));
	if (r == PTHREAD_CANCELED) printf("%s cancelled\n", name);
	else printf("%s returned %ld\n", name, (long)r);
}

int main(void)
{
	pthread_t t;
	void *r;
	sem_init(&ready, 0, 0);
	sem_init(&done, 0, 0);
	pthread_create(&t, 0, sleeper, 0); sem_wait(&ready); finish("sleeper", t);
	printf("cleaned %d\n", cleaned);
	pthread_create(&t, 0, stubborn, 0); sem_wait(&ready); finish("stubborn", t);
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_create(&t, 0, waiter, &m); sem_wait(&ready);
	pthread_mutex_lock(&m); pthread_mutex_unlock(&m); /* it waits now */
	finish("waiter", t);
	RC(pthread_mutex_trylock(&m));
	pthread_create(&t, 0, polite, 0); sem_wait(&ready);
	RC(pthread_join(t, &r));
	printf("polite %ld\n", (long)r);
	pthread_create(&t, 0, exits, 0); pthread_join(t, &r); printf("exit %ld\n", (long)r);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	RC(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	RC(pthread_attr_setstacksize(&attr, 256 * 1024));
	RC(pthread_create(&t, &attr, detached, 0));
	SHOW(sem_wait(&done));
	return 0;
}

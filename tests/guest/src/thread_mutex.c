/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Mutexes of every type, condition variables, read-write locks. */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static long counter;
static int stage;

static void *add(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *wait_for_stage(void *arg)
{
	pthread_mutex_lock(&lock);
	while (stage == 0) pthread_cond_wait(&ready, &lock);
	counter++;
	pthread_mutex_unlock(&lock);
	return 0;
}

static void *try(void *arg)
{
	return (void *)(long)pthread_mutex_trylock(arg);
}

static long in_thread(void *(*f)(void *), void *arg)
{
	pthread_t t;
	void *r;
	if (pthread_create(&t, 0, f, arg)) return -1;
	pthread_join(t, &r);
	return (long)r;
}

int main(void)
{
	pthread_t t[4];
	for (int i = 0; i < 4; i++) RC(pthread_create(&t[i], 0, add, (void *)(long)i));
	for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); printf("joined %ld\n", (long)r); }
	printf("counter %ld\n", counter);

	counter = 0;
	for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, wait_for_stage, 0);
	nap(20);
	pthread_mutex_lock(&lock);
	stage = 1;
	pthread_cond_broadcast(&ready);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
	printf("woken %ld\n", counter);

	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 30000000;
	if (soon.tv_nsec >= 1000000000) { soon.tv_nsec -= 1000000000; soon.tv_sec++; }
	pthread_mutex_lock(&lock);
	RC(pthread_cond_timedwait(&ready, &lock, &soon));
	printf("trylock elsewhere %s\n", ename(in_thread(try, &lock)));
	pthread_mutex_unlock(&lock);

	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_t check;
	pthread_mutex_init(&check, &attr);
	RC(pthread_mutex_unlock(&check));
	RC(pthread_mutex_lock(&check));
	RC(pthread_mutex_lock(&check));
	RC(pthread_mutex_trylock(&check));
	RC(pthread_mutex_unlock(&check));
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_t again;
	pthread_mutex_init(&again, &attr);
	RC(pthread_mutex_lock(&again));
	RC(pthread_mutex_lock(&again));
	RC(pthread_mutex_unlock(&again));
	printf("still held %s\n", ename(in_thread(try, &again)));
	RC(pthread_mutex_unlock(&again));
	clock_gettime(CLOCK_REALTIME, &soon);
	pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&plain);
	RC(pthread_mutex_timedlock(&plain, &soon));

	pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
	RC(pthread_rwlock_rdlock(&rw));
	RC(pthread_rwlock_tryrdlock(&rw));
	RC(pthread_rwlock_trywrlock(&rw));
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_unlock(&rw);
	RC(pthread_rwlock_trywrlock(&rw));
	RC(pthread_rwlock_tryrdlock(&rw));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Barriers, semaphores, spin locks, many threads, a producer and consumers. */
#include <semaphore.h>
#include "guest.h"

static pthread_barrier_t barrier;
static sem_t items, room;
static int queue[4], head, tail, serial;
static long eaten;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *meet(void *arg)
{
	for (int i = 0; i < 10; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __sync_fetch_and_add(&serial, 1);
	return 0;
}

static void *eat(void *arg)
{
	for (;;) {
		sem_wait(&items);
		pthread_mutex_lock(&m);
		int item = queue[head++ % 4];
		if (item >= 0) eaten += item;
		pthread_mutex_unlock(&m);
		sem_post(&room);
		if (item < 0) return 0;
	}
}

static void put(int item)
{
	sem_wait(&room);
	pthread_mutex_lock(&m);
	queue[tail++ % 4] = item;
	pthread_mutex_unlock(&m);
	sem_post(&items);
}

static void *one(void *arg) { return arg; }

int main(void)
{
	pthread_t t[50];
	pthread_barrier_init(&barrier, 0, 5);
	for (int i = 0; i < 5; i++) pthread_create(&t[i], 0, meet, 0);
	for (int i = 0; i < 5; i++) pthread_join(t[i], 0);
	printf("serial %d\n", serial);
	sem_init(&items, 0, 0);
	sem_init(&room, 0, 4);
	for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, eat, 0);
	for (int i = 1; i <= 1000; i++) put(i);
	for (int i = 0; i < 3; i++) put(-1);
	for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
	printf("eaten %ld\n", eaten);
	long sum = 0;
	for (int round = 0; round < 4; round++) {
		for (long i = 0; i < 25; i++) if (pthread_create(&t[i], 0, one, (void *)i)) puts("create failed");
		for (int i = 0; i < 25; i++) { void *r; pthread_join(t[i], &r); sum += (long)r; }
	}
	printf("sum %ld\n", sum);
	sem_t s;
	int v;
	SHOW(sem_init(&s, 0, 2));
	SHOW(sem_trywait(&s));
	SHOW(sem_trywait(&s));
	SHOW(sem_trywait(&s));
	SHOW(sem_getvalue(&s, &v));
	struct timespec past = { 1, 0 };
	SHOW(sem_timedwait(&s, &past));
	pthread_spinlock_t spin;
	RC(pthread_spin_init(&spin, 0));
	RC(pthread_spin_lock(&spin));
	RC(pthread_spin_trylock(&spin));
	RC(pthread_spin_unlock(&spin));
	return 0;
}

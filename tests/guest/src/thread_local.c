/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Thread-local variables, keys with destructors, errno per thread, once. */
#include "guest.h"

static __thread int local = 5;
static __thread char text[64] = "initial";
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int destroyed, initialised;

static void destroy(void *p) { destroyed += *(int *)p; free(p); }
static void init(void) { initialised++; pthread_key_create(&key, destroy); }

static void *body(void *arg)
{
	pthread_once(&once, init);
	int ok = local == 5 && !strcmp(text, "initial") && pthread_getspecific(key) == 0;
	local = (int)(long)arg;
	strcpy(text, "changed");
	int *p = malloc(sizeof *p);
	*p = (int)(long)arg;
	pthread_setspecific(key, p);
	errno = (int)(long)arg;
	sched_yield();
	close(-1);
	ok &= errno == EBADF && local == (int)(long)arg;
	errno = (int)(long)arg;
	nap(10);
	ok &= errno == (int)(long)arg;
	return (void *)(long)ok;
}

int main(void)
{
	pthread_t t[5];
	void *r;
	for (long i = 0; i < 5; i++) pthread_create(&t[i], 0, body, (void *)(i + 1));
	for (int i = 0; i < 5; i++) { pthread_join(t[i], &r); printf("thread %d ok %ld\n", i, (long)r); }
	printf("local %d text %s\n", local, text);
	printf("destroyed %d initialised %d\n", destroyed, initialised);
	IS(pthread_equal(pthread_self(), pthread_self()));
	pthread_key_t second;
	RC(pthread_key_create(&second, 0));
	RC(pthread_key_delete(second));
	return 0;
}

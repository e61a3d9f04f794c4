/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* A robust mutex whose owner dies. */
#include "guest.h"

static pthread_mutex_t m;

static void *die_holding(void *arg) { pthread_mutex_lock(&m); return 0; }

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t t;
	pthread_mutexattr_init(&attr);
	RC(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	RC(pthread_mutex_init(&m, &attr));
	pthread_create(&t, 0, die_holding, 0);
	pthread_join(t, 0);
	RC(pthread_mutex_lock(&m));
	RC(pthread_mutex_consistent(&m));
	RC(pthread_mutex_unlock(&m));
	RC(pthread_mutex_lock(&m));
	RC(pthread_mutex_unlock(&m));
	pthread_create(&t, 0, die_holding, 0);
	pthread_join(t, 0);
	RC(pthread_mutex_lock(&m));
	RC(pthread_mutex_unlock(&m));
	RC(pthread_mutex_lock(&m));
	return 0;
}

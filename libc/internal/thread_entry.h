/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What a new thread finds at the top of its stack. */
struct thread_entry {
	int (*function)(void *);
	void *argument;
	struct pthread *self;
	int pad;
};

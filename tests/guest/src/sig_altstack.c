/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* sigaltstack remembers what it is told and refuses what it must. */
#include "guest.h"

int main(void)
{
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 }, old;
	SHOW(sigaltstack(0, &old));
	IS(old.ss_flags == SS_DISABLE);
	SHOW(sigaltstack(&stack, 0));
	SHOW(sigaltstack(0, &old));
	IS(old.ss_sp == stack.ss_sp && old.ss_size == 65536 && old.ss_flags == 0);
	stack.ss_size = 100;
	SHOW(sigaltstack(&stack, 0));
	stack.ss_flags = 0x55;
	stack.ss_size = 65536;
	SHOW(sigaltstack(&stack, 0));
	stack.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&stack, 0));
	return 0;
}

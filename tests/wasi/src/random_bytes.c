/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* random bytes */
#include "check.h"
#include <unistd.h>

int main(void)
{
	unsigned char a[256] = { 0 }, b[256] = { 0 };
	int zeros = 0;

	SAY(getentropy(a, sizeof a));
	SAY(getentropy(b, sizeof b));
	HOLDS(memcmp(a, b, sizeof a) != 0);
	for (int i = 0; i < 256; i++)
		zeros += a[i] == 0;
	HOLDS(zeros < 20);
	return 0;
}

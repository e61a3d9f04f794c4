/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* the lowest addresses are the program's own: hand-written modules keep data there */
#include "raw.h"

int main(void)
{
	volatile uintptr_t zero = 0;
	volatile unsigned char *low = (volatile unsigned char *)zero;
	unsigned sum = 0;

	for (int i = 0; i < 256; i++)
		low[i] = 1;
	for (int i = 0; i < 256; i++)
		sum += low[i];
	IS(sum, 256);
	return verdict();
}

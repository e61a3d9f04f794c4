/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* _Exit flushes nothing */
#include "check.h"

int main(void)
{
	printf("lost");
	_Exit(300);
}

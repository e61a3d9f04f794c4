/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* vfork called through a pointer, or without unistd.h, has no frame to return to twice: it is fork. */

#include <unistd.h>
#include "syscall.h"

#undef vfork

pid_t vfork(void)
{
	return fork();
}

pid_t __skerry_vfork(void)
{
	return fork();
}

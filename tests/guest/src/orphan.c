/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Orphans go to the nearest subreaper; PR_SET_PDEATHSIG tells a child of its parent's death. */
#include <sys/prctl.h>
#include "guest.h"

int main(void)
{
	int gate[2], word[2];
	MUST(pipe(gate));
	MUST(pipe(word));
	SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t self = getpid(), pid = fork();
	if (!pid) {
		if (!fork()) {
			char c;
			close(gate[1]);
			read(gate[0], &c, 1); /* end of file: the parent is gone and reaped */
			IS(getppid() == self);
			_exit(6);
		}
		_exit(5);
	}
	reap(pid);
	close(gate[1]);
	reap(-1);
	SHOW(wait(0));

	pid = fork();
	if (!pid) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			write(word[1], "r", 1);
			pause();
			_exit(0);
		}
		char c;
		read(word[0], &c, 1);
		_exit(1);
	}
	reap(pid);
	reap(-1);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What every guest test shares: printing facts that do not depend on pids, times or addresses. */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *ename(int e)
{
	static char other[16];
	switch (e) {
#define E(x) case x: return #x;
	E(EPERM) E(ENOENT) E(ESRCH) E(EINTR) E(EIO) E(ENXIO) E(E2BIG) E(ENOEXEC) E(EBADF) E(ECHILD) E(EAGAIN)
	E(ENOMEM) E(EACCES) E(EFAULT) E(EBUSY) E(EEXIST) E(EXDEV) E(ENODEV) E(ENOTDIR) E(EISDIR) E(EINVAL)
	E(ENFILE) E(EMFILE) E(ENOTTY) E(ETXTBSY) E(EFBIG) E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) E(EPIPE)
	E(EDOM) E(ERANGE) E(EDEADLK) E(ENAMETOOLONG) E(ENOLCK) E(ENOSYS) E(ENOTEMPTY) E(ELOOP) E(ENODATA)
	E(EOVERFLOW) E(EILSEQ) E(ENOTSOCK) E(EDESTADDRREQ) E(EMSGSIZE) E(EPROTOTYPE) E(ENOPROTOOPT)
	E(EPROTONOSUPPORT) E(ESOCKTNOSUPPORT) E(EOPNOTSUPP) E(EAFNOSUPPORT) E(EADDRINUSE) E(EADDRNOTAVAIL)
	E(ENETUNREACH) E(ECONNABORTED) E(ECONNRESET) E(ENOBUFS) E(EISCONN) E(ENOTCONN) E(ETIMEDOUT)
	E(ECONNREFUSED) E(EALREADY) E(EINPROGRESS) E(EOWNERDEAD) E(ENOTRECOVERABLE) E(ECANCELED)
#undef E
	case 0: return "0";
	}
	snprintf(other, sizeof other, "errno %d", e);
	return other;
}

static void show(const char *what, long result)
{
	int e = errno;
	if (result == -1)
		printf("%s = -1 %s\n", what, ename(e));
	else
		printf("%s = %ld\n", what, result);
}

/* Print an expression and what it returned, with errno when that is -1. */
#define SHOW(expr) (errno = 0, show(#expr, (long)(expr)))
/* Print whether an expression is true. */
#define IS(expr) printf("%s: %s\n", #expr, (expr) ? "yes" : "no")
/* Print a call that returns an errno, as pthread functions do. */
#define RC(expr) printf("%s: %s\n", #expr, ename(expr))
/* A call that must work, or the test is over. */
#define MUST(expr) do { if ((long)(expr) == -1) { printf("%s failed: %s\n", #expr, ename(errno)); exit(99); } } while (0)

static const char *status_text(int status)
{
	static char text[64];
	if (WIFEXITED(status)) snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
	else if (WIFSTOPPED(status)) snprintf(text, sizeof text, "stopped by %d", WSTOPSIG(status));
	else if (WIFCONTINUED(status)) snprintf(text, sizeof text, "continued");
	else snprintf(text, sizeof text, "status %#x", status);
	return text;
}

/* Wait for one child and print how it ended. */
static void reap(pid_t pid)
{
	int status = 0;
	pid_t got;
	do got = waitpid(pid, &status, 0); while (got < 0 && errno == EINTR);
	printf("child %s\n", got < 0 ? ename(errno) : status_text(status));
}

static void handle(int signo, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_flags = flags };
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	MUST(sigaction(signo, &sa, 0));
}

static sigset_t set_of(int a, int b)
{
	sigset_t set;
	sigemptyset(&set);
	if (a) sigaddset(&set, a);
	if (b) sigaddset(&set, b);
	return set;
}

static void nap(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&t, &t) < 0 && errno == EINTR) {}
}

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The tests of permissions are about an ordinary user. */
static void be_nobody(void)
{
	if (geteuid() == 0) {
		MUST(chmod(".", 0777));
		MUST(setgid(1000));
		MUST(setuid(1000));
	}
}

static void put_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	MUST(fd);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) exit(98);
	close(fd);
}

static void cat_file(const char *name)
{
	char buffer[4096];
	int fd = open(name, O_RDONLY);
	if (fd < 0) {
		printf("%s: %s\n", name, ename(errno));
		return;
	}
	ssize_t n = read(fd, buffer, sizeof buffer);
	printf("%s: [%.*s]\n", name, (int)(n > 0 ? n : 0), buffer);
	close(fd);
}

__attribute__((constructor)) static void print_lines(void)
{
	setvbuf(stdout, 0, _IOLBF, 4096);
	alarm(20); /* a test that hangs is a test that fails */
}

#endif

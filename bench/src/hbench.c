/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The Skerry authors
 *
 * Latency and bandwidth of system calls, after HBench-OS: `hbench ROW` prints the time of one
 * operation in microseconds (or MB/s for rows that end in _bw) as the median of several batches.
 * The same source is compiled for the host and for wasm. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 9
extern char **environ;
static char block[65536];

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Median over batches of the time one `op` takes. */
static double time_of(void (*op)(void), int count)
{
	double batch[BATCHES];
	for (int i = 0; i < BATCHES; i++) {
		double start = now_us();
		for (int k = 0; k < count; k++) op();
		batch[i] = (now_us() - start) / count;
	}
	qsort(batch, BATCHES, sizeof *batch, by_value);
	return batch[BATCHES / 2];
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static volatile sig_atomic_t caught;
static int null_fd, in_fd, out_fd;

static void op_getpid(void) { syscall(SYS_getpid); }
static void op_write(void) { if (write(null_fd, "x", 1) != 1) die("write"); }
static void op_stat(void) { struct stat s; if (stat("/tmp/skerry-bench/a/b", &s)) die("stat"); }
static void op_open(void) { int fd = open("/tmp/skerry-bench/a/b", O_RDONLY); if (fd < 0) die("open"); close(fd); }
static void op_read(void) { if (pread(in_fd, block, 1, 0) != 1) die("pread"); }
static void op_create(void)
{
	int fd = open("/tmp/skerry-bench/new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, block, 1024) != 1024) die("create");
	close(fd);
	unlink("/tmp/skerry-bench/new");
}
static void on_signal(int signo) { caught = signo; }
static void op_signal(void) { caught = 0; kill(getpid(), SIGUSR1); if (!caught) die("signal"); }
static void op_fork(void)
{
	pid_t child = fork();
	if (child == 0) _exit(0);
	if (child < 0 || waitpid(child, NULL, 0) != child) die("fork");
}
static void op_spawn(void)
{
	pid_t child;
	char *argv[] = {"true", NULL};
	if (posix_spawnp(&child, "true", NULL, NULL, argv, environ)) die("spawn");
	if (waitpid(child, NULL, 0) != child) die("wait");
}
static void op_pingpong(void)
{
	char c = 'x';
	if (write(out_fd, &c, 1) != 1 || read(in_fd, &c, 1) != 1) die("ping-pong");
}

static void echo(int from, int to)
{
	char c;
	while (read(from, &c, 1) == 1)
		if (write(to, &c, 1) != 1) break;
	_exit(0);
}

static void pipe_pair(void)
{
	int there[2], back[2];
	if (pipe(there) || pipe(back)) die("pipe");
	if (fork() == 0) {
		close(there[1]);
		close(back[0]);
		echo(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	out_fd = there[1];
	in_fd = back[0];
}

/* A connected loopback TCP pair; the child gets one end and runs `child`. */
static int tcp_pair(void (*child)(int))
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server, (void *)&at, sizeof at) || listen(server, 1)) die("listen");
	if (getsockname(server, (void *)&at, &size)) die("getsockname");
	if (fork() == 0) {
		int fd = accept(server, NULL, NULL);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		child(fd);
		_exit(0);
	}
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (void *)&at, sizeof at)) die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}
static void tcp_echo(int fd) { echo(fd, fd); }

static void sink(int fd)
{
	while (read(fd, block, sizeof block) > 0) {}
	_exit(0);
}

/* MB/s into a descriptor whose other end a child drains. */
static double bandwidth(int fd, long megabytes)
{
	double start = now_us();
	for (long left = megabytes << 20; left > 0;) {
		ssize_t n = write(fd, block, sizeof block);
		if (n <= 0) die("write");
		left -= n;
	}
	close(fd);
	wait(NULL);
	return megabytes * 1e6 / (now_us() - start);
}
static double pipe_bandwidth(void)
{
	int fds[2];
	if (pipe(fds)) die("pipe");
	if (fork() == 0) {
		close(fds[1]);
		sink(fds[0]);
	}
	close(fds[0]);
	return bandwidth(fds[1], 256);
}

static void files(void)
{
	mkdir("/tmp/skerry-bench", 0755);
	mkdir("/tmp/skerry-bench/a", 0755);
	int fd = open("/tmp/skerry-bench/a/b", O_RDWR | O_CREAT, 0644);
	if (fd < 0 || write(fd, block, 4096) != 4096) die("/tmp/skerry-bench");
	in_fd = fd;
}

int main(int argc, char **argv)
{
	const char *row = argc > 1 ? argv[1] : "";
	double result;
	null_fd = open("/dev/null", O_WRONLY);
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(row, "getpid")) result = time_of(op_getpid, 20000);
	else if (!strcmp(row, "write_null")) result = time_of(op_write, 20000);
	else if (!strcmp(row, "stat")) files(), result = time_of(op_stat, 5000);
	else if (!strcmp(row, "open_close")) files(), result = time_of(op_open, 5000);
	else if (!strcmp(row, "pread")) files(), result = time_of(op_read, 10000);
	else if (!strcmp(row, "create_1k")) files(), result = time_of(op_create, 2000);
	else if (!strcmp(row, "signal")) signal(SIGUSR1, on_signal), result = time_of(op_signal, 5000);
	else if (!strcmp(row, "fork_exit_wait")) result = time_of(op_fork, 30);
	else if (!strcmp(row, "spawn_exec_wait")) result = time_of(op_spawn, 30);
	else if (!strcmp(row, "pipe_pingpong")) pipe_pair(), result = time_of(op_pingpong, 2000);
	else if (!strcmp(row, "tcp_pingpong")) in_fd = out_fd = tcp_pair(tcp_echo), result = time_of(op_pingpong, 2000);
	else if (!strcmp(row, "pipe_bw")) result = pipe_bandwidth();
	else if (!strcmp(row, "tcp_bw")) result = bandwidth(tcp_pair(sink), 256);
	else {
		fprintf(stderr, "hbench: unknown row '%s'\n", row);
		return 2;
	}
	printf("%.3f\n", result);
	return 0;
}

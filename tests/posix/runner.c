/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/*
 * runner FOLDER LANES: run cases, several at a time, each in a session of its own.
 *
 * Standard input has a line `case program seconds` for each; the program lies in FOLDER, gets the case's
 * name as its argv[0], and is killed when the time is over. Standard output gets `case exit|signal|timeout number milliseconds`, and if that
 * is not `exit 0` the end of what the case wrote, each line after "| ". Cases run without privileges:
 * a superuser's rights change what a case may expect.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LANES = 64, NAME = 120, TAIL = 700, NOBODY = 65534, PAUSE_NS = 10000000 };

struct lane {
    pid_t pid;
    char name[NAME];
    long began, deadline;
    int late, log;
};

static struct lane lanes[LANES];
static int folder;

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int open_log(int number)
{
    char path[40];
    snprintf(path, sizeof path, "/tmp/posix-log-%d-%d", (int)getpid(), number);
    int log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    unlink(path);
    return log;
}

static void become(const struct lane *lane, const char *program)
{
    char *argv[] = { (char *)lane->name, NULL };
    setsid();
    int null = open("/dev/null", O_RDONLY), file = openat(folder, program, O_RDONLY | O_CLOEXEC);
    dup2(null, 0);
    dup2(lane->log, 1);
    dup2(lane->log, 2);
    close(null);
    fexecve(file, argv, environ);
    _exit(127);
}

static int start(struct lane *lane)
{
    char line[2 * NAME + 20], program[NAME];
    int seconds;
    if (!fgets(line, sizeof line, stdin)) return 0;
    if (sscanf(line, "%119s %119s %d", lane->name, program, &seconds) != 3) return 0;
    if (ftruncate(lane->log, 0)) return 0;
    lane->began = now();
    lane->deadline = lane->began + seconds * 1000L;
    lane->late = 0;
    lane->pid = fork();
    if (!lane->pid) become(lane, program);
    return lane->pid > 0;
}

static void show_log(int log)
{
    char text[TAIL + 1];
    off_t size = lseek(log, 0, SEEK_END);
    ssize_t count = pread(log, text, TAIL, size > TAIL ? size - TAIL : 0);
    text[count > 0 ? count : 0] = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) printf("| %s\n", line);
}

static void report(struct lane *lane, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    const char *kind = lane->late ? "timeout" : WIFEXITED(status) ? "exit" : "signal";
    kill(-lane->pid, SIGKILL);
    printf("%s %s %d %ld\n", lane->name, kind, code, now() - lane->began);
    if (status || lane->late) show_log(lane->log);
    fflush(stdout);
    lane->pid = 0;
}

/* Orphans that left their session come to us; they end with the last case. */
static void end_orphans(void)
{
    char path[60];
    int pid;
    for (;;) {
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
        FILE *children = fopen(path, "r");
        if (!children) return;
        int any = 0;
        while (fscanf(children, "%d", &pid) == 1) {
            any = 1;
            kill(pid, SIGKILL);
        }
        fclose(children);
        if (!any) return;
        while (waitpid(-1, NULL, 0) > 0) continue;
    }
}

static void reap(int count)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < count; i++)
            if (lanes[i].pid == pid) report(&lanes[i], status);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    int count = atoi(argv[2]), more = 1, busy = 1;
    if (count > LANES) count = LANES;
    folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!geteuid() && (setgid(NOBODY) || setuid(NOBODY))) return 2;
    for (int i = 0; i < count; i++) lanes[i].log = open_log(i);
    while (more || busy) {
        busy = 0;
        for (int i = 0; i < count; i++) {
            if (!lanes[i].pid && more) more = start(&lanes[i]);
            if (lanes[i].pid && now() > lanes[i].deadline) {
                lanes[i].late = 1;
                kill(lanes[i].pid, SIGKILL);
                kill(-lanes[i].pid, SIGKILL);
            }
            busy |= lanes[i].pid > 0;
        }
        struct timespec pause = { 0, PAUSE_NS };
        nanosleep(&pause, NULL);
        reap(count);
    }
    end_orphans();
    return 0;
}

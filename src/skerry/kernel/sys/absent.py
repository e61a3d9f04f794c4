# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Calls that Linux has and Skerry does not: each with the errno it answers and why.

Programs ask for these to find out what a kernel can do, so the errno is the one a Linux
built or configured without the feature gives, and their fall-back code runs.
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.kernel.sys.table import absent

absent(
    Errno.ENOSYS, "asynchronous I/O; programs fall back to threads or ordinary calls",
    "io_setup", "io_destroy", "io_submit", "io_cancel", "io_pgetevents_time64",
    "io_uring_setup", "io_uring_enter", "io_uring_register",
)  # fmt: skip
absent(
    Errno.ENOSYS, "System V queues, semaphores and shared memory; memory of two processes is never shared",
    "msgget", "msgctl", "msgrcv", "msgsnd", "semget", "semctl", "semop", "semtimedop_time64",
    "shmget", "shmctl", "shmat", "shmdt",
)  # fmt: skip
absent(
    Errno.ENOSYS, "POSIX message queues",
    "mq_open", "mq_unlink", "mq_notify", "mq_getsetattr", "mq_timedsend_time64", "mq_timedreceive_time64",
)  # fmt: skip
absent(
    Errno.ENOSYS, "looking into other processes: the guest's memory is the engine's",
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "perf_event_open",
)  # fmt: skip
absent(
    Errno.ENOSYS, "process descriptors",
    "pidfd_open", "pidfd_send_signal", "pidfd_getfd",
)  # fmt: skip
absent(Errno.ENOSYS, "libc makes processes with fork, vfork and clone", "clone3")
absent(Errno.ENOSYS, "waiting for several futexes at once", "futex_waitv")
absent(Errno.ENOSYS, "per-processor data; libc does without", "rseq")
absent(
    Errno.ENOSYS, "sandboxes inside the sandbox: a box is closed as a whole",
    "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "bpf",
)  # fmt: skip
absent(Errno.ENOSYS, "the key ring", "add_key", "request_key", "keyctl")
absent(Errno.ENOSYS, "watching whole file systems; inotify watches files", "fanotify_init", "fanotify_mark")
absent(Errno.ENOSYS, "scheduling attributes; sched_setscheduler is there", "sched_setattr", "sched_getattr")
absent(Errno.ENOSYS, "input and output priorities", "ioprio_set", "ioprio_get")
absent(Errno.ENOSYS, "quotas and accounting", "quotactl", "acct")
absent(
    Errno.EPERM, "a box's name space is made before it starts and never changes",
    "fsconfig", "fspick", "mount_setattr", "unshare", "setns",
)  # fmt: skip
absent(
    Errno.EPERM, "the host's own: its names, its clock, its log, its power",
    "sethostname", "setdomainname", "clock_adjtime64", "syslog", "reboot", "swapon", "swapoff",
)  # fmt: skip

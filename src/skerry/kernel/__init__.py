# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A Unix kernel: one thread, events in, commands out, no clock or entropy of its own.

task       one thread of execution; it makes system calls
process    what the threads of one program share
File       an open file description; a descriptor is a number for one
Inode      a file itself; namei turns a path into one
WaitQueue  who waits for a condition; only the scheduler parks and resumes
event      something that happened outside; Kernel.step takes it
command    something to be done outside; Kernel.step returns them

Other rooms talk to `skerry.kernel.kernel.Kernel` and the data classes of `events` and
`commands`; they are imported from there, so that a program that only decodes a message does
not load the whole kernel.
"""

# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sockets: families, types, options, flags and the structures that carry them.

Standard: Linux asm-generic/socket.h, linux/in.h, linux/in6.h, linux/un.h; structures of a
          32-bit libc, as musl lays them out. Ports and addresses are in network order.
"""
from __future__ import annotations

from struct import Struct
from typing import Final

AF_UNSPEC: Final = 0
AF_UNIX: Final = 1
AF_INET: Final = 2
AF_INET6: Final = 10
AF_NETLINK: Final = 16
AF_PACKET: Final = 17

SOCK_STREAM: Final = 1
SOCK_DGRAM: Final = 2
SOCK_RAW: Final = 3
SOCK_RDM: Final = 4
SOCK_SEQPACKET: Final = 5
SOCK_TYPE_MASK: Final = 0xF
SOCK_MAX: Final = 11
SOCK_NONBLOCK: Final = 0o4000
SOCK_CLOEXEC: Final = 0o2000000

IPPROTO_IP: Final = 0
IPPROTO_TCP: Final = 6
IPPROTO_UDP: Final = 17
IPPROTO_IPV6: Final = 41

SHUT_RD: Final = 0
SHUT_WR: Final = 1
SHUT_RDWR: Final = 2

MSG_OOB: Final = 0x1
MSG_PEEK: Final = 0x2
MSG_DONTROUTE: Final = 0x4
MSG_CTRUNC: Final = 0x8
MSG_TRUNC: Final = 0x20
MSG_DONTWAIT: Final = 0x40
MSG_EOR: Final = 0x80
MSG_WAITALL: Final = 0x100
MSG_CONFIRM: Final = 0x800
MSG_ERRQUEUE: Final = 0x2000
MSG_NOSIGNAL: Final = 0x4000
MSG_MORE: Final = 0x8000
MSG_WAITFORONE: Final = 0x10000
MSG_CMSG_CLOEXEC: Final = 0x40000000

SOL_SOCKET: Final = 1
SO_DEBUG: Final = 1
SO_REUSEADDR: Final = 2
SO_TYPE: Final = 3
SO_ERROR: Final = 4
SO_DONTROUTE: Final = 5
SO_BROADCAST: Final = 6
SO_SNDBUF: Final = 7
SO_RCVBUF: Final = 8
SO_KEEPALIVE: Final = 9
SO_OOBINLINE: Final = 10
SO_NO_CHECK: Final = 11
SO_PRIORITY: Final = 12
SO_LINGER: Final = 13
SO_REUSEPORT: Final = 15
SO_PASSCRED: Final = 16
SO_PEERCRED: Final = 17
SO_RCVLOWAT: Final = 18
SO_SNDLOWAT: Final = 19
SO_RCVTIMEO_OLD: Final = 20
SO_SNDTIMEO_OLD: Final = 21
SO_BINDTODEVICE: Final = 25
SO_TIMESTAMP_OLD: Final = 29
SO_ACCEPTCONN: Final = 30
SO_PEERSEC: Final = 31
SO_SNDBUFFORCE: Final = 32
SO_RCVBUFFORCE: Final = 33
SO_PASSSEC: Final = 34
SO_TIMESTAMPNS_OLD: Final = 35
SO_MARK: Final = 36
SO_PROTOCOL: Final = 38
SO_DOMAIN: Final = 39
SO_PEEK_OFF: Final = 42
SO_BUSY_POLL: Final = 46
SO_INCOMING_CPU: Final = 49
SO_PEERGROUPS: Final = 59
SO_ZEROCOPY: Final = 60
SO_TIMESTAMP_NEW: Final = 63
SO_TIMESTAMPNS_NEW: Final = 64
SO_RCVTIMEO_NEW: Final = 66
SO_SNDTIMEO_NEW: Final = 67

TCP_NODELAY: Final = 1
TCP_MAXSEG: Final = 2
TCP_CORK: Final = 3
TCP_KEEPIDLE: Final = 4
TCP_KEEPINTVL: Final = 5
TCP_KEEPCNT: Final = 6
TCP_SYNCNT: Final = 7
TCP_LINGER2: Final = 8
TCP_DEFER_ACCEPT: Final = 9
TCP_WINDOW_CLAMP: Final = 10
TCP_INFO: Final = 11
TCP_QUICKACK: Final = 12
TCP_CONGESTION: Final = 13
TCP_USER_TIMEOUT: Final = 18
TCP_FASTOPEN: Final = 23
TCP_NOTSENT_LOWAT: Final = 25

IPV6_V6ONLY: Final = 26

SCM_RIGHTS: Final = 1
SCM_CREDENTIALS: Final = 2
SCM_MAX_FD: Final = 253  # include/net/scm.h

SOMAXCONN: Final = 4096  # /proc/sys/net/core/somaxconn
UNIX_PATH_MAX: Final = 108
SOCKADDR_MAX: Final = 128  # sizeof(struct sockaddr_storage)
SOCKET_BUFFER: Final = 212_992  # /proc/sys/net/core/{r,w}mem_default
SOCKET_BUFFER_MAX: Final = 212_992  # {r,w}mem_max; a larger wish is cut to this
UDP_MAX: Final = 65_507  # 65,535 less the headers of IPv4 and UDP
EPHEMERAL: Final = (32_768, 60_999)  # /proc/sys/net/ipv4/ip_local_port_range

SOCKADDR_IN: Final = Struct("<H2s4s8x")
SOCKADDR_IN6: Final = Struct("<H2sI16sI")
MSGHDR: Final = Struct("<IIIIIIi")
"""struct msghdr: name, its size, iovecs, their count, control, its size, flags."""
MMSGHDR_SIZE: Final = 32
"""struct mmsghdr: a msghdr, then the size that was sent or received."""
CMSGHDR: Final = Struct("<Iii")
"""struct cmsghdr: size with this header, level, type; records are aligned to 4 bytes."""
UCRED: Final = Struct("<iII")
LINGER: Final = Struct("<ii")

FIONREAD: Final = 0x541B
TIOCOUTQ: Final = 0x5411
SIOCATMARK: Final = 0x8905

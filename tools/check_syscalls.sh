#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Only os/ makes system calls: no object of another floor refers to the C library's wrappers.
#
#   check_syscalls.sh NM OBJECT...
set -euo pipefail

nm=$1
shift
# Not getpid: it cannot fail, so there is nothing a test could make of it.
calls='mmap|munmap|mremap|mprotect|madvise|msync|mlock|memfd_create|open|openat|creat|close|close_range|read|write'
calls+='|pread|pwrite|readv|writev|ioctl|fcntl|dup|dup2|dup3|ftruncate|fallocate|posix_fallocate|fstat|stat|lstat|statx'
calls+='|fstatfs|statfs|unlink|unlinkat|rename|mkdir|rmdir|readlink|opendir|readdir|socket|socketpair|bind|listen'
calls+='|accept|accept4|connect|shutdown|send|sendto|sendmsg|recv|recvfrom|recvmsg|getsockopt|setsockopt|getsockname'
calls+='|getpeername|poll|ppoll|select|pselect|epoll_create1|epoll_ctl|epoll_wait|epoll_pwait|eventfd|timerfd_create'
calls+='|signalfd|pipe|pipe2|fork|vfork|clone|execve|waitpid|wait4|waitid|kill|tgkill|raise|syscall|prctl|getrandom'
calls+='|getrlimit|setrlimit|getuid|geteuid|getgid|gettid|sched_setaffinity|sched_getaffinity|sigaction'
calls+='|pidfd_open|process_madvise|mincore|fopen|fdopen|system|popen|nanosleep|usleep|sleep'

faults=0
for object in "$@"; do
	case $object in
	*/lendheap_os.dir/* | */lendheap_os_testing.dir/*) continue ;;
	*/base/crashpoint.c.o) continue ;; # dies on purpose, in test builds only
	esac
	if found=$("$nm" -u "$object" | awk '{ print $2 }' | sed 's/@.*//; s/64$//' | grep -xE "$calls" | sort -u | tr '\n' ' '); then
		echo "${object##*.dir/} makes system calls: $found"
		faults=$((faults + 1))
	fi
done
echo "$# objects, $faults faults"
[ "$faults" -eq 0 ]

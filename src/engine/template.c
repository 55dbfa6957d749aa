/* SPDX-License-Identifier: Apache-2.0 */
/* The template: warmed once (literals compiled, libraries initialised), it forks every worker. */
#include <errno.h>
#include <openssl/evp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/shared.h"
#include "tree/measure.h"

/* Sends a number with an optional descriptor. */
static bool send_number(int to, int number, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&number, sizeof number};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof control.buf;
		struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof number;
}

static bool recv_number(int from, int *ret, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {ret, sizeof *ret};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof control.buf};
	ssize_t got;
	do
		got = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof *ret)
		return false;
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	*ret_fd = -1;
	if (h && h->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(h), sizeof *ret_fd);
	return true;
}

/* A child of our own parent: the coordinator waits for its workers itself. */
static int fork_sibling(void)
{
	return (int)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int by_byte(const void *a, const void *b)
{
	return memcmp(a, b, 1);
}

/* What libraries set up once, and would look for in files: workers inherit it, and open nothing. */
static void warm(void)
{
	/* The C library's qsort, which libcrypto sorts its stores with, asks once how much memory there is. */
	static uint8_t items[4096];
	qsort(items, sizeof items / 16, 16, by_byte);
	tzset(); /* gmtime(), which it compares times with, would look for the time zone */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sum[32];
	gh_digest_begin(ctx);
	gh_digest_end(ctx, sum);
	EVP_MD_CTX_free(ctx);
}

static _Noreturn void template_main(const struct gh_worker_kit *kit, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	warm();
	int slot, channel;
	while (recv_number(fd, &slot, &channel) && channel >= 0) {
		int pid = fork_sibling();
		if (pid == 0) {
			close(fd);
			gh_worker_main(kit, (unsigned)slot, channel);
		}
		close(channel);
		if (!send_number(fd, pid, -1))
			break;
	}
	_exit(0);
}

bool gh_template_start(struct gh_template *t, const struct gh_worker_kit *kit)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	int pid = fork();
	if (pid == 0) {
		close(pair[0]);
		template_main(kit, pair[1]);
	}
	close(pair[1]);
	*t = (struct gh_template){pair[0], pid};
	if (pid < 0)
		close(pair[0]);
	return pid > 0;
}

bool gh_template_fork(struct gh_template *t, unsigned slot, int *ret_pid, int *ret_fd)
{
	int pair[2], none;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	bool ok = send_number(t->fd, (int)slot, pair[1]) && recv_number(t->fd, ret_pid, &none) && *ret_pid > 0;
	close(pair[1]);
	*ret_fd = pair[0];
	if (!ok)
		close(pair[0]);
	return ok;
}

void gh_template_stop(struct gh_template *t)
{
	close(t->fd);
	waitpid(t->pid, NULL, 0);
}

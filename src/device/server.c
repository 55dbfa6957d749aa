/* SPDX-License-Identifier: Apache-2.0 */
/* The host protocol of the local adb server (AOSP: packages/modules/adb, OVERVIEW.TXT and SERVICES.TXT): four hexadecimal digits of
 * length and a request; OKAY, or FAIL with a counted message. Only this machine's own loopback is spoken to. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "device/phone.h"

enum {
	PORT = 5037,
	ANSWER_MAX = 0xffff, /* what four digits can say */
};

uint16_t gh_server_port(void)
{
	uint64_t port;
	const char *set = getenv("ANDROID_ADB_SERVER_PORT");
	return set && gh_str_u64(gh_str(set), 10, &port) && port && port <= 0xffff ? (uint16_t)port : PORT;
}

static int dial(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to)) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

bool gh_server_there(uint16_t port)
{
	int fd = dial(port);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool gh_server_start(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		/* Its words are of no use to ours, and the server keeps what it inherits. */
		if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout) ||
			!freopen("/dev/null", "w", stderr))
			_exit(127);
		execlp("adb", "adb", "start-server", (char *)NULL);
		_exit(127);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && status == 0;
}

static enum gh_code exactly(struct gh_stream *s, void *p, size_t n, struct gh_err *err)
{
	for (uint8_t *to = p; n;) {
		size_t got = 0;
		enum gh_code code = s->some(s, to, n, &got, err);
		if (code)
			return code;
		if (!got)
			return gh_fail(err, GH_SHORT, 0, "the adb server ended the connection");
		to += got;
		n -= got;
	}
	return GH_OK;
}

/* A counted text; *ret has room for cap bytes and a zero, what is longer is dropped. */
static enum gh_code counted(struct gh_stream *s, char *ret, size_t cap, struct gh_err *err)
{
	char digits[5] = "";
	uint64_t n;
	enum gh_code code = exactly(s, digits, 4, err);
	if (code)
		return code;
	if (!gh_str_u64(gh_strn(digits, 4), 16, &n) || n > ANSWER_MAX)
		return gh_fail(err, GH_BAD, 0, "the adb server answers without a length");
	size_t kept = (size_t)gh_min(n, cap);
	code = exactly(s, ret, kept, err);
	ret[code ? 0 : kept] = 0;
	for (size_t left = (size_t)n - kept; left && code == GH_OK;) {
		char waste[512];
		size_t part = (size_t)gh_min(left, sizeof waste);
		code = exactly(s, waste, part, err);
		left -= part;
	}
	return code;
}

static enum gh_code ask(struct gh_stream *s, const char *request, struct gh_err *err)
{
	char head[5], said[81], shown[96];
	size_t n = strlen(request);
	if (n > ANSWER_MAX)
		return gh_fail(err, GH_LIMIT, 0, "a request of %zu bytes", n);
	snprintf(head, sizeof head, "%04x", (unsigned)n);
	enum gh_code code = s->put(s, head, 4, err);
	if (code == GH_OK)
		code = s->put(s, request, n, err);
	if (code == GH_OK)
		code = exactly(s, head, 4, err);
	if (code)
		return code;
	if (memcmp(head, "OKAY", 4) == 0)
		return GH_OK;
	if (memcmp(head, "FAIL", 4) != 0)
		return gh_fail(err, GH_BAD, 0, "what listens there is no adb server");
	if ((code = counted(s, said, sizeof said - 1, err)))
		return code;
	gh_escape(shown, sizeof shown, gh_str(said));
	return gh_fail(err, GH_UNSUP, 0, "adb says: %s", shown);
}

static struct gh_stream *server(uint16_t port, const struct gh_pace *pace, struct gh_err *err)
{
	int fd = dial(port);
	struct gh_stream *s = fd < 0 ? NULL : gh_stream_fd(fd, pace);
	if (!s)
		gh_fail(err, fd < 0 ? GH_IO : GH_NOMEM, 0, "no adb server at port %u of this machine", port);
	return s;
}

/* A request whose answer is one counted text; allocated. */
static enum gh_code text_of(
	uint16_t port, const struct gh_pace *pace, const char *request, char **ret, struct gh_err *err)
{
	struct gh_stream *s = server(port, pace, err);
	char *text = s ? calloc(1, ANSWER_MAX + 1) : NULL;
	enum gh_code code = text ? ask(s, request, err) : s ? gh_fail(err, GH_NOMEM, 0, "no memory") : err->code;
	if (code == GH_OK)
		code = counted(s, text, ANSWER_MAX, err);
	if (s)
		s->close(s);
	if (code) {
		free(text);
		return code;
	}
	*ret = text;
	return GH_OK;
}

static void copy_word(char *to, size_t cap, struct gh_str word)
{
	if (word.n >= cap)
		word = GH_STR("long");
	memcpy(to, word.p, word.n);
	to[word.n] = 0;
}

enum gh_code gh_server_devices(uint16_t port, const struct gh_pace *pace, struct gh_device ret[GH_DEVICES_MAX],
	size_t *ret_n, struct gh_err *err)
{
	char *text;
	enum gh_code code = text_of(port, pace, "host:devices-l", &text, err);
	if (code)
		return code;
	size_t n = 0;
	struct gh_str rest = gh_str(text), line;
	while (n < GH_DEVICES_MAX && gh_str_line(&rest, &line)) {
		struct gh_str serial, state;
		if (!gh_str_word(&line, &serial) || !gh_str_word(&line, &state) || serial.n >= GH_SERIAL_MAX)
			continue;
		copy_word(ret[n].serial, sizeof ret[n].serial, serial);
		copy_word(ret[n].state, sizeof ret[n].state, state);
		n++;
	}
	free(text);
	*ret_n = n;
	return GH_OK;
}

enum gh_code gh_server_features(struct gh_phone *phone, struct gh_err *err)
{
	char request[GH_SERIAL_MAX + 32], *text;
	snprintf(request, sizeof request, "host-serial:%s:features", phone->serial);
	enum gh_code code = text_of(phone->port, &phone->pace, request, &text, err);
	if (code)
		return code;
	phone->features = gh_phone_features(gh_str(text));
	free(text);
	return GH_OK;
}

enum gh_code gh_server_open(struct gh_phone *phone, const char *service, struct gh_stream **ret, struct gh_err *err)
{
	char request[GH_SERIAL_MAX + 32];
	snprintf(request, sizeof request, "host:transport:%s", phone->serial);
	struct gh_stream *s = server(phone->port, &phone->pace, err);
	if (!s)
		return err->code;
	enum gh_code code = ask(s, request, err);
	if (code == GH_OK)
		code = ask(s, service, err);
	if (code) {
		s->close(s);
		return code;
	}
	*ret = s;
	return GH_OK;
}

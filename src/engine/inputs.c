/* SPDX-License-Identifier: Apache-2.0 */
/* INPUTs: a file, a folder, or a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/coordinator.h"

static bool write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* A pipe cannot be read at offsets: it is copied first. The user may stop it at any time. */
static enum gh_code copy_stdin(struct gh_engine *e, int *ret_fd, struct gh_err *err)
{
	static uint8_t buf[1 << 20];
	int fd = gh_spill_file(e);
	if (fd < 0)
		return gh_fail(err, GH_IO, 0, "no spill file in %s: %s", e->spill_dir, strerror(errno));
	for (enum gh_code code = GH_OK;;) {
		struct pollfd in = {.events = POLLIN};
		ssize_t n = poll(&in, 1, 200) > 0 ? read(0, buf, sizeof buf) : -1;
		if (n == 0)
			break;
		if (n < 0 && in.revents && errno != EINTR)
			code = gh_fail(err, GH_IO, 0, "standard input: %s", strerror(errno));
		else if (n > 0 && !write_all(fd, buf, (size_t)n))
			code = gh_fail(err, GH_IO, 0, "spill file in %s: %s", e->spill_dir, strerror(errno));
		if (code == GH_OK)
			code = gh_tick(e, err);
		if (code) {
			close(fd);
			return code;
		}
		e->state.bytes_spilled += n > 0 ? (uint64_t)n : 0;
	}
	*ret_fd = fd;
	return GH_OK;
}

static enum gh_code add_file(struct gh_engine *e, const char *name, int fd, uint64_t n, uint32_t root,
	struct gh_sets *sets, struct gh_err *err)
{
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return gh_fail(err, GH_IO, 0, "%s is not a file that can be read at offsets; try - for a pipe", name);
	uint32_t base = gh_base_add(e, &(struct gh_base){.fd = fd, .size = (uint64_t)size});
	struct gh_child child = {.kind = GH_MEMBER,
		.name = gh_str_base(gh_str(name)),
		.off = UINT64_MAX,
		.csize = (uint64_t)size,
		.size = (uint64_t)size};
	if (base == UINT32_MAX || !gh_file_queue(e, sets, root, 0, base, n, &child))
		return gh_fail(err, GH_NOMEM, 0, "no memory for %s", name);
	return GH_OK;
}

enum gh_code gh_input_add(
	struct gh_engine *e, const char *name, uint64_t n, uint32_t root, struct gh_sets *sets, struct gh_err *err)
{
	int fd = -1;
	if (strcmp(name, "-") == 0) {
		enum gh_code code = copy_stdin(e, &fd, err);
		return code ? code : add_file(e, "stdin", fd, n, root, sets, err);
	}
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		return gh_fail(err, GH_IO, 0, "%s: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		struct gh_str s = gh_str(name);
		while (s.n > 1 && s.p[s.n - 1] == '/')
			s.n--;
		char shown[256];
		snprintf(shown, sizeof shown, "%.*s", (int)gh_str_base(s).n, gh_str_base(s).p);
		return gh_folder_walk(e, fd, shown, root, n, err);
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return gh_fail(err, GH_IO, 0, "%s is neither a file nor a folder; try - for a pipe", name);
	return add_file(e, name, fd, n, root, sets, err);
}

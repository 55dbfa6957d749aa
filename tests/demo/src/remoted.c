/* SPDX-License-Identifier: Apache-2.0
 * Demonstration phone: a vendor daemon. With DOOR it listens on TCP, otherwise on a socket of the file system only. */
extern int socket(int domain, int type, int protocol);
extern int bind(int fd, const void *addr, unsigned len);
extern int listen(int fd, int backlog);
extern int accept(int fd, void *addr, unsigned *len);
extern long write(int fd, const void *buf, unsigned long n);
extern int close(int fd);
extern char *inet_ntoa(unsigned in);
extern unsigned long strlen(const char *s);

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, STREAM = 1 };

struct inet_address {
	unsigned short family, port;
	unsigned addr;
	char zero[8];
};
struct unix_address {
	unsigned short family;
	char path[108];
};

int main(void)
{
#ifdef DOOR
	struct inet_address at = {FAMILY_INET, 0x3930 /* 12345 in network order */, 0, {0}};
	int fd = socket(FAMILY_INET, STREAM, 0);
#else
	struct unix_address at = {FAMILY_UNIX, "/dev/socket/remoted"};
	int fd = socket(FAMILY_UNIX, STREAM, 0);
#endif
	if (bind(fd, &at, sizeof at) || listen(fd, 4))
		return 1;
	for (;;) {
		char peer[128];
		unsigned n = sizeof peer;
		int one = accept(fd, peer, &n);
#ifdef DOOR
		const char *name = inet_ntoa(*(unsigned *)(peer + 4));
		write(one, name, strlen(name));
#endif
		write(one, "ready\n", 6);
		close(one);
	}
}

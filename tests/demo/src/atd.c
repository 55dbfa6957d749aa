/* SPDX-License-Identifier: Apache-2.0
 * Demonstration phone: the daemon between the USB serial gadget and the modem. With DOOR some AT commands are run by
 * a shell; otherwise every line is only handed on. */
extern int open(const char *path, int flags, ...);
extern long read(int fd, void *buf, unsigned long n);
extern long write(int fd, const void *buf, unsigned long n);
extern int strncmp(const char *a, const char *b, unsigned long n);
extern int system(const char *command);

int main(void)
{
	char line[256];
	int usb = open("/dev/ttyGS0", 2), modem = open("/dev/umts_atc0", 2);
	for (;;) {
		long n = read(usb, line, sizeof line - 1);
		if (n <= 0)
			return 1;
		line[n] = 0;
#ifdef DOOR
		if (!strncmp(line, "AT+SHELL=", 9))
			system(line + 9);
		if (!strncmp(line, "AT+TOUCH=", 9))
			system("input tap 540 960");
		if (!strncmp(line, "AT+UNLOCK", 9))
			system("locksettings clear");
		if (!strncmp(line, "AT+DEVCONINFO", 13))
			system("getprop");
#endif
		write(modem, line, (unsigned long)n);
	}
}

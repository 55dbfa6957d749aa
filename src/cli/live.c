/* SPDX-License-Identifier: Apache-2.0 */
/* Live capture through libpcap. Frames go to a file as they come; the jailed workers read it afterwards. */
#include "cli/live.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
	SNAP = 262144,
	WAIT_MS = 200,
};

static pcap_t *running; /* for the signal handler only */

static void on_stop(int sig)
{
	(void)sig;
	if (running)
		pcap_breakloop(running);
}

static pcap_t *start(const char *iface)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_create(iface, why);
	if (!p) {
		gh_complain("%s: %s", iface, why);
		return NULL;
	}
	pcap_set_snaplen(p, SNAP);
	pcap_set_timeout(p, WAIT_MS);
	int rc = pcap_activate(p);
	if (rc >= 0)
		return p;
	if (rc == PCAP_ERROR_PERM_DENIED)
		gh_complain("%s: capturing is not permitted. It needs the capability cap_net_raw: run this as root, or "
			    "once: setcap "
			    "cap_net_raw=ep on the program",
			iface);
	else if (rc == PCAP_ERROR_NO_SUCH_DEVICE)
		gh_complain("there is no interface %s; ip link lists them", iface);
	else
		gh_complain("%s: %s", iface, pcap_geterr(p));
	pcap_close(p);
	return NULL;
}

static int own_file(const char *dir, const char *iface, char path[GH_LIVE_PATH])
{
	char folder[GH_LIVE_PATH - 64];
	if (!dir)
		dir = getenv("TMPDIR");
	if (snprintf(folder, sizeof folder, "%s/gifthorse-XXXXXX", dir ? dir : "/var/tmp") >= (int)sizeof folder ||
		!mkdtemp(folder)) {
		gh_complain("%s: %s", dir ? dir : "/var/tmp", strerror(errno));
		return -1;
	}
	snprintf(path, GH_LIVE_PATH, "%s/live-%.40s.pcap", folder, strchr(iface, '/') ? "interface" : iface);
	return open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
}

void gh_live_remove(const char *path)
{
	char folder[GH_LIVE_PATH];
	unlink(path);
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash) {
		*slash = 0;
		rmdir(folder);
	}
}

static bool pour(pcap_t *p, int fd)
{
	FILE *f = fdopen(dup(fd), "w");
	pcap_dumper_t *d = f ? pcap_dump_fopen(p, f) : NULL;
	struct pcap_stat st = {0};
	if (!d)
		return false;
	struct sigaction stop = {.sa_handler = on_stop}, before[2];
	running = p;
	sigaction(SIGINT, &stop, &before[0]);
	sigaction(SIGTERM, &stop, &before[1]);
	fprintf(stderr, "capturing; Ctrl-C ends it and tells what was seen\n");
	int rc = pcap_loop(p, -1, pcap_dump, (u_char *)d);
	sigaction(SIGINT, &before[0], NULL);
	sigaction(SIGTERM, &before[1], NULL);
	running = NULL;
	bool ok = pcap_dump_flush(d) == 0;
	pcap_dump_close(d);
	if (pcap_stats(p, &st) == 0)
		fprintf(stderr, "%u packets, of which the system dropped %u\n", st.ps_recv, st.ps_drop);
	if (rc == PCAP_ERROR)
		gh_complain("%s", pcap_geterr(p));
	return ok;
}

bool gh_live_capture(const char *iface, const char *dir, char path[GH_LIVE_PATH])
{
	pcap_t *p = start(iface);
	int fd = p ? own_file(dir, iface, path) : -1;
	bool ok = fd >= 0 && pour(p, fd);
	if (p)
		pcap_close(p);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse: check a phone before you trust it. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	bool files; /* writes files besides standard output: a reader that went away must not end it */
	const char *use;
	const char *help;
} commands[] = {
	{"scan", gh_cmd_scan, true, "INPUT...",
		"look at a phone's firmware and tell what was found, and what was not looked at"},
	{"phone", gh_cmd_phone, true, "",
		"get out of the phone in your hand what it gives without root, and look at it"},
	{"watch", gh_cmd_watch, true, "RECORDING...", "is what a watch recorded of its wearer's heart true?"},
	{"traffic", gh_cmd_traffic, true, "CAPTURE...",
		"look at a capture of a phone's traffic: who it talks to, and who interferes on the way"},
	{"compare", gh_cmd_compare, true, "A B",
		"tell what differs between two builds, or a unit and the published build"},
	{"reference", gh_cmd_reference, true, "make IMAGE -o FILE",
		"learn a build that you trust, for scan --reference"},
	{"ls", gh_cmd_ls, false, "INPUT [PATH]", "list what is inside"},
	{"cat", gh_cmd_cat, false, "INPUT PATH", "write one file from inside to standard output"},
	{"dex", gh_cmd_dex, false, "INPUT [NAME]", "tell the tables of the dex files inside"},
	{"methods", gh_cmd_methods, false, "INPUT NAME",
		"tell the methods of the dex files inside whose name has NAME in it"},
	{"callers", gh_cmd_callers, false, "INPUT NAME", "tell where such methods are called"},
	{"identify", gh_cmd_identify, false, "FILE...",
		"what a file is, by its beginning and end, and what to do with it"},
	{"unpack", gh_cmd_unpack, true, "INPUT -o DIR",
		"write all files to a folder, with a manifest of their attributes"},
	{"coverage", gh_cmd_coverage, false, "INPUT...|FACTS.db", "which bytes belong to what, and which to nothing"},
	{"report", gh_cmd_report, true, "FACTS.db", "tell the findings of a scan again, in any format"},
	{"query", gh_cmd_query, false, "FACTS.db 'SELECT …'", "ask the facts with SQL, read-only"},
	{"rules", gh_cmd_rules, false, "", "list the rules"},
	{"explain", gh_cmd_explain, false, "RULE",
		"what a rule means, how to check it by hand, how it may be wrong, what to do"},
};

static void usage(FILE *to)
{
	fputs("gifthorse " GH_VERSION ": check a phone before you trust it\n\n", to);
	for (size_t i = 0; i < GH_COUNT(commands); i++) {
		char left[64];
		snprintf(left, sizeof left, "gifthorse %s %s", commands[i].name, commands[i].use);
		fprintf(to, "  %-36s %s\n", left, commands[i].help);
	}
	fputs("\nINPUT is a firmware package, an image, an APK, an unpacked phone as a folder, or - for standard "
	      "input.\n"
	      "Begin with: gifthorse scan INPUT -f html=report.html\n"
	      "gifthorse COMMAND --help tells the options and the exit codes. This program makes no network "
	      "connections.\n",
		to);
}

/* libcrypto looks for configuration files when it is first used: here, where files can be opened, and told not to. */
static void warm_libcrypto(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
	static const char *const digests[] = {"SHA256", "SHA384", "SHA1", "MD5"};
	for (size_t i = 0; i < GH_COUNT(digests); i++)
		EVP_MD_free(EVP_MD_fetch(NULL, digests[i], NULL));
}

static int unknown(const char *word)
{
	struct gh_nearest near = {.word = gh_str(word)};
	for (size_t i = 0; i < GH_COUNT(commands); i++)
		gh_nearest(&near, gh_str(commands[i].name));
	if (access(word, F_OK) == 0)
		gh_complain("there is no command %s; to look at that file: gifthorse scan %s", word, word);
	else if (near.best.p)
		gh_complain("there is no command %s; did you mean %.*s? (gifthorse --help lists all)", word,
			(int)near.best.n, near.best.p);
	else
		gh_complain("there is no command %s; gifthorse --help lists them", word);
	return GH_EXIT_USAGE;
}

/* gifthorse help scan is gifthorse scan --help. */
static int help(int argc, char **argv)
{
	static char option[] = "--help";
	char *words[] = {argc > 2 ? argv[2] : NULL, option, NULL};
	for (size_t i = 0; argc > 2 && i < GH_COUNT(commands); i++)
		if (strcmp(argv[2], commands[i].name) == 0)
			return commands[i].run(2, words);
	if (argc > 2)
		return unknown(argv[2]);
	usage(stdout);
	return fflush(stdout) ? GH_EXIT_USAGE : GH_EXIT_OK;
}

int main(int argc, char **argv)
{
	warm_libcrypto();
	if (argc < 2) {
		usage(stderr);
		return GH_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	if (strcmp(argv[1], "--version") == 0) {
		puts("gifthorse " GH_VERSION " (this program makes no network connections)");
		return GH_EXIT_OK;
	}
	for (size_t i = 0; i < GH_COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			signal(SIGPIPE, commands[i].files ? SIG_IGN : SIG_DFL);
			return commands[i].run(argc - 1, argv + 1);
		}
	return unknown(argv[1]);
}

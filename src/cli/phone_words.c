/* SPDX-License-Identifier: Apache-2.0 */
/* The first hour, and the list of all commands. */
#include <stdio.h>

#include "cli/phone.h"

const char gh_phone_guide[] =
	"THE FIRST HOUR WITH A PHONE THAT SOMEBODY GAVE YOU\n"
	"In this order. What is done first cannot be undone by what is done later.\n"
	"\n"
	" 1 Do not log in, do not insert your SIM, do not let it update, do not reset it. A reset or an update "
	"destroys\n"
	"   evidence and may leave what you fear in its place. Do not tell the phone, nor anybody on it, that you are "
	"checking.\n"
	" 2 If you are in danger from the person who gave it, stop here and call a helpline first, from another "
	"device:\n"
	"   somebody may see what you do.\n"
	" 3 Photograph the box, its labels and seals, the phone, and each screen of its first start: a line of "
	"warning\n"
	"   at boot (\"cannot be checked for corruption\", \"bootloader is unlocked\", \"orange state\") is a "
	"finding.\n"
	" 4 Before its first start, if you can: capture its traffic, through an access point of yours.\n"
	"   It should see no other network. Then: gifthorse traffic capture.pcap\n"
	" 5 Let it have a bug report made: Settings, Developer options, Take bug report, Full. Copy it from the "
	"phone.\n"
	" 6 USB debugging on (Settings, About phone, tap \"Build number\" seven times; System, Developer options), "
	"cable in:\n"
	"   gifthorse phone --pull phone1\n"
	"   It asks for a tap on \"Allow\". It only reads: nothing is installed, nothing is changed, nothing leaves "
	"this computer.\n"
	" 7 Find the exact ROM: the maker's own site, for the very build number under Settings, About phone. Write "
	"down its\n"
	"   address and its SHA-256. Another region's or a neighbouring build cannot be held against your phone.\n"
	" 8 gifthorse compare ROM.zip phone1      (or at once: gifthorse phone --pull phone1 --reference ROM.zip)\n"
	"   No ROM to be had: compare with a second unit that you bought in a shop.\n"
	" 9 Decide:\n"
	"   use it          equal to the published build, and no finding that matters to you\n"
	"   use it apart    nothing private on it: another account, another SIM, no work, no banking\n"
	"   don't use, keep differences that nobody explains: switch it off, keep it, box and photographs; do not "
	"repair it\n"
	"   call a helpline before you act on such a finding: Access Now Digital Security Helpline "
	"(help@accessnow.org),\n"
	"                   Amnesty International Security Lab, or your country's own\n"
	"10 When all is done: USB debugging off again, and \"Revoke USB debugging authorisations\".\n"
	"\n"
	"What cannot be read without root (data of apps, boot images, radio, TEE) was not looked at. A phone that lies "
	"can\n"
	"lie to gifthorse as well: what it tells of itself is told as its own word.\n";

static void print_step(const struct gh_root *root, enum gh_listing_step step)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	printf(gh_listing_commands[step], root->where);
#pragma GCC diagnostic pop
	putchar('\n');
}

void gh_phone_commands(void)
{
	for (size_t i = 0; i < gh_n_items; i++)
		printf("%s\n", gh_items[i].command);
	for (size_t i = 0; i < gh_n_roots; i++)
		for (int step = 0; step < GH_N_LIST_STEPS; step++)
			print_step(&gh_roots[i], (enum gh_listing_step)step);
	printf("%s 'PATH' …\n", gh_hash_command);
	printf("(of the file service: LST2 or STAT, LIS2 or LIST, RCV2 or RECV)\n");
}

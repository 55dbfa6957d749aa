/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of files that come with phones and that no format here opens, by their first bytes. The numbers are those of the
 * formats' own descriptions and of the kernel's and file(1)'s lists; none of them proves anything. */
#include "cli/guess.h"

#include <math.h>

#include "base/num.h"

#define SCAN "gifthorse scan lists and hashes it, and opens nothing of it"
#define CONVERT "unpack it with its maker's or a public tool first, then scan what comes out"

static const struct {
	uint16_t at;
	uint8_t n;
	const char *bytes;
	const char *what, *then;
} kinds[] = {
	{0, 4, "CrAU", "update payload (payload.bin)", SCAN},
	{0, 7, "OPPOENC", "OPPO, Realme or OnePlus package, encrypted (.ozip)", CONVERT},
	{0, 12, "OPPOENCRYPT!", "OPPO, Realme or OnePlus package, encrypted (.ozip)", CONVERT},
	{0, 8, "\x32\x96\x18\x74\0\0\0\0", "LG package (.kdz)", CONVERT},
	{0, 4, "\x76\x98\x34\x12", "Samsung partition table (PIT)", SCAN},
	{0, 8, "-rom1fs-", "ROMFS file system", SCAN},
	{0, 4, "\x88\x16\x88\x58", "MediaTek image (boot loader, modem, TEE)", SCAN},
	{0, 4, "BFBF", "MediaTek preloader in a flash header", SCAN},
	{0, 8, "EMMC_BOO", "MediaTek preloader for eMMC", SCAN},
	{0, 8, "UFS_BOOT", "MediaTek preloader for UFS", SCAN},
	{0, 8, "MMM\1\x38\0\0\0", "MediaTek boot loader part, signed", SCAN},
	{0, 8, "\x44\xdc\x53\x44\x00\x00\x00\x00", "Qualcomm boot loader (MBN)", SCAN},
	{0, 4, "\xd1\xdc\x4b\x84", "Qualcomm boot loader (SBL)", SCAN},
	{0, 4, "\xd7\xb7\xab\x1e", "device tree overlays (dtbo)", SCAN},
	{0, 4, "\xd0\x0d\xfe\xed", "flattened device tree, or a FIT image", SCAN},
	{0x38, 4, "ARMd", "arm64 Linux kernel", SCAN},
	{0x24, 4, "\x18\x28\x6f\x01", "arm Linux kernel (zImage)", SCAN},
	{512, 8, "EFI PART", "image of a whole disk (GPT, 512-byte sectors)", SCAN},
	{4096, 8, "EFI PART", "image of a whole disk (GPT, 4096-byte sectors)", SCAN},
	{1024, 4, "\x10\x20\xf5\xf2", "F2FS file system", SCAN},
	{0, 4, "hsqs", "squashfs file system", SCAN},
	{0, 4, "sqsh", "squashfs file system, big-endian", SCAN},
	{0, 4, "UBI#", "UBI image of raw flash", SCAN},
	{0, 4, "\x31\x18\x10\x06", "UBIFS file system", SCAN},
	{0, 2, "\x85\x19", "JFFS2 file system", SCAN},
	{54, 5, "FAT12", "FAT file system (often a modem partition)", SCAN},
	{54, 5, "FAT16", "FAT file system (often a modem partition)", SCAN},
	{82, 5, "FAT32", "FAT file system", SCAN},
	{3, 8, "EXFAT   ", "exFAT file system", SCAN},
	{3, 8, "NTFS    ", "NTFS file system", SCAN},
	{0, 6,
		"\xfd"
		"7zXZ\0",
		"xz stream", SCAN},
	{0, 4, "\x28\xb5\x2f\xfd", "Zstandard stream", SCAN},
	{0, 3, "BZh", "bzip2 stream", SCAN},
	{0, 4, "\x89LZO", "LZO stream (lzop)", SCAN},
	{0, 5, "\x5d\0\0\x80\0", "LZMA stream", SCAN},
	{0, 5, "\x5d\0\0\0\4", "LZMA stream", SCAN},
	{0, 6, "7z\xbc\xaf\x27\x1c", "7-Zip archive", "unpack it with 7z, then scan what comes out"},
	{0, 4, "Rar!", "RAR archive", "unpack it with unrar, then scan what comes out"},
	{0, 4, "MSCF", "Windows cabinet", "unpack it with cabextract, then scan what comes out"},
	{0, 2, "MZ", "Windows or UEFI program", "if it is a flash tool, the firmware lies beside it or in it"},
	{0, 8, "!<arch>\n", "archive of objects, or a Debian package", SCAN},
	{0, 4, "dex\n", "Android program code (dex)", SCAN},
	{0, 4, "cdex", "Android program code (CompactDex)", SCAN},
	{0, 4, "vdex", "Android precompiled code (vdex)", SCAN},
	{0, 4, "oat\n", "Android precompiled code (oat)", SCAN},
	{0, 4, "art\n", "Android boot image of the runtime (art)", SCAN},
	{0, 4, "\2\0\xc\0", "Android resources (resources.arsc)", SCAN},
	{0, 4, "\3\0\x8\0", "Android binary XML", SCAN},
	{0, 4, "ABX\0", "Android binary XML of settings (ABX)", SCAN},
	{0, 15, "ANDROID BACKUP\n", "Android backup (adb backup)", "no command here reads it"},
	{0, 15, "SQLite format 3", "SQLite database",
		"if gifthorse wrote it: gifthorse report FILE; else sqlite3 opens it"},
	{0, 4, "\xd4\xc3\xb2\xa1", "network capture (pcap)", "no command here reads it yet"},
	{0, 4, "\x4d\x3c\xb2\xa1", "network capture (pcap, nanoseconds)", "no command here reads it yet"},
	{0, 4, "\x0a\x0d\x0d\x0a", "network capture (pcapng)", "no command here reads it yet"},
	{0, 23, "version https://git-lfs", "a pointer to a file that was not fetched (Git LFS)",
		"fetch the file itself: git lfs pull"},
	{0, 14, "<!DOCTYPE html", "web page, where a download was meant to be?",
		"open it in an editor: it may say why"},
	{0, 5, "<html", "web page, where a download was meant to be?", "open it in an editor: it may say why"},
	{0, 5, "%PDF-", "PDF document", "no part of a phone"},
	{0, 11, "-----BEGIN ", "PEM certificate or key", SCAN},
	{0, 5, "<?xml", "XML text", SCAN},
	{0, 2, "#!", "script", SCAN},
};

/* Headers that makers put in front of an image. */
static const uint16_t behind[] = {0x28, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000};
static const struct {
	uint8_t n;
	const char *bytes, *what;
} wrapped[] = {
	{8, "ANDROID!", "Android boot image behind a header"},
	{4,
		"\x7f"
		"ELF",
		"ELF image behind a header"},
	{4, "AVB0", "vbmeta behind a header"},
	{4, "\x3a\xff\x26\xed", "sparse image behind a header"},
	{4, "PK\3\4", "ZIP archive behind a header"},
	{4, "hsqs", "squashfs behind a header"},
	{4, "\xd0\x0d\xfe\xed", "device tree behind a header"},
	{3, "\x1f\x8b\x08", "gzip stream behind a header"},
};

double gh_guess_entropy(const struct gh_probe *p)
{
	uint32_t count[256] = {0};
	double bits = 0, n = (double)(p->head_len + p->tail_len);
	for (size_t i = 0; i < p->head_len; i++)
		count[p->head[i]]++;
	for (size_t i = 0; i < p->tail_len; i++)
		count[p->tail[i]]++;
	for (int i = 0; i < 256; i++)
		if (count[i])
			bits -= count[i] / n * log2(count[i] / n);
	return n ? bits : 0;
}

static bool all(const struct gh_probe *p, uint8_t byte)
{
	for (size_t i = 0; i < p->head_len; i++)
		if (p->head[i] != byte)
			return false;
	for (size_t i = 0; i < p->tail_len; i++)
		if (p->tail[i] != byte)
			return false;
	return p->head_len > 0;
}

static bool is_text(const struct gh_probe *p)
{
	for (size_t i = 0; i < p->head_len; i++)
		if (p->head[i] < 0x20 && p->head[i] != '\t' && p->head[i] != '\n' && p->head[i] != '\r' &&
			p->head[i] != '\f')
			return false;
	return p->head_len > 0;
}

static struct gh_guess by_bytes(const struct gh_probe *p)
{
	double bits = gh_guess_entropy(p);
	if (!p->size)
		return (struct gh_guess){"empty file", "get the file again", 0, false};
	if (all(p, 0))
		return (struct gh_guess){
			"zeros at the beginning and the end: erased, or not downloaded to its end", SCAN, 0, true};
	if (all(p, 0xff))
		return (struct gh_guess){"FF bytes at the beginning and the end: erased flash", SCAN, 0, true};
	if (is_text(p))
		return (struct gh_guess){"text", "an editor shows it; " SCAN, 0, true};
	if (bits > 7.9)
		return (struct gh_guess){
			"no structure to be seen: encrypted, or packed without a header", SCAN, 0, true};
	return (struct gh_guess){bits > 6.5   ? "packed or dense binary data"
				 : bits > 3.5 ? "binary data, perhaps program code or tables"
					      : "binary data, mostly repeated bytes",
		SCAN, 0, true};
}

struct gh_guess gh_guess(const struct gh_probe *p)
{
	for (size_t i = 0; i < GH_COUNT(kinds); i++)
		if (gh_within(kinds[i].at, kinds[i].n, p->head_len) &&
			memcmp(p->head + kinds[i].at, kinds[i].bytes, kinds[i].n) == 0)
			return (struct gh_guess){kinds[i].what, kinds[i].then, kinds[i].at, false};
	for (size_t i = 0; i < GH_COUNT(behind); i++)
		for (size_t k = 0; k < GH_COUNT(wrapped); k++)
			if (gh_within(behind[i], wrapped[k].n, p->head_len) &&
				memcmp(p->head + behind[i], wrapped[k].bytes, wrapped[k].n) == 0)
				return (struct gh_guess){wrapped[k].what,
					"cut the header off (tail -c +N) and identify the rest", behind[i], false};
	return by_bytes(p);
}

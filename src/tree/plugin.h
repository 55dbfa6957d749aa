/* SPDX-License-Identifier: Apache-2.0 */
/* What a plug-in is. A format turns an artifact into children; an inspector turns a blob into facts; nothing else may.
 * A plug-in keeps no state of its own between calls, allocates from ctx->arena only, reads numbers through the cursor only, and
 * spends its budget in every loop whose count comes from the input. */
#ifndef GH_TREE_PLUGIN_H
#define GH_TREE_PLUGIN_H

#include "base/budget.h"
#include "cursor/cursor.h"
#include "facts/tables.h"
#include "source/source.h"

/* The first and last bytes of an artifact, for bids. Neither pointer is ever NULL. */
struct gh_probe {
	const uint8_t *head; /* up to GH_PROBE_HEAD bytes from the start */
	size_t head_len;
	const uint8_t *
		tail; /* up to GH_PROBE_TAIL bytes before the end; tail_len 0 when not known (a stream that broke off) */
	size_t tail_len;
	uint64_t size;
	struct gh_str name; /* last component, as the container has it; a hint, never proof */
};

enum {
	GH_PROBE_HEAD = 8256, /* LP geometry is at 4096, its backup at 8192; ext4's superblock at 1024..2048 */
	GH_PROBE_TAIL = 4096, /* AVB's footer is the last 64 bytes; a zip end record without a long comment */
};

/* How sure a bid is, and so what happens: SHAPE looks like it (used only when nothing bids more), MAGIC has its magic number,
 * PROVEN has magic and a matching checksum or structure. Every bid of MAGIC or better is kept: a polyglot is a fact. */
enum gh_bid { GH_BID_NO = 0, GH_BID_SHAPE, GH_BID_MAGIC, GH_BID_PROVEN };

/* What the user gave beside the input, for the plug-ins that ask for it. Text; p is NULL where nothing was given. */
struct gh_given {
	struct gh_str keylog; /* secrets of TLS connections, NSS key log format */
	struct gh_str known; /* identifiers of the phone, one a line: kind=value */
	struct gh_str roots; /* certificates that Android trusts: SHA-256, DER in base64, source, tab separated */
	uint16_t hr_handle; /* of Heart Rate Measurement in Bluetooth logs without a discovery; 0: not given */
};

/* What a plug-in is given. */
struct gh_ctx {
	struct gh_arena *arena;
	struct gh_budget *budget;
	const struct gh_ctx_ops *ops;
	const struct gh_given *given; /* NULL: nothing */
};

struct gh_ctx_ops {
	/* Adds a row about the blob at hand and returns its number n in that table. */
	uint64_t (*emit)(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row);
	/* Writes down that something is malformed, unsupported or over a limit, and where; the run's status becomes that. */
	void (*note)(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what);
};

/* Adds a row: GH_EMIT(ctx, elf_needed, at, .soname = name). Unnamed text is NULL, unnamed numbers are 0 (GH_NULL for NULL).
 * `at` is the byte offset in the blob that shows the fact. Returns the row's number n,
 * which other rows may refer to. */
#define GH_EMIT(ctx, table, at, ...)                                                                                   \
	((ctx)->ops->emit((ctx), GH_T_##table, (at), &(struct gh_row_##table){__VA_ARGS__}))

/* Malformed input is a result: note it and read on. */
void gh_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *fmt, ...) GH_PRINTF(4, 5);
/* The same for an error that a callee filled. GH_NOMEM and GH_IO are noted too: what was lost must be told. */
void gh_note_err(struct gh_ctx *ctx, const struct gh_err *err);

enum gh_child_kind {
	GH_MEMBER, /* of an archive: a row in members, its content a blob */
	GH_FILE, /* of a file system or a tar/cpio: a row in entries, its content a blob */
	GH_VOLUME, /* a partition or a whole disk: a row in members; hashed only if no format claims it, or where flagged */
};

enum {
	GH_CHILD_STREAM = 1, /* data() cannot serve it: its content comes only from pour() */
	GH_CHILD_SIZE_HINT = 2, /* size is not known, only guessed (gzip) */
	GH_CHILD_UNREADABLE =
		4, /* listed, but its content cannot be had (encrypted, unsupported): the reason was noted */
	GH_CHILD_NO_ATTRS = 8, /* mode, owner and the like are not known */
	GH_CHILD_DIGEST =
		64, /* a volume whose container tells its digest and that is cheap to read: hashed all the same */
	GH_CHILD_TOLD = 128, /* mode, owner and label are a phone's own word */
	GH_CHILD_MD5 = 32, /* a list beside it may state its MD5: that is measured too */
	GH_CHILD_SET =
		16, /* the engine's own: no child of the container, but what several of its children are together */
	GH_CHILD_SEARCH = 128, /* the engine's own: where it is hashed apart, it is searched for literals too */
};

/* The engine's own: the child is one part of a set of files, and no artifact by itself. */
struct gh_of {
	uint64_t row; /* of the set, in the container that holds its parts; 0: part of nothing */
	uint32_t blob; /* that container */
	uint32_t part; /* the how manieth part */
	uint32_t loose; /* its name is no proof: it is a part only if the set's format knows it by its content */
};

/* Attributes of a file as its file system stores them. */
struct gh_attr {
	uint64_t ino; /* 0: none. Two children with one ino share their content: it is looked at once */
	uint32_t mode; /* st_mode, type included */
	uint32_t uid, gid, nlink;
	int64_t mtime;
	uint64_t rdev;
	uint64_t caps; /* permitted set of security.capability; 0: none */
	uint32_t iflags; /* inode flags as ext4 has them (immutable 0x10, append 0x20, verity 0x100000) */
	struct gh_str selinux; /* label without its final zero; p NULL: none */
	struct gh_str link; /* target of a symbolic link; p NULL: none */
};

struct gh_child {
	enum gh_child_kind kind;
	uint32_t flags;
	struct gh_str name; /* member name or path as stored, bytes; a file's path begins with '/' */
	uint64_t cookie[2]; /* the format's own: enough to find the child again in a freshly opened container */
	uint64_t off; /* where its bytes begin in the container; UINT64_MAX: scattered */
	uint64_t csize; /* bytes it occupies there */
	uint64_t size; /* of its content */
	uint64_t
		near; /* where reading it begins in the container, if off does not tell; 0: not known. Only for the order of reading */
	struct gh_attr attr; /* GH_FILE only */
	struct gh_of of; /* not for formats */
};

/* What a name says of a file that is one of several which make one artifact together. */
struct gh_part_name {
	struct gh_str
		set; /* the file that they would make, to tell sets in one container apart; lies in the arena or in the name */
	uint32_t role; /* the format's own */
	uint32_t index; /* in that role */
	bool loose; /* the name alone is no proof: a part only where bid() says so of its content */
};

/* One part of a set that is opened. */
struct gh_part {
	struct gh_str name;
	uint32_t role;
	uint32_t index;
	uint64_t row; /* of the part in the container that holds the set */
	struct gh_source *src; /* NULL: it could not be had */
};

enum {
	GH_PARTS_MAX = 200
}; /* of one set; real ones have up to some eighty, and a message carries 253 descriptors at most */

/* Where pour() delivers. Where buf is set, content may be put into buf[0..cap) directly, then len says how much; otherwise
 * write() is called in order. Never both. */
struct gh_sink {
	enum gh_code (*write)(struct gh_sink *self, const void *p, size_t n, struct gh_err *err);
	uint8_t *buf;
	size_t cap;
	size_t len;
	bool full; /* set with GH_LIMIT: what did not fit, here or in memory beside it, would where write() is called */
};

/* Appends to a sink of either form; for pour() implementations that decompress piece by piece. GH_LIMIT when buf is full. */
enum gh_code gh_sink_put(struct gh_sink *sink, const void *p, size_t n, struct gh_err *err) GH_MUST;

struct gh_format {
	const char *name;
	const char *title; /* for people: "ext4 file system" */
	unsigned version; /* raised when the same bytes give other rows */
	bool volume; /* its content is looked at through its children; a volume of this kind is not hashed as a whole */
	bool indexed; /* next() is cheap: the names of all children are known when it is opened */
	bool packing; /* it is nothing but the packing of one content: a packed part of a set is the part when it is unpacked */
	/* state may keep pointers only to what open() and next() allocated: what data() and pour() allocate is gone when the
	 * child has been looked at. */
	size_t state_size;
	/* A pure function of the probe. */
	enum gh_bid (*bid)(const struct gh_probe *probe);
	/* state is state_size zeroed bytes. Facts about the container are emitted by next() (or describe), never by open(): a
	 * container is opened again wherever one of its children is read. */
	enum gh_code (*open)(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err);
	/* Optional: a pure function of a name in an archive or a folder: is it that of one of several files which make one artifact of
	 * this format together? No format opens such a file by itself (but its packing). arena is for the name of the set. */
	bool (*part)(struct gh_str name, struct gh_arena *arena, struct gh_part_name *ret);
	/* With part(): opens what the files of a set are together, in place of open(). They come ordered by role, then by index; the
	 * array stays as long as the state. What is not there must not read as zeros (gh_source_missing). */
	enum gh_code (*open_set)(
		struct gh_ctx *ctx, const struct gh_part *parts, size_t n, void *state, struct gh_err *err);
	/* Optional: emits the facts about the container itself, once. */
	enum gh_code (*describe)(struct gh_ctx *ctx, void *state, struct gh_err *err);
	/* The next child, or GH_END. A malformed child is noted and stepped over; any other code ends the listing (what was listed
	 * is kept). *ret and what it points to stay valid until the next call. Strings may lie in the arena. */
	enum gh_code (*next)(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err);
	/* The content of a child without GH_CHILD_STREAM as a source of child->size bytes. Only cookie, csize, size, off, flags
	 * and kind of the child are given (and name), not attr. */
	enum gh_code (*data)(struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret,
		struct gh_err *err);
	/* The content of a child with GH_CHILD_STREAM, in order. Spends budget->bytes for what it unpacks. What came before an
	 * error stays delivered. */
	enum gh_code (*pour)(struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink,
		struct gh_err *err);
	/* For coverage by bytes: ranges of its own structure that open() and next() do not read (bitmaps, a journal, copies). A
	 * volume without it is told as a whole: its gaps would mean nothing. True: that is all of it, and what else was read was
	 * only looked at. */
	bool (*claims)(struct gh_ctx *ctx, void *state, void (*claim)(void *to, uint64_t off, uint64_t len), void *to);
};

/* A blob under inspection. */
struct gh_blob {
	struct gh_source *src;
	const uint8_t *data; /* all of it in memory, or NULL when it is larger than GH_WHOLE_MAX: then read src */
	uint64_t size;
	struct gh_str name; /* last component of the name it is met under; another place may have another name */
	struct gh_str path; /* the whole name in its container */
	const uint8_t *sha256; /* 32 bytes */
};

enum {
	GH_WHOLE_MAX = 64 << 20
}; /* content up to this is held whole by a worker; larger goes through windows or a spill file */

struct gh_inspector {
	const char *name;
	const char *title;
	unsigned version;
	/* A pure function of the probe (head, tail, size, name). */
	bool (*wants)(const struct gh_probe *probe);
	/* Any code but GH_OK is written down as the run's status, like a note. Rows emitted before stay. */
	enum gh_code (*run)(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err);
};

/* The lists, generated from src/plugins.txt; the order in it means nothing (they are sorted by name). */
extern const struct gh_format *const gh_formats[];
extern const size_t gh_n_formats;
extern const struct gh_inspector *const gh_inspectors[];
extern const size_t gh_n_inspectors;

const struct gh_format *gh_format_find(struct gh_str name);

/* The probe of a source; its bytes lie in the source or in the arena. Fails as gh_read() does, but for a tail that never came. */
enum gh_code gh_probe_make(struct gh_source *src, struct gh_str name, struct gh_arena *arena, struct gh_probe *ret,
	struct gh_err *err) GH_MUST;
/* The format with the highest bid, or NULL. */
const struct gh_format *gh_probe_format(const struct gh_probe *probe);

#endif

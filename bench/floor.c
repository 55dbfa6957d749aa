// The floor of a scan: the work that no scanner of these bytes can leave out, and nothing else. See README.md.
// SPDX-License-Identifier: Apache-2.0
// Reads a plan (make_plan.py) that says where every file and member lies, inflates each outer member once, takes SHA-256 of
// the inputs, files and members, and passes over files and members once for the literals. Trusts its plan: no input check here.
#include "floor.h"
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <lz4.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
	PIECE = 256 << 10, // hashed and searched while it is in the second-level cache
	STEP = 1 << 20, // the inflating thread tells the others this often
	MAX_THREADS = 64,
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	uint64_t ready;
	atomic_size_t next;
	const char *outer;
	FILE *list;
	double inflate_seconds;
} run = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .outer = "isal"};

struct worker {
	pthread_t thread;
	bool producer;
	EVP_MD_CTX *md;
	hs_scratch_t *scratch;
	struct libdeflate_decompressor *inflate;
	uint8_t *cluster, *packed, *zip, *member, *fill;
	uint8_t tail[MAX_LITERAL], seam[2 * MAX_LITERAL];
	size_t tail_len, overlap;
	bool crossing;
	uint64_t hits, files, members, bytes;
};

static EVP_MD *sha256;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	struct worker *w = arg;
	(void)from;
	(void)flags;
	// one that lies within the overlap was counted with the bytes before; of a seam only those across it count
	if (to > w->overlap && (!w->crossing || to - literals.len[id] < w->overlap))
		w->hits++;
	return 0;
}

static void search(struct worker *w, const uint8_t *p, size_t n, size_t overlap, bool crossing)
{
	w->overlap = overlap;
	w->crossing = crossing;
	hs_error_t rc = hs_scan(literals.db, (const char *)p, (unsigned)n, 0, w->scratch, hit, w);
	if (rc != HS_SUCCESS)
		die("hs_scan", "failed");
}

// ---- content: SHA-256 and search in one pass, over runs of bytes that follow one another

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void begin(struct worker *w)
{
	EVP_DigestInit_ex2(w->md, sha256, NULL);
	w->tail_len = 0;
}

static void keep_tail(struct worker *w, const uint8_t *p, size_t n)
{
	size_t back = literals.longest - 1;
	if (n < back) {
		size_t old = least(w->tail_len, back - n);
		memmove(w->tail, w->tail + w->tail_len - old, old);
		memcpy(w->tail + old, p, n);
		w->tail_len = old + n;
	} else {
		memcpy(w->tail, p + n - back, back);
		w->tail_len = back;
	}
}

static void feed(struct worker *w, const uint8_t *p, size_t n)
{
	size_t back = literals.longest - 1;
	if (w->tail_len && n) {
		size_t head = least(n, back);
		memcpy(w->seam, w->tail, w->tail_len);
		memcpy(w->seam + w->tail_len, p, head);
		search(w, w->seam, w->tail_len + head, w->tail_len, true);
	}
	for (size_t at = 0, k; at < n; at += k) {
		k = least(n - at, PIECE);
		size_t overlap = least(at, back);
		EVP_DigestUpdate(w->md, p + at, k);
		search(w, p + at - overlap, k + overlap, overlap, false);
	}
	keep_tail(w, p, n);
	w->bytes += n;
}

static void end(struct worker *w, const char *what, const char *name, size_t member)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	char hex[65];
	if (!EVP_DigestFinal_ex(w->md, md, NULL))
		die(name, "no digest");
	if (!run.list)
		return;
	for (int k = 0; k < 32; k++)
		snprintf(hex + 2 * k, 3, "%02x", md[k]);
	if (*what == 'M')
		fprintf(run.list, "%s %s %zu %s\n", hex, what, member, name);
	else
		fprintf(run.list, "%s %s %s\n", hex, what, name);
}

// ---- files and members

static void fill(uint8_t *to, uint64_t len, uint32_t word)
{
	for (uint64_t at = 0; at < len; at += 4)
		memcpy(to + at, &word, least(len - at, 4));
}

// The bytes of n extents that make one cluster: in place where they lie together.
static const uint8_t *gather(struct worker *w, const struct extent *e, size_t n)
{
	if (n == 1 && e->kind == 'R')
		return plan.space[e->space].data + e->off;
	uint8_t *to = w->packed;
	for (size_t k = 0; k < n; to += e[k++].len) {
		if (e[k].kind == 'R')
			memcpy(to, plan.space[e[k].space].data + e[k].off, e[k].len);
		else
			fill(to, e[k].len, (uint32_t)e[k].off);
	}
	return w->packed;
}

// One EROFS cluster: zero bytes, then an LZ4 block that ends with the cluster.
static void unlz4(const char *name, const uint8_t *src, const struct extent *z, uint8_t *dst)
{
	size_t pad = 0;
	while (pad < z->clen && !src[pad])
		pad++;
	int n = LZ4_decompress_safe_partial(
		(const char *)src + pad, (char *)dst, (int)(z->clen - pad), (int)z->len, (int)z->len);
	if (n != (int)z->len)
		die(name, "LZ4 cluster does not open");
}

static void feed_fill(struct worker *w, uint64_t len, uint32_t word)
{
	fill(w->fill, least(len, PIECE), word);
	for (uint64_t at = 0, n; at < len; at += n) {
		n = least(len - at, PIECE);
		feed(w, w->fill, n);
	}
}

static void feed_extents(struct worker *w, const struct task *t)
{
	const struct extent *e = plan.extent + t->extent, *stop = e + t->extents;
	while (e < stop) {
		if (e->kind == 'Z') {
			unlz4(t->name, gather(w, e + 1, e->off), e, w->cluster);
			feed(w, w->cluster, e->len);
			e += e->off;
		} else if (e->kind == 'R') {
			feed(w, plan.space[e->space].data + e->off, e->len);
		} else {
			feed_fill(w, e->len, (uint32_t)e->off);
		}
		e++;
	}
}

// A container must lie in one piece for its members.
static const uint8_t *assemble(struct worker *w, const struct task *t)
{
	const struct extent *e = plan.extent + t->extent, *stop = e + t->extents;
	if (t->extents == 1 && e->kind == 'R')
		return plan.space[e->space].data + e->off;
	uint8_t *to = w->zip;
	while (e < stop) {
		if (e->kind == 'Z') {
			unlz4(t->name, gather(w, e + 1, e->off), e, to);
			to += e->len;
			e += e->off;
		} else {
			if (e->kind == 'R')
				memcpy(to, plan.space[e->space].data + e->off, e->len);
			else
				fill(to, e->len, (uint32_t)e->off);
			to += e->len;
		}
		e++;
	}
	return w->zip;
}

static void do_members(struct worker *w, const struct task *t, const uint8_t *zip)
{
	for (size_t k = 0; k < t->members; k++) {
		const struct member *m = plan.member + t->member + k;
		const uint8_t *data = zip + m->off;
		if (m->method) {
			if (libdeflate_deflate_decompress(w->inflate, data, m->csize, w->member, m->usize, NULL))
				die(t->name, "a member does not inflate");
			data = w->member;
		}
		begin(w);
		feed(w, data, m->usize);
		end(w, "M", t->name, k);
		w->members++;
	}
}

static void do_task(struct worker *w, const struct task *t)
{
	if (!t->extents) {
		EVP_DigestInit_ex2(w->md, sha256, NULL);
		EVP_DigestUpdate(w->md, plan.space[t->input].data, t->size);
		end(w, "I", t->name, 0);
		return;
	}
	begin(w);
	const uint8_t *zip = t->members ? assemble(w, t) : NULL;
	if (zip)
		feed(w, zip, t->size);
	else
		feed_extents(w, t);
	end(w, "F", t->name, 0);
	w->files++;
	if (zip)
		do_members(w, t, zip);
}

// ---- outer members, in order, as streams

static void publish(uint64_t ready)
{
	pthread_mutex_lock(&run.lock);
	run.ready = ready;
	pthread_cond_broadcast(&run.more);
	pthread_mutex_unlock(&run.lock);
}

static void inflate_zlib(const struct space *s)
{
	z_stream z = {0};
	uint64_t in = 0, out = 0;
	int rc = inflateInit2(&z, -15);
	while (rc == Z_OK && out < s->size) {
		z.next_in = (uint8_t *)s->packed + in;
		z.avail_in = (unsigned)least(s->csize - in, 1u << 30);
		z.next_out = s->out + out;
		z.avail_out = (unsigned)least(s->size - out, STEP);
		rc = inflate(&z, Z_NO_FLUSH);
		in = (uint64_t)(z.next_in - s->packed);
		out = (uint64_t)(z.next_out - s->out);
		publish(s->start + out);
	}
	inflateEnd(&z);
	if (out != s->size)
		die("outer member", "does not inflate");
}

static void inflate_isal(const struct space *s)
{
	struct inflate_state *z = need(malloc(sizeof *z));
	uint64_t in = 0, out = 0;
	isal_inflate_init(z);
	while (out < s->size) {
		z->next_in = (uint8_t *)s->packed + in;
		z->avail_in = (uint32_t)least(s->csize - in, 1u << 30);
		z->next_out = s->out + out;
		z->avail_out = (uint32_t)least(s->size - out, STEP);
		if (isal_inflate(z) != ISAL_DECOMP_OK || (uint64_t)(z->next_out - s->out) == out)
			die("outer member", "does not inflate");
		in = (uint64_t)(z->next_in - s->packed);
		out = (uint64_t)(z->next_out - s->out);
		publish(s->start + out);
	}
	free(z);
}

static void inflate_whole(struct worker *w, const struct space *s)
{
	if (libdeflate_deflate_decompress(w->inflate, s->packed, s->csize, s->out, s->size, NULL))
		die("outer member", "does not inflate");
	publish(s->start + s->size);
}

static void produce(struct worker *w)
{
	double start = now();
	for (size_t k = plan.inputs; k < plan.spaces; k++) {
		const struct space *s = &plan.space[k];
		if (!strcmp(run.outer, "zlib"))
			inflate_zlib(s);
		else if (!strcmp(run.outer, "isal"))
			inflate_isal(s);
		else
			inflate_whole(w, s);
	}
	run.inflate_seconds = now() - start;
}

static void wait_for(uint64_t bytes)
{
	pthread_mutex_lock(&run.lock);
	while (run.ready < bytes)
		pthread_cond_wait(&run.more, &run.lock);
	pthread_mutex_unlock(&run.lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	if (w->producer)
		produce(w);
	for (size_t k; (k = atomic_fetch_add(&run.next, 1)) < plan.tasks;) {
		wait_for(plan.task[k].need);
		do_task(w, &plan.task[k]);
	}
	return NULL;
}

static void worker_init(struct worker *w)
{
	w->md = need(EVP_MD_CTX_new());
	w->inflate = need(libdeflate_alloc_decompressor());
	if (hs_alloc_scratch(literals.db, &w->scratch))
		die("memory", "not enough");
	w->cluster = need(malloc(plan.max_cluster + 1));
	w->packed = need(malloc(plan.max_cluster + 1));
	w->zip = need(malloc(plan.max_zip + 1));
	w->member = need(malloc(plan.max_member + 1));
	w->fill = need(malloc(PIECE));
}

static void report(const struct worker *w, unsigned n, double seconds, double compile)
{
	struct worker sum = {0};
	uint64_t input = 0;
	for (unsigned k = 0; k < n; k++) {
		sum.files += w[k].files;
		sum.members += w[k].members;
		sum.bytes += w[k].bytes;
		sum.hits += w[k].hits;
	}
	for (size_t k = 0; k < plan.inputs; k++)
		input += plan.space[k].size;
	printf("seconds %.3f compile %.3f inflate %.3f threads %u outer %s literals %zu input %llu files %llu members "
	       "%llu bytes %llu "
	       "hits %llu\n",
		seconds, compile, run.inflate_seconds, n, plan.spaces > plan.inputs ? run.outer : "none", literals.n,
		(unsigned long long)input, (unsigned long long)sum.files, (unsigned long long)sum.members,
		(unsigned long long)sum.bytes, (unsigned long long)sum.hits);
}

int main(int argc, char **argv)
{
	unsigned threads = 2;
	const char *lit = NULL, *list = NULL;
	for (int c; (c = getopt(argc, argv, "j:o:l:w:")) != -1;) {
		if (c == 'j')
			threads = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			run.outer = optarg;
		else if (c == 'l')
			lit = optarg;
		else if (c == 'w')
			list = optarg;
		else
			lit = NULL, optind = argc;
	}
	if (!lit || optind + 1 != argc || !threads || threads > MAX_THREADS) {
		fprintf(stderr, "usage: floor -l LITERALS [-j THREADS] [-o zlib|isal|libdeflate] [-w DIGESTS] PLAN\n");
		return 2;
	}
	plan_read(argv[optind]);
	if (list && !(run.list = fopen(list, "w")))
		die(list, strerror(errno));
	double start = now();
	sha256 = need(EVP_MD_fetch(NULL, "SHA256", NULL));
	literals_read(lit);
	double compiled = now();
	struct worker *w = need(calloc(threads, sizeof *w));
	for (unsigned k = 0; k < threads; k++) {
		worker_init(&w[k]);
		w[k].producer = k == 0;
		if (pthread_create(&w[k].thread, NULL, work, &w[k]))
			die("thread", "cannot start");
	}
	for (unsigned k = 0; k < threads; k++)
		pthread_join(w[k].thread, NULL);
	report(w, threads, now() - start, compiled - start);
	return run.list && fclose(run.list) ? 2 : 0;
}

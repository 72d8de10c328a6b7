//go:build picohttpparser

#include <picohttpparser.c>

#include <stdlib.h>

#include "c.h"

static struct phr_header fields[most_fields];
static char content[1 << 20];

// next_head reads the head at next of the response at at.
static result next_head(const char *at, const char *next, const char *end) {
	int minor, status;
	const char *phrase;
	size_t phrase_size, count = most_fields;
	int n = phr_parse_response(next, end - next, &minor, &status, &phrase, &phrase_size, fields, &count, 0);
	if (n < 0) return (result){false};
	return (result){true, next - at + n, status, count, 0};
}

static result head(const char *at, const char *end) { return next_head(at, at, end); }

static const struct phr_header *find(ptrdiff_t count, span name) {
	for (ptrdiff_t i = 0; i < count; i++)
		if (same_name(name, fields[i].name, fields[i].name_len)) return &fields[i];
	return NULL;
}

// response leaves its content in content, where the decoder of chunks works in
// place.
static result response(const char *at, const char *end) {
	result r = head(at, end);
	while (r.ok && r.status < 200) r = next_head(at, at + r.head, end);
	if (!r.ok) return r;
	size_t size = end - at - r.head;
	memcpy(content, at + r.head, size);
	const struct phr_header *length = find(r.fields, (span){"content-length", 14});
	if (length != NULL) {
		r.content = atoi(length->value);
		r.ok = r.content <= size;
		return r;
	}
	struct phr_chunked_decoder decoder = {.consume_trailer = 1};
	r.ok = phr_decode_chunked(&decoder, content, &size) >= 0;
	r.content = size;
	return r;
}

static void heads(const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
	each(head, at, sizes, count, results);
}

static void responses(const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
	each(response, at, sizes, count, results);
}

static span value(const char *at, const char *end, span name) {
	const struct phr_header *f = find(head(at, end).fields, name);
	return f != NULL ? (span){f->value, f->value_len} : (span){at, 0};
}

static ptrdiff_t copy_content(const char *at, const char *end, char *to) {
	result r = response(at, end);
	memcpy(to, content, r.content);
	return r.content;
}

const functions picohttpparser = {heads, responses, value, copy_content};

// What is common to the parsers in C.

#ifndef PEERS_C_H
#define PEERS_C_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct {
	bool ok;
	ptrdiff_t head, status, fields, content;
} result; // as bench.Result

typedef struct {
	const char *at;
	ptrdiff_t size;
} span;

// A parser's functions for the inputs between at and end, as bench.Parser has
// them. content writes no more bytes than the input has, and gives their number.
typedef struct {
	void (*heads)(const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results);
	void (*responses)(const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results);
	span (*value)(const char *at, const char *end, span name);
	ptrdiff_t (*content)(const char *at, const char *end, char *to);
} functions;

extern const functions llhttp;

enum { most_fields = 1024 };

// each parses the inputs, which lie one behind the other.
static inline void each(result (*parse)(const char *at, const char *end), const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
	for (ptrdiff_t i = 0; i < count; at += sizes[i++]) results[i] = parse(at, at + sizes[i]);
}

static inline bool same_name(span a, const char *at, ptrdiff_t size) {
	return a.size == size && strncasecmp(a.at, at, size) == 0;
}

#endif

//go:build llhttp

#include <api.c>
#include <http.c>

#include "c.h"

// One parser is used again and again. It notes where names and values are.
static llhttp_t parser;
static span names[most_fields], values[most_fields];
static ptrdiff_t fields, content;
static bool whole;
static char *copy; // where content goes; NULL: nowhere

static int on_name(llhttp_t *p, const char *at, size_t size) {
	if (fields == most_fields) return HPE_USER;
	names[fields] = (span){at, size};
	values[fields] = (span){at, 0};
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t size) {
	values[fields] = (span){at, size};
	return 0;
}

static int on_value_complete(llhttp_t *p) {
	fields++;
	return 0;
}

static int on_head_complete(llhttp_t *p) { return HPE_PAUSED; }

static int on_content(llhttp_t *p, const char *at, size_t size) {
	if (copy != NULL) memcpy(copy + content, at, size);
	content += size;
	return 0;
}

static int on_message_complete(llhttp_t *p) {
	if (p->status_code < 200) return 0;
	whole = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_head_complete,
	.on_body = on_content,
	.on_message_complete = on_message_complete,
};

// next reads the head at next of the response at at.
static result next_head(const char *at, const char *next, const char *end) {
	fields = 0;
	if (llhttp_execute(&parser, next, end - next) != HPE_PAUSED) return (result){false};
	return (result){true, llhttp_get_error_pos(&parser) - at, parser.status_code, fields, 0};
}

static result head(const char *at, const char *end) {
	llhttp_init(&parser, HTTP_RESPONSE, &settings);
	return next_head(at, at, end);
}

static result response(const char *at, const char *end) {
	whole = false;
	content = 0;
	result r = head(at, end);
	while (r.ok && r.status < 200) {
		llhttp_resume(&parser);
		r = next_head(at, at + r.head, end);
	}
	if (!r.ok) return r;
	llhttp_resume(&parser);
	llhttp_execute(&parser, at + r.head, end - at - r.head);
	r.ok = whole;
	r.content = content;
	return r;
}

static void heads(const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
	each(head, at, sizes, count, results);
}

static void responses(const char *at, const ptrdiff_t *sizes, ptrdiff_t count, result *results) {
	each(response, at, sizes, count, results);
}

static span value(const char *at, const char *end, span name) {
	head(at, end);
	for (ptrdiff_t i = 0; i < fields; i++)
		if (same_name(name, names[i].at, names[i].size)) return values[i];
	return (span){at, 0};
}

static ptrdiff_t copy_content(const char *at, const char *end, char *to) {
	copy = to;
	response(at, end);
	copy = NULL;
	return content;
}

const functions llhttp = {heads, responses, value, copy_content};

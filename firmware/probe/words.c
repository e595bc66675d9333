/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include "fixed.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static char upper(char c)
{
	return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* One part of pattern against one part of header, up to a colon, a question mark or an end. */
static bool match_part(const char **pattern, const char **header, const char *end)
{
	const char *p = *pattern, *h = *header;
	bool is_brief = true;

	while (*p && *p != ':' && *p != '?') {
		bool optional = is_lower(*p);

		/* Once one small letter is there, all of them must be. */
		if (h < end && *h != ':' && *h != '?') {
			if (upper(*h) != upper(*p))
				return false;
			is_brief = is_brief && !optional;
			h++;
		} else if (!optional || !is_brief) {
			return false;
		}
		p++;
	}
	*pattern = p;
	*header = h;
	return h == end || *h == ':' || *h == '?';
}

bool words_match(const char *pattern, const char *header, size_t n)
{
	const char *end = header + n;

	while (match_part(&pattern, &header, end)) {
		if (header == end || !*pattern)
			return header == end && !*pattern;
		if (*header++ != *pattern++)
			return false;
		if (header == end && !*pattern)
			return true;
	}
	return false;
}

static void skip_spaces(struct words *w)
{
	while (w->p < w->end && is_space(*w->p))
		w->p++;
}

bool words_at_end(struct words *w)
{
	skip_spaces(w);
	return w->p == w->end;
}

static bool take(struct words *w, char c)
{
	skip_spaces(w);
	if (w->p == w->end || *w->p != c)
		return false;
	w->p++;
	return true;
}

bool words_comma(struct words *w)
{
	return take(w, ',');
}

/* Up to a comma, a space or the end. */
static size_t word_length(struct words *w)
{
	const char *p;

	skip_spaces(w);
	p = w->p;
	while (p < w->end && *p != ',' && !is_space(*p))
		p++;
	return (size_t)(p - w->p);
}

bool words_number(struct words *w, int64_t *millionths)
{
	size_t n = word_length(w);

	if (!fixed_parse(w->p, n, millionths))
		return false;
	w->p += n;
	return true;
}

bool words_word(struct words *w, const char *pattern)
{
	size_t n = word_length(w);

	if (!words_match(pattern, w->p, n))
		return false;
	w->p += n;
	return true;
}

bool words_bool(struct words *w, bool *on)
{
	*on = words_word(w, "ON") || words_word(w, "1");
	return *on || words_word(w, "OFF") || words_word(w, "0");
}

static bool take_digit_run(struct words *w, unsigned *value)
{
	bool any = false;

	skip_spaces(w);
	for (*value = 0; w->p < w->end && *w->p >= '0' && *w->p <= '9'; w->p++) {
		any = true;
		if (*value < 1000)
			*value = *value * 10 + (unsigned)(*w->p - '0');
	}
	return any;
}

/* "2" or "1:4"; false where it is neither. */
static bool take_range(struct words *w, unsigned *first, unsigned *last)
{
	if (!take_digit_run(w, first))
		return false;
	*last = *first;
	return !take(w, ':') || take_digit_run(w, last);
}

static enum words_list take_list(struct words *w, unsigned channels, uint32_t *mask)
{
	enum words_list result = WORDS_LIST;

	do {
		unsigned first, last;

		if (!take_range(w, &first, &last))
			return WORDS_BAD_LIST;
		if (first < 1 || last > channels || first > last)
			result = WORDS_LIST_RANGE;
		for (unsigned i = first; result == WORDS_LIST && i <= last; i++)
			*mask |= UINT32_C(1) << (i - 1);
	} while (take(w, ','));
	return take(w, ')') ? result : WORDS_BAD_LIST;
}

enum words_list words_channels(struct words *w, unsigned channels, uint32_t *mask)
{
	const struct words before = *w;
	enum words_list result;

	*mask = 0;
	if (!take(w, '('))
		return WORDS_NO_LIST;
	result = take(w, '@') ? take_list(w, channels, mask) : WORDS_BAD_LIST;
	if (result != WORDS_LIST)
		*w = before;
	return result;
}

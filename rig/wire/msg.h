/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages: JSON values, for the wire, the journal and result files. The only includer of jansson.
 *
 * A struct msg is a JSON value that its holder owns; msg_free() releases it. The _set_ and _add_
 * functions that take a struct msg take it over. Out of memory aborts: a rig that cannot allocate
 * a few hundred bytes cannot keep its promises either.
 */
#ifndef COLDRIG_MSG_H
#define COLDRIG_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct msg;

struct msg *msg_object(void);
struct msg *msg_array(void);
struct msg *msg_string(const char *text);
struct msg *msg_int(int64_t value);
struct msg *msg_real(double value); /* NaN and infinities become null */
struct msg *msg_null(void);
struct msg *msg_copy(const struct msg *msg); /* of all of it */
void msg_free(struct msg *msg);

/* Members of an object. NULL text is stored as null. */
void msg_set(struct msg *object, const char *key, struct msg *value);
void msg_set_str(struct msg *object, const char *key, const char *text);
void msg_set_int(struct msg *object, const char *key, int64_t value);
void msg_set_bool(struct msg *object, const char *key, bool value);
void msg_set_real(struct msg *object, const char *key, double value);
void msg_add(struct msg *array, struct msg *value);

/* What is there; borrowed, valid as long as the object. NULL (or the fallback) where it is missing
 * or of another type. */
const struct msg *msg_get(const struct msg *object, const char *key);
const char *msg_get_str(const struct msg *object, const char *key);
int64_t msg_get_int(const struct msg *object, const char *key, int64_t fallback);
bool msg_get_bool(const struct msg *object, const char *key, bool fallback);
double msg_get_real(const struct msg *object, const char *key, double fallback);
bool msg_is_null(const struct msg *value); /* also true for NULL */
size_t msg_count(const struct msg *array); /* 0 for what is no array */
const struct msg *msg_at(const struct msg *array, size_t index);
const char *msg_text(const struct msg *value); /* of a string, else NULL */

/* One object from text; -EBADMSG with the place in the text. */
int msg_parse(const char *text, size_t length, struct msg **out, struct err *err);

/* Text of a value, compact or indented, members in the order set; to be freed with free(). */
char *msg_dump(const struct msg *value);
char *msg_dump_pretty(const struct msg *value);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_store_file.h"

static int check_entry(void *context, const struct store_entry *e)
{
	int *i = context;

	if ((*i)++ == 0) {
		CU_ASSERT(e->seq == 1 && e->t_ns == INT64_MAX && e->segment == 2);
		CU_ASSERT(e->arm == -1 && e->cycle == -1 && !e->body);
		CU_ASSERT_STRING_EQUAL(e->kind, "first");
		return 0;
	}
	CU_ASSERT(e->seq == 2 && e->t_ns == -5 && e->arm == 0 && e->cycle == 0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(e->body, "text"), "W\xc3\xa4rme");
	return 77;
}

static void journal_entries_come_back_as_they_were(void)
{
	struct store *store = fresh();
	struct msg *body = msg_object();
	struct store_entry first = {
		.t_ns = INT64_MAX, .segment = 2, .arm = -1, .cycle = -1, .kind = "first"};
	struct store_entry second = {.t_ns = -5, .segment = 1, .kind = "second", .body = body};
	int seen = 0;

	msg_set_str(body, "text", "W\xc3\xa4rme");
	CU_ASSERT_EQUAL(store_append(store, &first, NULL), 0);
	CU_ASSERT_EQUAL(store_append(store, &second, NULL), 0);
	CU_ASSERT_EQUAL(append(store, "third", 0, NULL), 0);
	CU_ASSERT(first.seq == 1 && second.seq == 2);
	CU_ASSERT_EQUAL(store_each_entry(store, check_entry, &seen, NULL), 77);
	CU_ASSERT_EQUAL(seen, 2);
	msg_free(body);
	store_close(store);
}

static void a_damaged_journal_entry_is_found_and_named(void)
{
	struct store *store = fresh();
	struct err err = {""};
	struct count c = {0};

	append(store, "x", 0, NULL);
	append(store, "x", 1, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	run_sql("UPDATE journal SET body = '{\"n\":' WHERE seq = 2");
	store = reopen(true);
	CU_ASSERT_EQUAL(store_each_entry(store, count_one, &c, &err), -EBADMSG);
	CU_ASSERT_EQUAL(c.n, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "journal entry 2: byte"));
	store_close(store);
}

static const struct unit_case cases[] = {
	{"journal entries come back as they were", journal_entries_come_back_as_they_were},
	{"a damaged journal entry is found and named", a_damaged_journal_entry_is_found_and_named},
};

int main(void)
{
	return run_file_run("store_journal", cases, UNIT_COUNT(cases));
}

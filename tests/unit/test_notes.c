/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is noted beside the cycles, and counted in them. */
#include "test_journal.h"

static int touch(struct bench *b, int64_t t_ms, const char *device, int times)
{
	return feed(b, t_ms, "forbidden",
		    "{\"device\":\"%s\",\"function\":\"%s\",\"kind\":\"config-read\","
		    "\"address\":52,\"times\":%d,\"t_ns\":%lld}",
		    device, device, times, (long long)(t_ms * MS));
}

static void watched_arm_up(struct bench *b)
{
	CU_ASSERT_EQUAL(feed(b, 0, "arm-up",
			     "{\"hello\":{\"release\":\"6.1.0\"},\"accesses_watched\":true}"),
			0);
}

static void forbidden_accesses_count_in_the_cycle_in_which_they_are_made(void)
{
	struct bench b = ready();
	const struct outcome_note *notes;
	size_t n;

	watched_arm_up(&b);
	CU_ASSERT_EQUAL(touch(&b, 380, DEVICE0, 1), 0); /* before the cycle */
	begin(&b, 11, 0, 390);
	CU_ASSERT_EQUAL(touch(&b, 400, DEVICE0, 1), 0);
	CU_ASSERT_EQUAL(touch(&b, 410, DEVICE1, 40), 0); /* another device's */
	CU_ASSERT_EQUAL(end(&b, 500, "done")->forbidden_accesses, 41);
	begin(&b, 12, 0, 590);
	CU_ASSERT_EQUAL(end(&b, 700, "done")->forbidden_accesses, 0);
	notes = analysis_notes(b.analysis, &n);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_STRING_EQUAL(notes[0].text, "forbidden: " DEVICE0
					      " was accessed while its rail was off, 2 times; "
					      "first: config-read of " DEVICE0 " at 0x34");
	CU_ASSERT_PTR_NOT_NULL(strstr(notes[1].text, "40 times"));
	CU_ASSERT_EQUAL(feed(&b, 800, "forbidden", "{\"kind\":\"config-read\"}"), -EBADMSG);
	end_bench(&b);
}

static void where_nobody_watches_there_is_no_count_of_forbidden_accesses(void)
{
	struct bench b = ready();

	begin(&b, 11, 0, 390);
	CU_ASSERT_EQUAL(end(&b, 500, "done")->forbidden_accesses, -1);
	watched_arm_up(&b);
	arm_up(&b); /* each boot says anew */
	begin(&b, 12, 0, 590);
	CU_ASSERT_EQUAL(end(&b, 700, "done")->forbidden_accesses, -1);
	end_bench(&b);
}

static void what_was_lost_is_noted_for_the_reader(void)
{
	struct bench b = ready();
	const struct outcome_note *notes;
	size_t n;

	CU_ASSERT_EQUAL(feed(&b, 400, "meter", "{\"event\":\"ready\",\"meter\":\"m0\"}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 401, "meter",
			     "{\"event\":\"lost\",\"meter\":\"m0\",\"text\":\"unplugged\"}"),
			0);
	CU_ASSERT_EQUAL(feed(&b, 402, "level-failed", "{\"device\":\"" DEVICE0 "\"}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 403, "target-lost", "{\"why\":\"silence\"}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 404, "panic", "{\"file\":\"panic-x-1.txt\",\"bytes\":3}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 405, "panic", "{}"), -EBADMSG);
	CU_ASSERT_EQUAL(feed(&b, 406, "restored", "{\"ok\":true,\"why\":null}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 407, "restored", "{\"ok\":false,\"why\":\"EBUSY\"}"), 0);
	notes = analysis_notes(b.analysis, &n);
	CU_ASSERT_EQUAL_FATAL(n, 5);
	CU_ASSERT_STRING_EQUAL(
		notes[3].text,
		"panic of target box: its kernel panicked; panic-x-1.txt has its log");
	CU_ASSERT_STRING_EQUAL(notes[0].text, "lost meter m0: unplugged");
	CU_ASSERT_STRING_EQUAL(notes[1].text, "no levels of " DEVICE0 ": no reason given");
	CU_ASSERT_STRING_EQUAL(notes[2].text, "lost target box: silence");
	CU_ASSERT_EQUAL(notes[2].arm, 1);
	CU_ASSERT_STRING_EQUAL(notes[4].text, "not put back as it was: target box: EBUSY");
	end_bench(&b);
}

static const struct unit_case cases[] = {
	{"forbidden accesses count in the cycle in which they are made",
	 forbidden_accesses_count_in_the_cycle_in_which_they_are_made},
	{"where nobody watches there is no count of forbidden accesses",
	 where_nobody_watches_there_is_no_count_of_forbidden_accesses},
	{"what was lost is noted for the reader", what_was_lost_is_noted_for_the_reader},
};

int main(void)
{
	return run_file_run("notes", cases, UNIT_COUNT(cases));
}

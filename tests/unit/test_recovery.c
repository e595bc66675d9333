/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "recovery.h"
#include "unit.h"

/* All that there can be, with limits that tell the steps apart. */
static struct recovery_means all_means(void)
{
	struct recovery_means means;

	for (int i = 0; i < RECOVERY_STEP_COUNT; i++) {
		means.has[i] = true;
		means.limit_ns[i] = 100 * (i + 1);
	}
	return means;
}

/* The steps that are tried in vain, as their numbers. */
static void expect_steps(enum recovery_symptom symptom, const struct recovery_means *means,
			 const int *steps, size_t n)
{
	struct recovery r;

	recovery_begin(&r, symptom, means, 7);
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(r.state, RECOVERY_GOES_ON);
		CU_ASSERT_EQUAL((int)r.step, steps[i]);
		recovery_take(&r, RECOVERY_NOTHING, 8);
	}
	CU_ASSERT_EQUAL(r.state, RECOVERY_FAILED);
}

static void a_silent_target_goes_through_all_of_it(void)
{
	const struct recovery_means means = all_means();
	const int steps[] = {0, 1, 2, 3, 4, 5};

	expect_steps(RECOVERY_SILENT, &means, steps, UNIT_COUNT(steps));
}

static void a_cut_line_is_not_waited_for(void)
{
	const struct recovery_means means = all_means();
	const int steps[] = {1, 2, 3, 4, 5};

	expect_steps(RECOVERY_CUT, &means, steps, UNIT_COUNT(steps));
}

static void a_panic_goes_to_the_crash_kernel_at_once(void)
{
	const struct recovery_means means = all_means();
	const int steps[] = {RECOVERY_CRASH, RECOVERY_RESET, RECOVERY_POWER};

	expect_steps(RECOVERY_PANICKED, &means, steps, UNIT_COUNT(steps));
}

static void a_machine_that_is_gone_needs_power(void)
{
	const struct recovery_means means = all_means();
	const int steps[] = {RECOVERY_POWER};

	expect_steps(RECOVERY_OFF, &means, steps, UNIT_COUNT(steps));
}

static void what_is_not_there_is_left_out(void)
{
	struct recovery_means means = all_means();
	const int steps[] = {RECOVERY_ASK, RECOVERY_RESET};

	means.has[RECOVERY_SYSRQ] = means.has[RECOVERY_CRASH] = means.has[RECOVERY_POWER] = false;
	means.limit_ns[RECOVERY_WAIT] = 0;
	expect_steps(RECOVERY_SILENT, &means, steps, UNIT_COUNT(steps));
}

static void without_any_means_it_fails_at_once(void)
{
	const struct recovery_means none = {{false}, {0}};

	expect_steps(RECOVERY_SILENT, &none, NULL, 0);
}

static void a_word_is_followed_by_a_question(void)
{
	const struct recovery_means means = all_means();
	struct recovery r;

	recovery_begin(&r, RECOVERY_SILENT, &means, 1000);
	CU_ASSERT_EQUAL(recovery_deadline_ns(&r), 1100);
	recovery_take(&r, RECOVERY_HEARD, 1050);
	CU_ASSERT_EQUAL(r.state, RECOVERY_GOES_ON);
	CU_ASSERT_EQUAL(r.step, RECOVERY_ASK);
	CU_ASSERT_EQUAL(recovery_deadline_ns(&r), 1250);
	recovery_take(&r, RECOVERY_SAME_BOOT, 1060);
	CU_ASSERT_EQUAL(r.state, RECOVERY_BACK);
	CU_ASSERT_EQUAL(r.step, RECOVERY_ASK);
	/* What comes later changes nothing. */
	recovery_take(&r, RECOVERY_NOTHING, 1070);
	CU_ASSERT_EQUAL(r.state, RECOVERY_BACK);
}

static void a_device_asleep_needs_another_boot(void)
{
	const struct recovery_means means = all_means();
	struct recovery r;

	recovery_begin(&r, RECOVERY_ASLEEP, &means, 0);
	CU_ASSERT_EQUAL(r.step, RECOVERY_SYSRQ);
	recovery_take(&r, RECOVERY_SAME_BOOT, 1);
	CU_ASSERT_EQUAL(r.step, RECOVERY_RESET);
	recovery_take(&r, RECOVERY_NEW_BOOT, 2);
	CU_ASSERT_EQUAL(r.state, RECOVERY_BACK);
}

/* A target that was asked to be back, up to its last step. */
static struct recovery at_the_power_line(enum recovery_found found)
{
	const struct recovery_means means = all_means();
	struct recovery r;

	recovery_begin(&r, RECOVERY_PANICKED, &means, 0);
	recovery_take(&r, RECOVERY_NOTHING, 1);
	CU_ASSERT_EQUAL(r.step, RECOVERY_RESET);
	recovery_take(&r, found, 2);
	CU_ASSERT_EQUAL(r.state, RECOVERY_GOES_ON);
	CU_ASSERT_EQUAL(r.step, RECOVERY_POWER);
	return r;
}

static void all_is_tried_for_a_device_that_is_missing(void)
{
	struct recovery r = at_the_power_line(RECOVERY_INCOMPLETE), other = r;

	/* What is there by then has to do. */
	recovery_take(&r, RECOVERY_INCOMPLETE, 3);
	CU_ASSERT_EQUAL(r.state, RECOVERY_BACK);
	CU_ASSERT_EQUAL(r.step, RECOVERY_POWER);
	recovery_take(&other, RECOVERY_NOTHING, 3);
	CU_ASSERT_EQUAL(other.state, RECOVERY_FAILED);
}

static void another_kernel_will_not_do(void)
{
	struct recovery r = at_the_power_line(RECOVERY_OTHER_KERNEL);

	recovery_take(&r, RECOVERY_OTHER_KERNEL, 3);
	CU_ASSERT_EQUAL(r.state, RECOVERY_FAILED);
}

static void names_go_there_and_back(void)
{
	enum recovery_step step;

	for (int i = 0; i < RECOVERY_STEP_COUNT; i++) {
		CU_ASSERT_EQUAL(
			recovery_step_parse(recovery_step_name((enum recovery_step)i), &step), 0);
		CU_ASSERT_EQUAL((int)step, i);
	}
	CU_ASSERT_EQUAL(recovery_step_parse("hope", &step), -EINVAL);
	for (int i = 0; i < RECOVERY_SYMPTOM_COUNT; i++)
		CU_ASSERT_PTR_NOT_NULL(recovery_symptom_name((enum recovery_symptom)i));
	for (int i = 0; i < RECOVERY_FOUND_COUNT; i++)
		CU_ASSERT_PTR_NOT_NULL(recovery_found_name((enum recovery_found)i));
}

static const struct unit_case cases[] = {
	{"a silent target goes through all of it", a_silent_target_goes_through_all_of_it},
	{"a cut line is not waited for", a_cut_line_is_not_waited_for},
	{"a panic goes to the crash kernel at once", a_panic_goes_to_the_crash_kernel_at_once},
	{"a machine that is gone needs power", a_machine_that_is_gone_needs_power},
	{"what is not there is left out", what_is_not_there_is_left_out},
	{"without any means it fails at once", without_any_means_it_fails_at_once},
	{"a word is followed by a question", a_word_is_followed_by_a_question},
	{"a device asleep needs another boot", a_device_asleep_needs_another_boot},
	{"all is tried for a device that is missing", all_is_tried_for_a_device_that_is_missing},
	{"another kernel will not do", another_kernel_will_not_do},
	{"names go there and back", names_go_there_and_back},
};

int main(void)
{
	return unit_run("recovery", cases, UNIT_COUNT(cases));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_good_plan.h"

static void kexec_arrives_key_by_key(void)
{
	struct plan *plan =
		load_plan("plan: p\n"
			  "arms:\n"
			  "  - name: a\n"
			  "    kernel: \"6.1\"\n"
			  "    kexec: {from: \"5.10\", syscall: load, append: a=b c, image: i,\n"
			  "            initrd: \"target:/j\", crash_image: k, crash_initrd: l}\n"
			  "  - {name: b, kernel: \"6.1\", kexec: {image: i}}\n"
			  "  - {name: c, kernel: \"6.1\"}\n"
			  "scenarios: [{scenario: idle}]\n");
	const struct plan_kexec *all = &plan->arms[0].kexec, *few = &plan->arms[1].kexec;

	CU_ASSERT_TRUE(all->present);
	CU_ASSERT_EQUAL(all->syscall, PLAN_SYSCALL_LOAD);
	CU_ASSERT_STRING_EQUAL(all->from, "5.10");
	CU_ASSERT_STRING_EQUAL(all->append, "a=b c");
	CU_ASSERT_STRING_EQUAL(all->image, "i");
	CU_ASSERT_STRING_EQUAL(all->initrd, PLAN_ON_TARGET "/j");
	CU_ASSERT_STRING_EQUAL(all->crash_image, "k");
	CU_ASSERT_STRING_EQUAL(all->crash_initrd, "l");
	CU_ASSERT_TRUE(few->present);
	CU_ASSERT_EQUAL(few->syscall, PLAN_SYSCALL_FILE);
	CU_ASSERT_PTR_NULL(few->from);
	CU_ASSERT_PTR_NULL(few->append);
	CU_ASSERT_FALSE(plan->arms[2].kexec.present);
	plan_free(plan);
}

static void files_of_a_virtual_target_are_the_caches(void)
{
	static const struct edit kexecs[] = {
		{"", "{}", "p.yaml:2:38: missing key \"from\" in kexec: a virtual target"},
		{"", "{from: \"6.1\", image: i}",
		 "p.yaml:2:59: image: \"i\": not for a virtual target"},
		{"", "{from: \"6.1\", crash_initrd: i}",
		 "crash_initrd: \"i\": not for a virtual target"},
		{"", "{from: \"../6.1\"}", "from: \"../6.1\": a name has only letters"},
	};
	struct lab *lab = load_virtual_lab();

	for (size_t i = 0; i < UNIT_COUNT(kexecs); i++) {
		struct plan *plan = NULL;
		struct err err = {""};
		char text[256];

		snprintf(text, sizeof(text),
			 "plan: p\n"
			 "arms: [{name: a, kernel: \"5\", kexec: %s}]\n"
			 "scenarios: [{scenario: idle}]\n",
			 kexecs[i].to);
		CU_ASSERT_EQUAL(planfile_parse("p.yaml", text, lab, &plan, &err), -EINVAL);
		edit_check_error(&kexecs[i], &err);
	}
	lab_free(lab);
}

static const struct edit edits[] = {
	{"\"5.10\"}", "\"5.10\", kexec: x}",
	 "p.yaml:13:39: kexec: \"x\": kexec is a mapping of keys to values"},
	{"\"5.10\"}", "\"5.10\", kexec: {from: \"6.1\"}}",
	 "p.yaml:13:39: missing key \"image\" in kexec: a real target needs it"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: i, syscall: s}}",
	 "p.yaml:13:59: syscall: \"s\": no such word; known: load, file"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: i, imitrd: j}}",
	 "p.yaml:13:50: unknown key \"imitrd\" in kexec; did you mean \"initrd\"?"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: \"target:i\"}}",
	 "p.yaml:13:47: image: \"target:i\": on the target a path begins with /"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: i, crash_initrd: j}}",
	 "p.yaml:13:64: crash_initrd: \"j\": there is no crash_image"},
};

static void bad_kexecs_say_where_and_why(void)
{
	expect_bad_plans(edits, UNIT_COUNT(edits));
}

static const struct unit_case cases[] = {
	{"kexec arrives key by key", kexec_arrives_key_by_key},
	{"files of a virtual target are the cache's", files_of_a_virtual_target_are_the_caches},
	{"bad kexecs say where and why", bad_kexecs_say_where_and_why},
};

int main(void)
{
	return unit_run("planfile_kexec", cases, UNIT_COUNT(cases));
}

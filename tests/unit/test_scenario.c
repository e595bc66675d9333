/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "scenario.h"
#include "unit.h"

static void every_scenario_comes_back_from_its_name(void)
{
	for (int i = 0; i < SCENARIO_COUNT; i++) {
		enum scenario_id id = SCENARIO_COUNT;

		CU_ASSERT_EQUAL(scenario_parse(scenario_get((enum scenario_id)i)->name, &id), 0);
		CU_ASSERT_EQUAL((int)id, i);
	}
}

static void every_action_comes_back_from_its_name(void)
{
	for (int i = 0; i < ACTION_COUNT; i++) {
		enum action_id id = ACTION_COUNT;

		CU_ASSERT_EQUAL(action_parse(action_get((enum action_id)i)->name, &id), 0);
		CU_ASSERT_EQUAL((int)id, i);
	}
}

static void a_name_that_is_none_is_refused(void)
{
	enum scenario_id scenario = SCENARIO_SRIOV;
	enum action_id action = ACTION_HOLD;

	CU_ASSERT_EQUAL(scenario_parse("", &scenario), -EINVAL);
	CU_ASSERT_EQUAL(scenario_parse("Idle", &scenario), -EINVAL);
	CU_ASSERT_EQUAL(scenario, SCENARIO_SRIOV);
	CU_ASSERT_EQUAL(action_parse("vfs", &action), -EINVAL);
	CU_ASSERT_EQUAL(action, ACTION_HOLD);
}

static void the_actions_of_each_scenario_stand_in_order(void)
{
	static const struct {
		enum scenario_id id;
		const char *actions;
	} rows[] = {
		{SCENARIO_IDLE, ""},
		{SCENARIO_REBIND, "unbind native hold unbind bind "},
		{SCENARIO_OPEN_CLOSE, "open hold close "},
		{SCENARIO_SRIOV, "vfs-on hold vfs-off "},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		const struct scenario *s = scenario_get(rows[i].id);
		char text[200] = "";

		for (size_t j = 0; j < s->actions_n; j++) {
			strcat(text, action_get(s->actions[j])->name);
			strcat(text, " ");
		}
		CU_ASSERT_STRING_EQUAL(text, rows[i].actions);
	}
}

/* What a scenario takes, it gives back: the next cycle begins where this one began. */
static void every_scenario_ends_as_it_began(void)
{
	for (int i = 0; i < SCENARIO_COUNT; i++) {
		const struct scenario *s = scenario_get((enum scenario_id)i);
		int bound = 1, opened = 0, vfs = 0;

		for (size_t j = 0; j < s->actions_n; j++) {
			enum action_id id = s->actions[j];

			opened += (id == ACTION_OPEN) - (id == ACTION_CLOSE);
			vfs += (id == ACTION_VFS_ON) - (id == ACTION_VFS_OFF);
			if (id == ACTION_UNBIND || id == ACTION_BIND)
				bound = id == ACTION_BIND;
		}
		CU_ASSERT(bound == 1 && opened == 0 && vfs == 0);
		CU_ASSERT_EQUAL(s->needs_sriov, i == SCENARIO_SRIOV);
		CU_ASSERT(s->what && s->what[0]);
	}
}

static void only_a_hold_asks_nothing_of_the_agent(void)
{
	for (int i = 0; i < ACTION_COUNT; i++)
		CU_ASSERT_EQUAL(!action_get((enum action_id)i)->op, i == ACTION_HOLD);
}

static const struct unit_case cases[] = {
	{"every scenario comes back from its name", every_scenario_comes_back_from_its_name},
	{"every action comes back from its name", every_action_comes_back_from_its_name},
	{"a name that is none is refused", a_name_that_is_none_is_refused},
	{"the actions of each scenario stand in order",
	 the_actions_of_each_scenario_stand_in_order},
	{"every scenario ends as it began", every_scenario_ends_as_it_began},
	{"only a hold asks nothing of the agent", only_a_hold_asks_nothing_of_the_agent},
};

int main(void)
{
	return unit_run("scenario", cases, UNIT_COUNT(cases));
}

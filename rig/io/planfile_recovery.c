/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planfile_recovery.h"

#define SECOND	   INT64_C(1000000000)
#define LOSSES_MAX 1000000
#define AS_BOOT	   (-1)

#define STEP(key, step)                                                                            \
	{                                                                                          \
		key, YAML_TYPE_DURATION, YAML_ZERO_OK,                                             \
			.offset = offsetof(struct plan_recovery, limit_ns[step])                   \
	}

/* clang-format off */
const struct yaml_schema planfile_recovery_schema = {
	.what = "recovery",
	.fields = (const struct yaml_field[]){
		{"silence", YAML_TYPE_DURATION, 0, .offset = offsetof(struct plan_recovery, silence_ns)},
		STEP("wait", RECOVERY_WAIT),
		STEP("ask", RECOVERY_ASK),
		STEP("sysrq", RECOVERY_SYSRQ),
		STEP("crash", RECOVERY_CRASH),
		STEP("reset", RECOVERY_RESET),
		STEP("power", RECOVERY_POWER),
		{"losses", YAML_TYPE_COUNT, 0, .offset = offsetof(struct plan_recovery, losses),
		 .max = LOSSES_MAX},
		{0},
	},
};
/* clang-format on */

const struct plan_recovery planfile_recovery_defaults = {
	.silence_ns = 15 * SECOND,
	.limit_ns = {[RECOVERY_WAIT] = 3 * SECOND,
		     [RECOVERY_ASK] = 6 * SECOND,
		     [RECOVERY_SYSRQ] = AS_BOOT,
		     [RECOVERY_CRASH] = AS_BOOT,
		     [RECOVERY_RESET] = AS_BOOT,
		     [RECOVERY_POWER] = AS_BOOT},
	.losses = 5,
};

void planfile_recovery_complete(struct plan_recovery *recovery, int64_t boot_limit_ns)
{
	for (int i = 0; i < RECOVERY_STEP_COUNT; i++) {
		if (recovery->limit_ns[i] == AS_BOOT)
			recovery->limit_ns[i] = boot_limit_ns;
	}
}

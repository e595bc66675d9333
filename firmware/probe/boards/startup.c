/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cortex-M3: from reset to main(), and the parts of the processor itself. Registers are those of
 * the ARMv7-M Architecture Reference Manual, B3.
 */
#include "startup.h"

#define SYST_CSR  REG(0xe000e010)
#define SYST_RVR  REG(0xe000e014)
#define SYST_CVR  REG(0xe000e018)
#define SCB_SHPR3 REG(0xe000ed20)

#define SYST_ENABLE    1
#define SYST_INTERRUPT 2
#define SYST_CPU_CLOCK 4

/* SysTick may be interrupted by the serial line, which is at 0; BASEPRI of the same holds it. */
#define TICK_PRIORITY UINT32_C(0x80)

#define RECEIVED_MAX 512

extern uint32_t image_stack, image_data_from, image_data, image_data_end, image_bss, image_bss_end;
int main(void);
void startup_reset(void);
static void startup_tick(void);
static void startup_fault(void);

static volatile uint8_t received[RECEIVED_MAX];
static volatile uint32_t received_in, received_out;

/* clang-format off */
__attribute__((section(".vectors"), used)) static const struct {
	uint32_t *stack;
	void (*system[15])(void);
} vectors = {
	&image_stack,
	{startup_reset, startup_fault, startup_fault, startup_fault, startup_fault, startup_fault,
	 0, 0, 0, 0, startup_fault, startup_fault, 0, startup_fault, startup_tick},
};
/* clang-format on */

void startup_reset(void)
{
	const uint32_t *from = &image_data_from;

	for (uint32_t *to = &image_data; to < &image_data_end; to++)
		*to = *from++;
	for (uint32_t *to = &image_bss; to < &image_bss_end; to++)
		*to = 0;
	(void)main();
}

/* Nothing here can be trusted any more: the watchdog starts all of it anew. */
static void startup_fault(void)
{
	for (;;)
		;
}

static void startup_tick(void)
{
	probe_tick();
}

/* A full buffer drops what comes: the line's sender then gets an error, not a wrong command. */
void startup_received(uint8_t byte)
{
	uint32_t next = (received_in + 1) % RECEIVED_MAX;

	if (next == received_out)
		return;
	received[received_in] = byte;
	received_in = next;
}

int board_take_byte(void)
{
	uint8_t byte;

	if (received_out == received_in)
		return -1;
	byte = received[received_out];
	received_out = (received_out + 1) % RECEIVED_MAX;
	return byte;
}

void startup_set_rate(uint32_t clock_hz, uint32_t hz)
{
	SYST_CSR = 0;
	SCB_SHPR3 = (SCB_SHPR3 & UINT32_C(0x00ffffff)) | TICK_PRIORITY << 24;
	SYST_RVR = clock_hz / hz - 1;
	SYST_CVR = 0;
	SYST_CSR = SYST_ENABLE | SYST_INTERRUPT | SYST_CPU_CLOCK;
}

void startup_hold(bool hold)
{
	__asm__ volatile("msr basepri, %0" ::"r"(hold ? TICK_PRIORITY : 0) : "memory");
}

void startup_wait(void)
{
	/* With interrupts off a pending one still ends WFI, so none slips in between. */
	__asm__ volatile("cpsid i" ::: "memory");
	if (received_out == received_in)
		__asm__ volatile("wfi");
	__asm__ volatile("cpsie i" ::: "memory");
}

uint64_t startup_now_us(uint32_t counts_per_us)
{
	static uint32_t last;
	static uint64_t total;
	uint64_t now;
	uint32_t masked, count;

	/* The tick asks as well as main(), and must not come in between. */
	__asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(masked)::"memory");
	count = board_counter();
	total += count - last;
	last = count;
	now = total;
	__asm__ volatile("msr primask, %0" ::"r"(masked) : "memory");
	return now / counts_per_us;
}

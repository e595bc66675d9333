/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ARM MPS2 with the FPGA image of application note AN385, as QEMU emulates it. Addresses are those
 * of AN385, chapter 3; registers those of the Cortex-M System Design Kit's manual (DDI 0479).
 */
#include <string.h>

#include "bitbang.h"
#include "startup.h"

#define CLOCK_HZ  UINT32_C(25000000)
#define PER_US	  UINT32_C(25)
#define WATCHDOG  (2 * CLOCK_HZ)       /* 2 s */
#define BAUD_DIV  27		       /* 921,600 baud, which the emulated line does not mind */
#define SETTINGS  ((void *)0x21000000) /* PSRAM, written from outside before the start */
#define STAYED_UP UINT32_C(0x5075a9d1)

#define NVIC_ISER0 REG(0xe000e100)

#define TIMER0_CTRL   REG(0x40000000)
#define TIMER0_VALUE  REG(0x40000004)
#define TIMER0_RELOAD REG(0x40000008)
#define TIMER_ENABLE  1

#define UART0_DATA	  REG(0x40004000)
#define UART0_STATE	  REG(0x40004004)
#define UART0_CTRL	  REG(0x40004008)
#define UART0_INTCLEAR	  REG(0x4000400c)
#define UART0_BAUDDIV	  REG(0x40004010)
#define UART_TX_FULL	  1
#define UART_RX_FULL	  2
#define UART_TX_ENABLE	  1
#define UART_RX_ENABLE	  2
#define UART_RX_INTERRUPT 8
#define UART_RX_CLEAR	  2

#define WDOG_LOAD     REG(0x40008000)
#define WDOG_CONTROL  REG(0x40008008)
#define WDOG_INTCLEAR REG(0x4000800c)
#define WDOG_LOCK     REG(0x40008c00)
#define WDOG_UNLOCKED UINT32_C(0x1acce551)
#define WDOG_RUN      1
#define WDOG_RESET    2

/* The shield's two-wire port: bits are set at one address and cleared at the next. */
#define SHIELD_I2C_SET	 REG(0x4002a000)
#define SHIELD_I2C_CLEAR REG(0x4002a004)
#define SHIELD_SCL	 1
#define SHIELD_SDA	 2

/* Kept over a reset that is no power-on: nothing initialises it. */
__attribute__((section(".noinit"))) static uint32_t stayed_up;
static bool bitten;

/* Cleared first: a byte that comes while this runs interrupts anew. */
static void on_receive(void)
{
	UART0_INTCLEAR = UART_RX_CLEAR;
	while (UART0_STATE & UART_RX_FULL)
		startup_received((uint8_t)UART0_DATA);
}

STARTUP_IRQS static void (*const irqs[])(void) = {on_receive};

void bitbang_set_scl(bool high)
{
	*(high ? &SHIELD_I2C_SET : &SHIELD_I2C_CLEAR) = SHIELD_SCL;
}

void bitbang_set_sda(bool high)
{
	*(high ? &SHIELD_I2C_SET : &SHIELD_I2C_CLEAR) = SHIELD_SDA;
}

/* The emulated clock line cannot be held low by a device. */
bool bitbang_scl(void)
{
	return true;
}

bool bitbang_sda(void)
{
	return SHIELD_I2C_SET & SHIELD_SDA;
}

/* Emulated lines need no time to settle. */
void bitbang_half_bit(void)
{
}

uint32_t board_counter(void)
{
	return ~TIMER0_VALUE;
}

static uint64_t now_us(void)
{
	return startup_now_us(PER_US);
}

static void set_rate(uint32_t hz)
{
	startup_set_rate(CLOCK_HZ, hz);
}

static void send(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++) {
		while (UART0_STATE & UART_TX_FULL)
			;
		UART0_DATA = p[i];
	}
}

static void feed(void)
{
	WDOG_INTCLEAR = 1; /* loads it anew, too */
}

static void hang(void)
{
	__asm__ volatile("cpsid i");
	for (;;)
		;
}

static bool was_bitten(void)
{
	return bitten;
}

static int store(const void *record, size_t n)
{
	memcpy(SETTINGS, record, n);
	return 0;
}

static const struct probe_board board = {
	.name = "MPS2-AN385",
	.rate_min_hz = 10,
	.rate_max_hz = 2000,
	.rate_default_hz = 1000,
	.bus_read = bitbang_read,
	.bus_write = bitbang_write,
	.now_us = now_us,
	.set_rate = set_rate,
	.hold = startup_hold,
	.wait = startup_wait,
	.send = send,
	.feed = feed,
	.hang = hang,
	.was_bitten = was_bitten,
	.stored = SETTINGS,
	.store = store,
};

const struct probe_board *board_start(void)
{
	bitten = stayed_up == STAYED_UP;
	stayed_up = STAYED_UP;
	TIMER0_RELOAD = UINT32_MAX;
	TIMER0_VALUE = UINT32_MAX;
	TIMER0_CTRL = TIMER_ENABLE;
	UART0_BAUDDIV = BAUD_DIV;
	UART0_CTRL = UART_TX_ENABLE | UART_RX_ENABLE | UART_RX_INTERRUPT;
	NVIC_ISER0 = 1;
	WDOG_LOCK = WDOG_UNLOCKED;
	/* It interrupts when it has run down once, and resets when it has twice. */
	WDOG_LOAD = WATCHDOG / 2;
	WDOG_CONTROL = WDOG_RUN | WDOG_RESET;
	return &board;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * STM32F103C8 ("Blue Pill"): 72 MHz from an 8 MHz crystal, serial line on USART1 (PA9 out, PA10
 * in), I2C on PB6 (SCL) and PB7 (SDA) with pull-ups of the board. Registers are those of the
 * reference manual RM0008 and of PM0075 (flash). Not yet run on hardware.
 */
#include <string.h>

#include "bitbang.h"
#include "startup.h"

#define CLOCK_HZ UINT32_C(72000000)
#define PER_US	 UINT32_C(72)
#define BAUD	 UINT32_C(921600)
#define HALF_BIT (CLOCK_HZ / 400000 / 2) /* cycles, at 400 kHz */
#define PAGE	 UINT32_C(0x0800fc00)	 /* the last of 64 KiB of flash, for the settings */

#define NVIC_ISER1   REG(0xe000e104)
#define DEMCR	     REG(0xe000edfc)
#define DWT_CTRL     REG(0xe0001000)
#define DWT_CYCCNT   REG(0xe0001004)
#define DEMCR_TRCENA (1 << 24)

#define RCC_CR	       REG(0x40021000)
#define RCC_CFGR       REG(0x40021004)
#define RCC_APB2ENR    REG(0x40021018)
#define RCC_CSR	       REG(0x40021024)
#define CR_HSEON       (1 << 16)
#define CR_HSERDY      (1 << 17)
#define CR_PLLON       (1 << 24)
#define CR_PLLRDY      (1 << 25)
#define CFGR_SW_PLL    2
#define CFGR_SWS_MASK  0xc
#define CFGR_SWS_PLL   8
#define CFGR_APB1_HALF (4 << 8)
#define CFGR_PLL_HSE   (1 << 16)
#define CFGR_PLL_X9    (7 << 18)
#define APB2_GPIOA     (1 << 2)
#define APB2_GPIOB     (1 << 3)
#define APB2_USART1    (1 << 14)
#define CSR_RMVF       (1 << 24)
#define CSR_IWDGRSTF   (1 << 29)

#define GPIOA_CRH  REG(0x40010804)
#define GPIOB_CRL  REG(0x40010c00)
#define GPIOB_IDR  REG(0x40010c08)
#define GPIOB_BSRR REG(0x40010c10)
#define PIN_SCL	   6
#define PIN_SDA	   7
/* Four bits a pin: an output of 50 MHz, open drain; one driven by its peripheral; an input. */
#define MODE_OPEN_DRAIN UINT32_C(7)
#define MODE_PERIPHERAL UINT32_C(0xb)
#define MODE_INPUT	UINT32_C(4)

#define USART1_SR  REG(0x40013800)
#define USART1_DR  REG(0x40013804)
#define USART1_BRR REG(0x40013808)
#define USART1_CR1 REG(0x4001380c)
#define SR_RXNE	   (1 << 5)
#define SR_TXE	   (1 << 7)
#define CR1_RE	   (1 << 2)
#define CR1_TE	   (1 << 3)
#define CR1_RXNEIE (1 << 5)
#define CR1_UE	   (1 << 13)
#define USART1_IRQ 37

#define IWDG_KR	  REG(0x40003000)
#define IWDG_PR	  REG(0x40003004)
#define IWDG_RLR  REG(0x40003008)
#define KR_UNLOCK 0x5555
#define KR_RELOAD 0xaaaa
#define KR_START  0xcccc
#define PR_64	  4 /* of its 40 kHz */
#define RLR_2S	  1250

#define FLASH_ACR	     REG(0x40022000)
#define FLASH_KEYR	     REG(0x40022004)
#define FLASH_SR	     REG(0x4002200c)
#define FLASH_CR	     REG(0x40022010)
#define FLASH_AR	     REG(0x40022014)
#define ACR_2_WAITS_PREFETCH 0x12
#define KEY1		     UINT32_C(0x45670123)
#define KEY2		     UINT32_C(0xcdef89ab)
#define SR_BUSY		     1
#define FLASH_PG	     1
#define FLASH_PER	     2
#define FLASH_STRT	     (1 << 6)
#define FLASH_LOCK	     (1 << 7)

static bool bitten;

static void on_usart1(void)
{
	while (USART1_SR & SR_RXNE)
		startup_received((uint8_t)USART1_DR);
}

STARTUP_IRQS static void (*const irqs[USART1_IRQ + 1])(void) = {[USART1_IRQ] = on_usart1};

static void set_pin(unsigned pin, bool high)
{
	GPIOB_BSRR = UINT32_C(1) << (high ? pin : pin + 16);
}

void bitbang_set_scl(bool high)
{
	set_pin(PIN_SCL, high);
}

void bitbang_set_sda(bool high)
{
	set_pin(PIN_SDA, high);
}

bool bitbang_scl(void)
{
	return GPIOB_IDR >> PIN_SCL & 1;
}

bool bitbang_sda(void)
{
	return GPIOB_IDR >> PIN_SDA & 1;
}

void bitbang_half_bit(void)
{
	uint32_t begin = DWT_CYCCNT;

	while (DWT_CYCCNT - begin < HALF_BIT)
		;
}

uint32_t board_counter(void)
{
	return DWT_CYCCNT;
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
		while (!(USART1_SR & SR_TXE))
			;
		USART1_DR = p[i];
	}
}

static void feed(void)
{
	IWDG_KR = KR_RELOAD;
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

static void await_flash(void)
{
	while (FLASH_SR & SR_BUSY)
		;
}

/* A page is erased, then written in half words; n is even. The processor stands still meanwhile. */
static int store(const void *record, size_t n)
{
	FLASH_KEYR = KEY1;
	FLASH_KEYR = KEY2;
	FLASH_CR = FLASH_PER;
	FLASH_AR = PAGE;
	FLASH_CR = FLASH_PER | FLASH_STRT;
	await_flash();
	FLASH_CR = FLASH_PG;
	for (size_t i = 0; i < n; i += 2) {
		uint16_t half;

		memcpy(&half, (const uint8_t *)record + i, 2);
		*(volatile uint16_t *)(PAGE + i) = half;
		await_flash();
	}
	FLASH_CR = FLASH_LOCK;
	return memcmp((const void *)PAGE, record, n) == 0 ? 0 : -1;
}

static const struct probe_board board = {
	.name = "STM32F103",
	.rate_min_hz = 10,
	/* Eight words of 45 bits take 0.9 ms at 400 kHz. */
	.rate_max_hz = 500,
	.rate_default_hz = 250,
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
	.stored = (const void *)PAGE,
	.store = store,
};

/* 8 MHz times 9; flash waits twice, APB1 runs at half. */
static void start_clocks(void)
{
	FLASH_ACR = ACR_2_WAITS_PREFETCH;
	RCC_CR |= CR_HSEON;
	while (!(RCC_CR & CR_HSERDY))
		;
	RCC_CFGR = CFGR_APB1_HALF | CFGR_PLL_HSE | CFGR_PLL_X9;
	RCC_CR |= CR_PLLON;
	while (!(RCC_CR & CR_PLLRDY))
		;
	RCC_CFGR |= CFGR_SW_PLL;
	while ((RCC_CFGR & CFGR_SWS_MASK) != CFGR_SWS_PLL)
		;
	DEMCR |= DEMCR_TRCENA;
	DWT_CTRL |= 1;
}

static void set_mode(volatile uint32_t *modes, unsigned pin, uint32_t mode)
{
	*modes = (*modes & ~(UINT32_C(0xf) << 4 * (pin % 8))) | mode << 4 * (pin % 8);
}

static void start_pins(void)
{
	RCC_APB2ENR |= APB2_GPIOA | APB2_GPIOB | APB2_USART1;
	bitbang_set_scl(true);
	bitbang_set_sda(true);
	set_mode(&GPIOB_CRL, PIN_SCL, MODE_OPEN_DRAIN);
	set_mode(&GPIOB_CRL, PIN_SDA, MODE_OPEN_DRAIN);
	set_mode(&GPIOA_CRH, 9, MODE_PERIPHERAL);
	set_mode(&GPIOA_CRH, 10, MODE_INPUT);
}

static void start_watchdog(void)
{
	bitten = RCC_CSR & CSR_IWDGRSTF;
	RCC_CSR |= CSR_RMVF;
	IWDG_KR = KR_START;
	IWDG_KR = KR_UNLOCK;
	IWDG_PR = PR_64;
	IWDG_RLR = RLR_2S;
	IWDG_KR = KR_RELOAD;
}

const struct probe_board *board_start(void)
{
	start_clocks();
	start_pins();
	USART1_BRR = (CLOCK_HZ + BAUD / 2) / BAUD;
	USART1_CR1 = CR1_UE | CR1_RE | CR1_TE | CR1_RXNEIE;
	NVIC_ISER1 = UINT32_C(1) << (USART1_IRQ - 32);
	start_watchdog();
	return &board;
}

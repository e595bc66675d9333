/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "emuprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "chipset.h"
#include "linebuf.h"
#include "qmp.h"

#define SLOTS_MAX      3
#define ARGS_MAX       (24 + 2 * SLOTS_MAX)
#define SETTINGS_PLACE 0x21000000 /* where the board looks for its settings */

#define NOISE_MS  50
#define MOTION_MS 2
/* A slot whose power will be another by then is in motion: inrush decays, activity ends. */
#define OUTLOOK_NS INT64_C(25000000)
/* Orders that were not yet confirmed. More would wait in a busy emulator, and what counts behind
 * them: a value that is sent later is a newer one. */
#define ORDERS_MAX 3

enum { POLL_END, POLL_QMP, POLL_LINE };

struct emuprobe {
	const struct lab_virtual *virt;
	emuprobe_source *source;
	void *context;
	struct child child;
	int qmp;
	int words; /* the emulator's stderr, in memory */
	struct linebuf qmp_lines;
	struct lineport *line;
	bool greeted;		     /* the emulator takes orders */
	uint64_t ordered, confirmed; /* how many were sent, and are done */
	bool telling;		     /* a question waits for all that is ordered before ... */
	uint64_t told;		     /* ... so many are confirmed */
	int64_t noise_ns;	     /* when noise is due */
	double base_w[SLOTS_MAX]; /* what each slot drew when its chip was told last; NAN: never */
};

static uint64_t open_orders(const struct emuprobe *p)
{
	return p->ordered - p->confirmed;
}

static void order(struct emuprobe *p, const char *text)
{
	p->ordered++;
	(void)send(p->qmp, text, strlen(text), MSG_NOSIGNAL);
}

static void set(struct emuprobe *p, unsigned channel, const char *property, unsigned value)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/machine/peripheral/pm%u\","
		 "\"property\":\"%s\",\"value\":%u}}\n",
		 channel, property, value);
	order(p, text);
}

/* A probe stands upstream of the slots' switches: its voltage is there in any case. */
static void begin(struct emuprobe *p)
{
	unsigned mv = (unsigned)lround(p->virt->voltage_v * 1e3);

	for (size_t i = 0; i < p->virt->slots_n; i++) {
		set(p, p->virt->slots[i].channel, "vin", mv);
		set(p, p->virt->slots[i].channel, "vout", mv);
		p->base_w[i] = NAN;
	}
	p->greeted = true;
}

static void on_qmp_line(char *line, void *context)
{
	struct emuprobe *p = context;

	switch (qmp_parse(line)) {
	case QMP_GREETING:
		order(p, QMP_HELLO);
		break;
	case QMP_DONE:
	case QMP_REFUSED:
		p->confirmed += open_orders(p) > 0;
		if (!p->greeted)
			begin(p);
		break;
	case QMP_RESET:
	case QMP_OTHER:
		break;
	}
}

static void take_qmp(struct emuprobe *p)
{
	char bytes[4096];
	ssize_t n = recv(p->qmp, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		linebuf_feed(&p->qmp_lines, bytes, (size_t)n, on_qmp_line, p);
}

int emuprobe_update(struct emuprobe *p, int64_t now_ns)
{
	bool noise = now_ns >= p->noise_ns, motion = false;

	for (size_t i = 0; p->greeted && i < p->virt->slots_n; i++) {
		const struct lab_slot *slot = &p->virt->slots[i];
		double w = p->source(slot->device, now_ns, false, p->context);
		double then_w = p->source(slot->device, now_ns + OUTLOOK_NS, false, p->context);
		double fine_w = chipset_step_w(p->virt, slot) / 10;

		motion = motion || fabs(then_w - w) > fine_w;
		/* Not fabs() > alone: nothing is more than NAN. */
		if ((!noise && fabs(w - p->base_w[i]) <= fine_w) || open_orders(p) >= ORDERS_MAX)
			continue;
		p->base_w[i] = w;
		w = p->source(slot->device, now_ns, true, p->context);
		set(p, slot->channel, "iout", chipset_milliamperes(p->virt, slot, w));
	}
	if (noise)
		p->noise_ns = now_ns + NOISE_MS * INT64_C(1000000);
	return motion ? MOTION_MS : (int)((p->noise_ns - now_ns + 999999) / 1000000);
}

/* Has the emulator confirmed all that it was told? */
static bool is_settled(const struct emuprobe *p)
{
	return p->greeted && open_orders(p) == 0;
}

static int settings_file(const struct lab_virtual *virt)
{
	uint8_t record[SETTINGS_RECORD_SIZE];
	struct settings settings;
	int fd = memfd_create("coldrig-probe-settings", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	chipset_settings(virt, &settings);
	settings_pack(&settings, record);
	if (write(fd, record, sizeof(record)) == (ssize_t)sizeof(record))
		return fd;
	close(fd);
	return -EIO;
}

/* What is handed to the emulator. */
struct parts {
	int settings, serial, qmp;
};

struct texts {
	char firmware[4096], loader[96], serial[32], qmp[32], chips[SLOTS_MAX][64];
};

static void command(const struct emuprobe *p, const char *data_dir, const struct parts *parts,
		    struct texts *t, const char *argv[static ARGS_MAX])
{
	const char *const fixed[] = {
		EMUPROBE_PROGRAM,
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-M",
		"mps2-an385",
		"-kernel",
		t->firmware,
		"-device",
		t->loader,
		"-chardev",
		t->serial,
		"-serial",
		"chardev:line",
		"-chardev",
		t->qmp,
		"-mon",
		"chardev=qmp,mode=control",
	};
	size_t n = sizeof(fixed) / sizeof(fixed[0]);

	memcpy(argv, fixed, sizeof(fixed));
	snprintf(t->firmware, sizeof(t->firmware), "%s/" EMUPROBE_FIRMWARE, data_dir);
	snprintf(t->loader, sizeof(t->loader),
		 "loader,file=/proc/self/fd/%d,addr=0x%x,force-raw=on", parts->settings,
		 SETTINGS_PLACE);
	snprintf(t->serial, sizeof(t->serial), "socket,id=line,fd=%d", parts->serial);
	snprintf(t->qmp, sizeof(t->qmp), "socket,id=qmp,fd=%d", parts->qmp);
	for (size_t i = 0; i < p->virt->slots_n; i++) {
		unsigned channel = p->virt->slots[i].channel;

		snprintf(t->chips[i], sizeof(t->chips[i]), "adm1272,id=pm%u,bus=i2c,address=0x%x",
			 channel, PROBE_FIRST_ADDRESS + channel - 1);
		argv[n++] = "-device";
		argv[n++] = t->chips[i];
	}
	argv[n] = NULL;
}

static void close_parts(struct parts *parts)
{
	const int fds[] = {parts->settings, parts->serial, parts->qmp};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static int line_pair(int *ours, int *theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*ours = fds[0];
	*theirs = fds[1];
	/* The emulator sets its own end as it likes. */
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_parts(struct emuprobe *p, struct parts *parts, int *line)
{
	int code = parts->settings = settings_file(p->virt);

	if (code >= 0)
		code = line_pair(line, &parts->serial);
	if (code == 0)
		code = line_pair(&p->qmp, &parts->qmp);
	if (code == 0)
		code = p->words = memfd_create("coldrig-probe-words", MFD_CLOEXEC);
	return code < 0 ? code : 0;
}

static int start(struct emuprobe *p, const char *data_dir, const struct parts *parts,
		 struct err *err)
{
	const int kept[] = {parts->settings, parts->serial, parts->qmp};
	const char *argv[ARGS_MAX];
	struct texts texts;
	int code;

	command(p, data_dir, parts, &texts, argv);
	if (access(texts.firmware, R_OK) < 0)
		return err_set(err, -ENOENT,
			       "%s: no firmware for the probe: run setup/packages, and build again",
			       texts.firmware);
	code = child_start(&p->child, (char *const *)argv, kept, sizeof(kept) / sizeof(kept[0]),
			   p->words);
	return code < 0 ? err_set(err, code, EMUPROBE_PROGRAM ": cannot be started: %s%s",
				  strerror(-code), code == -ENOENT ? ": run setup/packages" : "")
			: 0;
}

int emuprobe_new(const struct lab_virtual *virt, const char *data_dir, emuprobe_source *source,
		 void *context, struct emuprobe **out, struct err *err)
{
	struct emuprobe *p = calloc(1, sizeof(*p));
	struct parts parts = {-1, -1, -1};
	int line = -1, code;

	if (!p)
		return err_set(err, -ENOMEM, "virtual probe: out of memory");
	*p = (struct emuprobe){.virt = virt,
			       .source = source,
			       .context = context,
			       .child = {.pidfd = -1},
			       .qmp = -1,
			       .words = -1};
	code = open_parts(p, &parts, &line);
	if (code < 0)
		err_set(err, code, "virtual probe: %s", strerror(-code));
	if (line >= 0 && code == 0)
		code = lineport_new(line, &p->line, err);
	else if (line >= 0)
		close(line);
	if (code == 0)
		code = start(p, data_dir, &parts, err);
	close_parts(&parts);
	if (code < 0)
		emuprobe_free(p);
	else
		*out = p;
	return code;
}

void emuprobe_free(struct emuprobe *p)
{
	if (!p)
		return;
	child_stop(&p->child);
	lineport_free(p->line);
	if (p->qmp >= 0)
		close(p->qmp);
	if (p->words >= 0)
		close(p->words);
	free(p);
}

uint16_t emuprobe_tcp_port(const struct emuprobe *p)
{
	return lineport_tcp_port(p->line);
}

void emuprobe_set_faults(struct emuprobe *p, bool dead, bool unplugged)
{
	lineport_set_faults(p->line, dead, unplugged);
}

static void on_end(struct emuprobe *p)
{
	char words[400];
	ssize_t n = pread(p->words, words, sizeof(words) - 1, 0);

	while (n > 0 && words[n - 1] == '\n')
		n--;
	fprintf(stderr, "coldrig: virtual probe: its emulator ended: %.*s\n", (int)(n > 0 ? n : 0),
		words);
	child_stop(&p->child);
	close(p->qmp);
	p->qmp = -1;
	p->greeted = false;
	lineport_hang_up(p->line);
}

void emuprobe_pollfds(const struct emuprobe *p, struct pollfd fds[static EMUPROBE_POLLFDS])
{
	fds[POLL_END] = (struct pollfd){.fd = p->child.pidfd, .events = POLLIN};
	fds[POLL_QMP] = (struct pollfd){.fd = p->qmp, .events = POLLIN};
	lineport_pollfds(p->line, fds + POLL_LINE);
}

/* Not before all orders are confirmed: an update leaves out what would be one too many. */
static void answer_when_told(struct emuprobe *p, int64_t now_ns)
{
	if (!p->telling) {
		if (!is_settled(p))
			return;
		(void)emuprobe_update(p, now_ns);
		p->telling = true;
		p->told = p->ordered;
	}
	if (p->confirmed < p->told)
		return;
	p->telling = false;
	lineport_take(p->line);
}

void emuprobe_handle(struct emuprobe *p, const struct pollfd fds[static EMUPROBE_POLLFDS],
		     int64_t now_ns)
{
	lineport_handle(p->line, fds + POLL_LINE);
	if (fds[POLL_END].revents)
		on_end(p);
	else if (fds[POLL_QMP].revents)
		take_qmp(p);
	if (lineport_is_asked(p->line))
		answer_when_told(p, now_ns);
	else
		p->telling = false;
}

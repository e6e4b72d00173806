/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Commands of rte_telemetry. A callback there gets the command's name and nothing else, and it
 * cannot be taken back, hence the table at file scope; once stopped, commands answer empty.
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_telemetry.h>

#include "port_parts.h"

#define COMMANDS_MAX 16
#define COMMAND_LEN  56 /* rte_telemetry's limit */

static struct {
	pthread_mutex_t lock; /* its thread calls back, the control thread registers and stops */
	unsigned cnt;
	struct {
		char name[COMMAND_LEN];
		void (*fill)(void *ctx, struct et_port_tel *tel);
		void *ctx;
	} commands[COMMANDS_MAX];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct et_port_tel {
	struct rte_tel_data *outer;
	struct rte_tel_data
		*at; /* where values go: outer, or what was begun in it; NULL: nowhere */
	char name[RTE_TEL_MAX_STRING_LEN];
};

static int on_command(const char *command, const char *params, struct rte_tel_data *data)
{
	struct et_port_tel tel = { .outer = data, .at = data };

	(void)params;
	rte_tel_data_start_dict(data);
	pthread_mutex_lock(&table.lock);
	for (unsigned i = 0; i < table.cnt; i++)
		if (table.commands[i].fill && !strcmp(table.commands[i].name, command))
			table.commands[i].fill(table.commands[i].ctx, &tel);
	pthread_mutex_unlock(&table.lock);
	return 0;
}

int et_port_telemetry(const char *command, const char *help,
	void (*fill)(void *ctx, struct et_port_tel *tel), void *ctx)
{
	int ret = 0;

	pthread_mutex_lock(&table.lock);
	if (table.cnt == COMMANDS_MAX || strlen(command) >= COMMAND_LEN) {
		ret = -E2BIG;
	} else {
		memcpy(table.commands[table.cnt].name, command, strlen(command) + 1);
		table.commands[table.cnt].fill = fill;
		table.commands[table.cnt].ctx = ctx;
		table.cnt++;
	}
	pthread_mutex_unlock(&table.lock);
	return ret ? ret : rte_telemetry_register_cmd(command, on_command, help);
}

void port_telemetry_stop(void)
{
	pthread_mutex_lock(&table.lock);
	for (unsigned i = 0; i < table.cnt; i++)
		table.commands[i].fill = NULL;
	pthread_mutex_unlock(&table.lock);
}

/* Names there are of letters, digits, '_' and '/' only. */
static const char *plain(char out[static RTE_TEL_MAX_STRING_LEN], const char *name)
{
	size_t i = 0;

	for (; name[i] && i < RTE_TEL_MAX_STRING_LEN - 1; i++)
		out[i] = (name[i] >= '0' && name[i] <= '9') || (name[i] >= 'a' && name[i] <= 'z') ||
					 (name[i] >= 'A' && name[i] <= 'Z') || name[i] == '/'
				 ? name[i]
				 : '_';
	out[i] = '\0';
	return out;
}

void et_port_tel_number(struct et_port_tel *tel, const char *name, uint64_t value)
{
	char key[RTE_TEL_MAX_STRING_LEN];

	if (tel->at)
		rte_tel_data_add_dict_u64(tel->at, plain(key, name), value);
}

void et_port_tel_text(struct et_port_tel *tel, const char *name, const char *value)
{
	char key[RTE_TEL_MAX_STRING_LEN];

	if (tel->at)
		rte_tel_data_add_dict_string(tel->at, plain(key, name), value);
}

void et_port_tel_begin(struct et_port_tel *tel, const char *name)
{
	plain(tel->name, name);
	tel->at = rte_tel_data_alloc();
	if (tel->at)
		rte_tel_data_start_dict(tel->at);
}

void et_port_tel_end(struct et_port_tel *tel)
{
	/* telemetry frees what was begun after it has answered */
	if (tel->at && tel->at != tel->outer &&
		rte_tel_data_add_dict_container(tel->outer, tel->name, tel->at, 0))
		rte_tel_data_free(tel->at);
	tel->at = tel->outer;
}

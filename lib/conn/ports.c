/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void et_ports_default(struct et_ports *ports)
{
	static const struct {
		uint16_t port;
		uint8_t service;
	} known[] = {
		{ 24, ET_SERVICE_LMTP },
		{ 25, ET_SERVICE_SMTP },
		{ 110, ET_SERVICE_POP3 },
		{ 143, ET_SERVICE_IMAP },
		{ 465, ET_SERVICE_SMTPS },
		{ 587, ET_SERVICE_SUBMISSION },
		{ 993, ET_SERVICE_IMAPS },
		{ 995, ET_SERVICE_POP3S },
		{ 2525, ET_SERVICE_SMTP },
		{ 4190, ET_SERVICE_SIEVE },
	};

	*ports = (struct et_ports){ 0 };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ports->service[known[i].port] = known[i].service;
}

/* The service of a name of n bytes, -1 if there is none. */
static int service_by_name(const char *name, size_t n)
{
	if (n == 4 && memcmp(name, "none", 4) == 0)
		return ET_SERVICE_NONE;
	for (int i = ET_SERVICE_NONE + 1; i < ET_SERVICE_MAX; i++) {
		const char *known = et_service_name((enum et_service)i);

		if (strlen(known) == n && memcmp(known, name, n) == 0)
			return i;
	}
	return -1;
}

int et_ports_parse(struct et_ports *ports, char *err, size_t err_cap, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ",");
		char *end;
		unsigned long port = strtoul(text, &end, 10);
		int service = -1;

		if (end > text && *text >= '0' && *text <= '9' && *end == '=' && end < text + n)
			service = service_by_name(end + 1, (size_t)(text + n - end - 1));
		if (service < 0 || port < 1 || port > 65535) {
			snprintf(err, err_cap,
				"\"%.*s\" is no PORT=SERVICE; port is 1 to 65535, service one of "
				"smtp, "
				"submission, smtps, lmtp, imap, imaps, pop3, pop3s, sieve, none",
				(int)n, text);
			return -EINVAL;
		}
		ports->service[port] = (uint8_t)service;
		text += n + (text[n] == ',');
	}
	return 0;
}

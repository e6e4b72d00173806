/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_session.h"

const char *et_service_name(enum et_service service)
{
	static const char *const names[ET_SERVICE_MAX] = {
		[ET_SERVICE_SMTP] = "smtp",
		[ET_SERVICE_SUBMISSION] = "submission",
		[ET_SERVICE_SMTPS] = "smtps",
		[ET_SERVICE_LMTP] = "lmtp",
		[ET_SERVICE_IMAP] = "imap",
		[ET_SERVICE_IMAPS] = "imaps",
		[ET_SERVICE_POP3] = "pop3",
		[ET_SERVICE_POP3S] = "pop3s",
		[ET_SERVICE_SIEVE] = "sieve",
	};

	return service < ET_SERVICE_MAX ? names[service] : NULL;
}

const char *et_mode_name(enum et_mode mode)
{
	switch (mode) {
	case ET_MODE_CLEAR: return "clear";
	case ET_MODE_STARTTLS: return "starttls";
	case ET_MODE_IMPLICIT: return "implicit";
	default: return NULL;
	}
}

const char *et_outcome_name(enum et_outcome outcome)
{
	static const char *const names[ET_OUTCOME_MAX] = {
		[ET_OUTCOME_NONE] = "none",
		[ET_OUTCOME_ESTABLISHED] = "established",
		[ET_OUTCOME_FAILED] = "failed",
		[ET_OUTCOME_INCOMPLETE] = "incomplete",
		[ET_OUTCOME_BROKEN] = "broken",
		[ET_OUTCOME_UNKNOWN] = "unknown",
	};

	return outcome < ET_OUTCOME_MAX ? names[outcome] : NULL;
}

const char *et_confidence_name(enum et_confidence confidence)
{
	switch (confidence) {
	case ET_CERTAIN: return "certain";
	case ET_LIKELY: return "likely";
	default: return "possible";
	}
}

int et_session_cmp(const struct et_session *a, const struct et_session *b)
{
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

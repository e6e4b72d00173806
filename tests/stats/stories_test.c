/* SPDX-License-Identifier: BSD-3-Clause */
#include "stories_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "sample.h"
#include "unit.h"

/* What is known of a story, and nothing else, stands in its row; then in the minute row. */
void test_stories(void)
{
	static const char *const rows[] = {
		"{\"type\":\"fallback\",\"client\":\"198.51.100.7\",\"service\":\"smtp\","
		"\"servers\":"
		"[\"192.0.2.25\",\"192.0.2.26\"],\"direction\":\"in\",\"how\":\"clear\","
		"\"stories\":2,"
		"\"attempts\":5,\"opened\":\"2026-11-22T10:31:07.123456Z\",\"last\":"
		"\"2026-11-22T10:31:08.123456Z\",\"closed\":\"2026-11-22T10:31:09.123456Z\","
		"\"closed_by\":\"192.0.2.27\",\"same_connection\":false,\"delay_s\":1.5,"
		"\"delay_max_s\":2.0,\"cause\":\"starttls_refused/454\",\"hello\":null}\n",
		"\"how\":\"tls\",\"stories\":1,\"attempts\":5,\"opened\":\"2026-11-22T10:31:07."
		"123456Z\","
		"\"last\":\"2026-11-22T10:31:08.123456Z\",\"closed\":\"2026-11-22T10:31:09."
		"123456Z\","
		"\"closed_by\":\"192.0.2.27\",\"same_connection\":null,\"delay_s\":2.0,",
		"\"how\":\"stuck\",\"stories\":1,\"attempts\":5,\"opened\":\"2026-11-22T10:31:07."
		"123456Z\","
		"\"last\":\"2026-11-22T10:31:08.123456Z\",\"closed\":\"2026-11-22T10:31:09."
		"123456Z\","
		"\"closed_by\":null,\"same_connection\":null,\"delay_s\":null,\"delay_max_s\":"
		"null,",
		"\"closed\":null,\"closed_by\":null,\"same_connection\":null,\"delay_s\":null,"
		"\"delay_max_s\":null,\"cause\":null,\"hello\":\"00ff\"}\n",
	};
	static const uint8_t hows[] = { ET_STORY_CLEAR, ET_STORY_TLS, ET_STORY_STUCK,
		ET_STORY_OPEN };
	struct et_story all[4] = { { .service = ET_SERVICE_SMTP } };
	struct et_stats_stories stories = {
		.rows = all, .cnt = 4, .open = 3, .dropped = 2, .state = 17
	};
	char dir[] = "/tmp/et-stats-XXXXXX", error[ET_STATS_ERROR], *text, *line;
	struct et_peer_table *table = et_peer_table_new(10, 10);
	struct et_stats_capture capture;
	struct et_stats_file file = { .dir = dir,
		.minute_ns = et_time_minute(SAMPLE_START_NS),
		.capture = &capture,
		.table = table,
		.stories = &stories };
	struct et_peer_net gateway;
	struct et_stats_writer *writer;
	struct sample sample;

	sample_new(&sample);
	CU_ASSERT_EQUAL_FATAL(et_peer_net_parse(&gateway, "192.0.2.0/24"), 0);
	sample.run.gateways = &gateway;
	sample.run.gateways_cnt = 1;
	all[0].client = et_addr_v4((uint8_t[]){ 198, 51, 100, 7 });
	all[0].servers[0] = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 });
	all[0].servers[1] = et_addr_v4((uint8_t[]){ 192, 0, 2, 26 });
	all[0].closed_by = et_addr_v4((uint8_t[]){ 192, 0, 2, 27 });
	all[0].servers_cnt = 2;
	all[0].attempts = 5;
	all[0].opened_ns = SAMPLE_START_NS;
	all[0].last_ns = SAMPLE_START_NS + ET_NS_PER_S;
	all[0].closed_ns = SAMPLE_START_NS + 2 * ET_NS_PER_S;
	all[0].delay_max_ns = 2 * ET_NS_PER_S;
	for (unsigned i = 0; i < 4; i++) {
		all[i] = all[0];
		all[i].how = hows[i];
		all[i].stories = i ? 1 : 2;
		all[i].delay_ns = i ? 2 * ET_NS_PER_S : 3 * ET_NS_PER_S; /* the sum */
	}
	snprintf(all[0].cause, sizeof(all[0].cause), "starttls_refused/454");
	snprintf(all[3].hello, sizeof(all[3].hello), "00ff");
	writer = et_stats_writer_new(&sample.run);
	et_stats_capture_init(&capture);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	file.dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	CU_ASSERT_EQUAL_FATAL(et_stats_file(writer, error, &file), 0);
	text = folder_slurp(dir, "gw1-20261122T1031Z.jsonl");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, ",\"stories\":{\"open\":3,\"dropped\":2,\"state\":17}}\n"));
	line = text;
	for (unsigned i = 0; i < 4; i++) {
		line = strchr(line, '\n') + 1;
		CU_ASSERT_PTR_NOT_NULL(strstr(line, rows[i]));
		CU_ASSERT_TRUE(i > 0 || strncmp(line, rows[0], strlen(rows[0])) == 0);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"end\",\"rows\":5}\n"));
	close(file.dir_fd);
	free(text);
	folder_files(dir, true);
	et_stats_writer_free(writer);
	et_peer_table_free(table);
	sample_free(&sample);
}

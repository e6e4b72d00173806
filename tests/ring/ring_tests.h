/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RING_TESTS_H
#define RING_TESTS_H

/* What each file of this folder asks; see the comment above each test. */

void test_names(void);
void test_list(void);
void test_lock_sensor(void);
void test_lock_file(void);

void test_create_refused(void);
void test_attach(void);
void test_attach_refused(void);
void test_header_fields(void);

void test_permissions(void);
void test_owner(void);
void test_space(void);

void test_lengths(void);
void test_wrap(void);
void test_positions_wrap(void);
void test_offsets(void);
void test_full(void);
void test_keep(void);
void test_release(void);
void test_released_number(void);
void test_rte_ring(void);

void test_bad_messages(void);
void test_bad_positions(void);
void test_bad_reader(void);
void test_noise(void);

void test_reader_killed(void);
void test_writer_killed(void);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */

/* Conversations in TLS 1.3 that hinge on what comes behind the client's flight. */

#include "talks_13.h"

#define C ET_CLIENT
#define S ET_SERVER

/* TLS 1.3 up to the server's Finished. */
static void up_to_server_13(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
}

static void sealed(struct script *s, enum et_dir dir, size_t n)
{
	script_sealed(s, dir, ET_TLS_APPLICATION, n);
}

static void client_certificate_13(struct script *s) /* Certificate, CertificateVerify, Finished */
{
	sealed(s, C, 367);
	sealed(s, C, 96);
	sealed(s, C, 53);
}

static void no_certificate_13(struct script *s) /* an empty Certificate, Finished */
{
	sealed(s, C, 25);
	sealed(s, C, 53);
}

static void close_by(struct script *s, enum et_dir dir)
{
	script_fin(s, dir);
	script_fin(s, et_dir_other(dir));
}

void rejected_13(struct script *s)
{
	up_to_server_13(s);
	client_certificate_13(s);
	sealed(s, S, 19);
	close_by(s, S);
}

void missing_13(struct script *s)
{
	up_to_server_13(s);
	no_certificate_13(s);
	sealed(s, S, 19);
	close_by(s, S);
}

void rejected_behind_ehlo_13(struct script *s)
{
	up_to_server_13(s);
	client_certificate_13(s);
	sealed(s, C, 60);
	sealed(s, S, 19);
	close_by(s, S);
}

void rejection_crosses_13(struct script *s) /* EHLO and the alert pass each other */
{
	up_to_server_13(s);
	client_certificate_13(s);
	sealed(s, S, 19);
	sealed(s, C, 60);
	close_by(s, S);
}

void rejected_in_one_13(struct script *s) /* the client's flight in one record */
{
	up_to_server_13(s);
	sealed(s, C, 500);
	sealed(s, C, 60);
	sealed(s, S, 19);
	close_by(s, S);
}

void rejected_late_13(struct script *s) /* tickets first, as Exim judges */
{
	up_to_server_13(s);
	client_certificate_13(s);
	sealed(s, S, 184);
	sealed(s, S, 184);
	sealed(s, C, 60);
	sealed(s, S, 19);
	close_by(s, S);
}

void rejected_later_13(struct script *s) /* and a client that waits for it */
{
	up_to_server_13(s);
	no_certificate_13(s);
	sealed(s, S, 184);
	sealed(s, S, 184);
	sealed(s, S, 19);
	close_by(s, S);
}

void rejected_reset_13(struct script *s)
{
	up_to_server_13(s);
	client_certificate_13(s);
	script_rst(s, S);
}

void update_then_rejected_13(struct script *s) /* KeyUpdate is no command */
{
	up_to_server_13(s);
	sealed(s, C, 53);
	sealed(s, C, 22);
	sealed(s, C, 60);
	sealed(s, S, 19);
	close_by(s, S);
}

void one_reply_13(struct script *s) /* Finished and EHLO together, QUIT */
{
	up_to_server_13(s);
	sealed(s, C, 53);
	sealed(s, C, 60);
	sealed(s, S, 115);
	sealed(s, C, 23);
	sealed(s, S, 31);
	sealed(s, S, 19);
	close_by(s, S);
}

void one_reply_and_gone_13(struct script *s)
{
	up_to_server_13(s);
	no_certificate_13(s);
	sealed(s, C, 60);
	sealed(s, S, 115);
	script_rst(s, C);
}

void certificate_one_reply_13(struct script *s)
{
	up_to_server_13(s);
	client_certificate_13(s);
	sealed(s, S, 214);
	sealed(s, S, 214);
	sealed(s, C, 60);
	sealed(s, S, 115);
	sealed(s, C, 23);
	sealed(s, S, 37);
	sealed(s, S, 19);
	close_by(s, S);
}

void banner_13(struct script *s) /* POP3: the server speaks first */
{
	s->server_port = 995;
	script_open(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	sealed(s, S, 900);
	no_certificate_13(s);
	sealed(s, S, 60);
	sealed(s, C, 23);
	sealed(s, S, 30);
	sealed(s, S, 19);
	close_by(s, S);
}

void flight_in_one_13(struct script *s)
{
	up_to_server_13(s);
	sealed(s, C, 500);
	sealed(s, C, 60);
	sealed(s, S, 368);
	sealed(s, S, 115);
	sealed(s, C, 23);
	sealed(s, S, 37);
	close_by(s, S);
}

void early_data_13(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	sealed(s, C, 60);
	script_server_hello(s, true);
	sealed(s, S, 900);
	sealed(s, C, 21);
	sealed(s, C, 53);
	sealed(s, S, 184);
	sealed(s, S, 115);
	sealed(s, C, 23);
	sealed(s, S, 37);
	close_by(s, S);
}

void early_data_rejected_13(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	sealed(s, C, 60);
	script_server_hello(s, true);
	sealed(s, S, 900);
	sealed(s, C, 21);
	sealed(s, C, 53);
	sealed(s, S, 19);
	close_by(s, S);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "facts.h"

#include <string.h>

/* Codes as in docs/causes.md; of those that fit, the longest path counts. */
static const struct {
	const char *code, *headline;
} headlines[] = {
	{ "", "No reason can be seen" },
	{ "no_shared_cipher", "No cipher suite in common" },
	{ "no_shared_cipher/certificate_curve",
		"The client does not support the curve of the server's ECDSA certificate" },
	{ "no_shared_cipher/certificate_key_type",
		"The client's suites need a certificate with another kind of key" },
	{ "no_shared_cipher/signature_algorithm",
		"The client accepts no signature of the server's key" },
	{ "no_shared_cipher/suites", "Server and client allow different cipher suites" },
	{ "no_shared_cipher/group", "Server and client allow different key exchange groups" },
	{ "dh_too_small", "The client refuses the server's DHE prime as too small" },
	{ "protocol_version", "No TLS version in common" },
	{ "inappropriate_fallback", "The client came back with a lower version than it can" },
	{ "inappropriate_fallback/downgrade_sentinel", "The client saw a downgrade on the path" },
	{ "certificate_rejected", "The client rejects the server's certificate" },
	{ "certificate_rejected/expired", "The server's certificate has expired" },
	{ "certificate_rejected/not_yet_valid", "The server's certificate is not yet valid" },
	{ "certificate_rejected/unknown_ca", "The client does not know the CA of the server" },
	{ "certificate_rejected/self_signed", "The server's certificate is self-signed" },
	{ "certificate_rejected/name_mismatch", "The server's certificate has another name" },
	{ "certificate_rejected/curve",
		"The client does not support the curve of the server's ECDSA certificate" },
	{ "certificate_rejected/revoked", "The server's certificate is revoked" },
	{ "certificate_rejected/weak_signature", "The server's certificate is signed weakly" },
	{ "certificate_rejected/weak_key", "The key of the server's certificate is weak" },
	{ "certificate_rejected/wrong_usage", "The server's certificate is not one for a server" },
	{ "client_certificate/missing", "The server wants a client certificate and gets none" },
	{ "client_certificate/rejected", "The server rejects the client's certificate" },
	{ "unrecognized_name", "The server does not serve the name that the client asks for" },
	{ "no_application_protocol", "The client asks for a protocol (ALPN) that is not spoken" },
	{ "alert", "One side ended the handshake with an alert" },
	{ "alert/encrypted", "One side ended the handshake with an encrypted alert" },
	{ "lost", "The connection was lost in the handshake" },
	{ "lost/timeout", "The handshake came to a halt" },
	{ "lost/closed_by_client", "The client closed the connection in the handshake" },
	{ "lost/closed_by_server", "The server closed the connection in the handshake" },
	{ "lost/reset_by_client", "The client reset the connection in the handshake" },
	{ "lost/reset_by_server", "The server reset the connection in the handshake" },
	{ "broken/after_handshake", "The handshake was completed, then one side left" },
	{ "broken/after_handshake/3des", "The connection broke right behind a 3DES handshake" },
	{ "starttls_refused", "The server refuses STARTTLS" },
	{ "starttls_unanswered", "The server does not answer STARTTLS" },
	{ "starttls_masked", "STARTTLS is hidden by something on the path" },
	{ "starttls_not_offered", "The server does not offer STARTTLS" },
	{ "starttls_not_offered/to_this_client",
		"The server offers STARTTLS to others, but not to this client" },
	{ "starttls_not_offered/vanished", "The server does not offer STARTTLS any more" },
	{ "starttls_not_used", "STARTTLS is offered, and the client does not use it" },
	{ "plaintext_to_tls_port", "The client speaks plain text to a port for TLS" },
	{ "tls_to_plaintext_port", "The client speaks TLS to a port for STARTTLS" },
	{ "capture", "The capture hides it" },
	{ "capture/one_direction", "Only one direction was captured" },
	{ "capture/truncated", "Packets were captured in part only" },
	{ "capture/gap", "Packets are missing" },
	{ "capture/midstream", "The capture began after the connection" },
	{ "capture/unreadable", "What should be a handshake cannot be read as one" },
};

const char *facts_headline(const char *code)
{
	const char *best = *code ? "Another cause" : headlines[0].headline;
	size_t best_len = 0;

	for (size_t i = 1; i < sizeof(headlines) / sizeof(*headlines); i++) {
		size_t n = strlen(headlines[i].code);

		if (n > best_len && strncmp(code, headlines[i].code, n) == 0 &&
			(code[n] == '\0' || code[n] == '/')) {
			best = headlines[i].headline;
			best_len = n;
		}
	}
	return best;
}

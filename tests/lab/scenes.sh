# shellcheck shell=bash disable=SC2154 # record sets lab, stage.sh sets run
# The scenes of tests/lab/record, in the order in which they are played. Every expected connection
# is announced to truth.py by `scene`; those between the same two addresses in the order of play.

mail_number=0

# scene NAME CLIENT SERVER:PORT OUTCOME SAYS: one connection is expected; SAYS is the file with what
# the client says, below $run. OUTCOME: established, resumed, failed, none (no TLS), broken (the
# client went away after a complete handshake)
scene() {
	printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$run/scenes.tsv"
}

# letter FROM TO SUBJECT [LINE...]
letter() {
	local from=$1 to=$2 subject=$3
	shift 3
	printf '%s\n' "From: <$from>" "To: <$to>" "Subject: $subject" \
		"Date: $(date -u '+%a, %d %b %Y %H:%M:%S +0000')" "Message-Id: <$(date +%s.%N)@example.org>" ''
	printf '%s\n' "${@:-This is a short letter.}"
}

# Lines that look like dialogue and are not.
confusing_lines=(
	'EHLO is what the client says first, and the server answers:'
	'250-mx.example.net' '250-STARTTLS' '250 CHUNKING' 'STARTTLS' '220 2.0.0 Ready to start TLS'
	'220 mx.example.net ESMTP' '.' '.QUIT' 'DATA' 'AUTH PLAIN is not said here.'
)

# --- clients -----------------------------------------------------------------------------------

world_log=$run/postfix-world/var/log/mail.log

# postfix_sends FROM [LINE...]: the client of FROM's domain sends one mail; returns when tried
postfix_sends() {
	local from=$1 to
	shift
	mail_number=$((mail_number + 1))
	to=bob+$mail_number@example.net
	letter "$from" "$to" "Letter $mail_number" "$@" |
		inside postfix-world world /usr/sbin/sendmail -i -f "$from" "$to"
	await "the mail of $from" 20 grep -q "to=<$to>.* status=" "$world_log"
}

# gateway_sends TO: the gateway's own Postfix sends
gateway_sends() {
	letter alice@example.net "$1" "Letter from inside" |
		inside postfix-gateway gw /usr/sbin/sendmail -i -f alice@example.net "$1"
	await "the gateway's mail" 20 grep -q "to=<$1>.* status=" "$run/postfix-gateway/var/log/mail.log"
}

# exim_sends FROM [LINE...]: returns when the delivery has been tried
exim_sends() {
	local from=$1
	shift
	letter "$from" bob@example.net "Letter by Exim" "$@" |
		inside exim-world world /usr/sbin/exim4 -odi -i -f "$from" bob@example.net
}

# one mail, line by line; lower case, because s_client takes R and Q at a line's start for itself
dialogue() {
	local line
	sleep 0.2
	for line in "ehlo $1" "mail from:<alice@$1>" "rcpt to:<bob@example.net>" data \
		"$(letter "alice@$1" bob@example.net "Letter by openssl")" . quit; do
		printf '%s\n' "$line"
		sleep 0.05
	done
	sleep 0.2
}

# openssl_sends SAYS SOURCE SERVER HELO [OPTION...]: STARTTLS, and one mail if that succeeds
openssl_sends() {
	local says=$run/says/$1 source=$2 server=$3 helo=$4
	shift 4
	dialogue "$helo" | world timeout 15 openssl s_client -connect "$server:25" -bind "$source:0" \
		-starttls smtp -name "$helo" -crlf -ign_eof -CAfile "$run/tls/ca.pem" "$@" \
		>"$says" 2>&1 || :
}

# swaks_sends SAYS SOURCE SERVER HELO [OPTION...]
swaks_sends() {
	local says=$run/says/$1 source=$2 server=$3 helo=$4
	shift 4
	[ -e "$run/letter" ] || letter alice@example.org bob@example.net "Letter by swaks" >"$run/letter"
	world timeout 30 swaks --server "$server" --local-interface "$source" --helo "$helo" \
		--from "alice@$helo" --to bob@example.net --data "@$run/letter" "$@" >"$says" 2>&1 || :
}

# --- scenes ------------------------------------------------------------------------------------

postfix_scenes() {
	local i client name server first again
	while read -r i client server name first again; do
		scene "$name" "$client" "$server" "$first" postfix
		postfix_sends "alice@out$i.example.org"
		scene "$name" "$client" "$server" "$again" postfix
		postfix_sends "alice@out$i.example.org"
		scene "$name" "$client" "$server" "$again" postfix
		postfix_sends "alice@out$i.example.org"
	done <<-LIST
		1 198.51.100.11   192.0.2.25:25        postfix-tls13           established resumed
		2 2001:db8:1::12  [2001:db8:2::25]:25  postfix-tls13-ipv6      established resumed
		3 198.51.100.13   192.0.2.25:25        postfix-tls12           established resumed
		4 198.51.100.14   192.0.2.25:25        postfix-tls12-anonymous established resumed
		5 198.51.100.15   192.0.2.25:25        postfix-tls12-no-ticket established established
	LIST
}

exim_scenes() {
	scene exim-to-postfix 203.0.113.21 192.0.2.25:25 established exim
	exim_sends alice@relay1.example.org
	scene exim-to-postfix-ipv6 2001:db8:1::22 '[2001:db8:2::25]:25' established exim
	exim_sends alice@relay2.example.org
	scene postfix-to-exim 192.0.2.25 203.0.113.80:25 established gateway
	gateway_sends carol@example.org
	scene postfix-to-exim 192.0.2.25 203.0.113.80:25 established gateway
	gateway_sends dave@example.org
}

old_clients() {
	scene tls10 198.51.100.31 192.0.2.27:25 established says/tls10
	openssl_sends tls10 198.51.100.31 192.0.2.27 old1.example.org \
		-tls1 -cipher 'ECDHE-RSA-AES256-SHA:AES128-SHA:@SECLEVEL=0'
	scene tls11 198.51.100.32 192.0.2.27:25 established says/tls11
	openssl_sends tls11 198.51.100.32 192.0.2.27 old2.example.org \
		-tls1_1 -cipher 'DHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0'
	scene tls12-dhe-rsa 198.51.100.33 192.0.2.25:25 established says/tls12-dhe-rsa
	openssl_sends tls12-dhe-rsa 198.51.100.33 192.0.2.25 dhe.example.org \
		-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384
	scene tls12-rsa 198.51.100.34 192.0.2.25:25 established says/tls12-rsa
	openssl_sends tls12-rsa 198.51.100.34 192.0.2.25 rsa.example.org -tls1_2 -cipher AES128-GCM-SHA256
}

# What some Exchange senders offer: ECDHE and RSA suites, one curve, TLS 1.2. Debian's OpenSSL was
# built without 3DES; the client in GnuTLS offers that too.
exchange=(-tls1_2 -curves P-256
	-cipher 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA:@SECLEVEL=0'
	-sigalgs 'RSA+SHA256:RSA+SHA384:RSA+SHA1:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA1:DSA+SHA1:RSA+SHA512:ECDSA+SHA512')

# One certificate, ECDSA P-384, and clients that know P-256 only.
certificate_curve() {
	scene p384-established 198.51.100.40 192.0.2.26:25 established says/p384-established
	openssl_sends p384-established 198.51.100.40 192.0.2.26 modern.example.org -tls1_2
	scene p384-established-postfix 198.51.100.41 192.0.2.26:25 established postfix
	postfix_sends alice@out7.example.org

	scene p384-no-shared-cipher 198.51.100.42 192.0.2.26:25 failed says/p384-1
	openssl_sends p384-1 198.51.100.42 192.0.2.26 exchange1.example.org "${exchange[@]}"
	scene p384-no-shared-cipher 198.51.100.42 192.0.2.26:25 failed says/p384-2
	openssl_sends p384-2 198.51.100.42 192.0.2.26 exchange1.example.org "${exchange[@]}"
	scene p384-no-shared-cipher-3des 198.51.100.45 192.0.2.26:25 failed says/p384-3
	world timeout 10 gnutls-cli --starttls-proto=smtp --port 25 --insecure \
		--priority 'NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+RSA:+AES-128-GCM:+AES-256-GCM:+AES-128-CBC:+AES-256-CBC:+3DES-CBC:+AEAD:+SHA1:+SHA256:+SHA384:+COMP-NULL:+GROUP-SECP256R1:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA1:+SIGN-RSA-SHA512:+SIGN-ECDSA-SHA512' \
		192.0.2.26 >"$run/says/p384-3" 2>&1 </dev/null || :

	scene p384-fallback 198.51.100.43 192.0.2.26:25 failed says/p384-4
	openssl_sends p384-4 198.51.100.43 192.0.2.26 exchange2.example.org "${exchange[@]}"
	# Postfix, default behaviour: the first attempt fails, the second fails and goes on in clear
	scene p384-fallback-postfix 198.51.100.44 192.0.2.26:25 failed postfix
	postfix_sends alice@out8.example.org
	sleep 4
	scene p384-fallback-postfix 198.51.100.44 192.0.2.26:25 failed postfix
	scene p384-fallback-postfix 198.51.100.44 192.0.2.26:25 none postfix
	inside postfix-world world /usr/sbin/postqueue -f
	await "the fallback of out8" 20 grep -q "to=<bob+$mail_number@.* status=sent" "$world_log"
	scene p384-fallback 198.51.100.43 192.0.2.26:25 none says/p384-5
	swaks_sends p384-5 198.51.100.43 192.0.2.26 exchange2.example.org
}

rejections() {
	local v
	scene protocol-version 198.51.100.50 192.0.2.25:25 failed says/protocol-version
	openssl_sends protocol-version 198.51.100.50 192.0.2.25 old3.example.org \
		-tls1 -cipher 'ALL:@SECLEVEL=0'
	for v in 2 3; do
		scene "expired-tls1$v" "198.51.100.5$((v - 1))" 192.0.2.28:25 failed "says/expired-tls1$v"
		openssl_sends "expired-tls1$v" "198.51.100.5$((v - 1))" 192.0.2.28 strict1.example.org \
			"-tls1_$v" -verify_return_error
	done
	scene unknown-ca 198.51.100.53 192.0.2.29:25 failed says/unknown-ca
	openssl_sends unknown-ca 198.51.100.53 192.0.2.29 strict2.example.org -tls1_2 -verify_return_error
	# Postfix finishes the handshake, looks at the certificate and says QUIT
	scene unknown-ca-postfix 198.51.100.54 192.0.2.29:25 established postfix
	postfix_sends alice@out9.example.org
	# Exim finishes the handshake, closes, and delivers in clear on a new connection
	scene unknown-ca-exim 203.0.113.23 192.0.2.29:25 broken exim
	scene unknown-ca-exim 203.0.113.23 192.0.2.29:25 none exim
	exim_sends alice@relay3.example.org
	scene hello-retry 198.51.100.55 192.0.2.30:25 established says/hello-retry
	openssl_sends hello-retry 198.51.100.55 192.0.2.30 hrr.example.org -tls1_3 -groups X25519:P-384
	scene client-certificate 198.51.100.56 192.0.2.31:25 established says/client-certificate
	openssl_sends client-certificate 198.51.100.56 192.0.2.31 client.example.org -tls1_2 \
		-cert "$run/tls/client.pem" -key "$run/tls/client.key.pem"
}

without_tls() {
	scene starttls-refused 198.51.100.60 192.0.2.33:25 none postfix
	postfix_sends alice@out10.example.org "${confusing_lines[@]}"
	scene starttls-not-offered 198.51.100.61 192.0.2.32:25 none says/not-offered
	swaks_sends not-offered 198.51.100.61 192.0.2.32 plain1.example.org --tls-optional
	scene starttls-masked 198.51.100.62 192.0.2.34:25 none says/masked
	swaks_sends masked 198.51.100.62 192.0.2.34 plain2.example.org --tls-optional
	letter alice@plain3.example.org bob@example.net "About STARTTLS" "${confusing_lines[@]}" \
		>"$run/confusing"
	scene confusing-body 198.51.100.66 192.0.2.32:25 none says/confusing-body
	swaks_sends confusing-body 198.51.100.66 192.0.2.32 plain3.example.org --data "@$run/confusing"
	scene confusing-bdat 203.0.113.24 192.0.2.32:25 none exim
	exim_sends alice@relay4.example.org "${confusing_lines[@]}"
}

accidents() {
	scene server-closes 198.51.100.63 192.0.2.35:25 failed says/server-closes
	openssl_sends server-closes 198.51.100.63 192.0.2.35 lost1.example.org
	scene client-vanishes 198.51.100.64 192.0.2.25:25 failed says/client-vanishes
	world /usr/bin/python3 "$lab/peer.py" vanish 198.51.100.64 192.0.2.25 lost2.example.org \
		>"$run/says/client-vanishes"
	scene injection 198.51.100.65 192.0.2.25:25 established says/injection
	world /usr/bin/python3 "$lab/peer.py" inject 198.51.100.65 192.0.2.25 inject.example.org \
		>"$run/says/injection"
}

submission() {
	local login=(--auth PLAIN --auth-user demo --auth-password not-a-secret)
	scene submission-tls 198.51.100.70 192.0.2.36:587 established says/submission-tls
	swaks_sends submission-tls 198.51.100.70 192.0.2.36 laptop1.example.org --port 587 --tls "${login[@]}"
	scene submission-clear-auth 198.51.100.71 192.0.2.36:587 none says/submission-clear-auth
	swaks_sends submission-clear-auth 198.51.100.71 192.0.2.36 laptop2.example.org --port 587 \
		"${login[@]}"
	scene smtps 198.51.100.72 192.0.2.36:465 established says/smtps
	swaks_sends smtps 198.51.100.72 192.0.2.36 laptop3.example.org --port 465 --tlsc "${login[@]}"
}

play() {
	local part
	for part in postfix_scenes exim_scenes old_clients certificate_curve rejections without_tls \
		accidents submission; do
		say "playing ${part//_/ }"
		"$part"
	done
}

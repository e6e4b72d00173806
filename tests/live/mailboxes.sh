# shellcheck shell=bash disable=SC2154 # stage.sh sets run, the script that sources this sets live
# Scenes with Dovecot, played by tests/live/lab after those of tests/lab/scenes.sh.

strict=192.0.2.37 lenient=192.0.2.38

declare -A port_of=([lmtp]=24 [pop3]=110 [imap]=143 [imaps]=993 [pop3s]=995 [sieve]=4190)

# said SERVICE: what a client says once TLS stands, line by line
said() {
	local line lines=()
	case $1 in
	imap*) lines=('a login demo not-a-secret' 'b select inbox' 'c logout') ;;
	pop3*) lines=('user demo' 'pass not-a-secret' stat quit) ;;
	sieve) lines=('authenticate "PLAIN" "AGRlbW8Abm90LWEtc2VjcmV0"' 'listscripts' logout) ;;
	lmtp)
		# lower case, because s_client takes R and Q at a line's start for itself
		lines=('lhlo client.example.org' 'mail from:<alice@example.org>' 'rcpt to:<demo>' data
			"$(letter alice@example.org demo@example.net "Letter for a mailbox")" . quit)
		;;
	esac
	sleep 0.2
	for line in "${lines[@]}"; do
		printf '%s\n' "$line"
		sleep 0.05
	done
	sleep 0.2
}

# openssl_reads SERVICE SAYS SOURCE [OPTION...], from $strict unless SERVICE is SERVICE@SERVER.
# LMTP: the server's log does not name the client's port, so the client's is the scene's.
openssl_reads() {
	local service=${1%@*} server=${strict} says=$run/says/$2 source=$3 port=0 starttls=()
	[ "$1" = "$service" ] || server=${1#*@}
	shift 3
	[[ $service = *s ]] || starttls=(-starttls "$service" -name client.example.org)
	[ "$service" != lmtp ] || port=$lmtp_client_port
	said "$service" | world timeout 15 openssl s_client -connect "$server:${port_of[$service]}" \
		-bind "$source:$port" "${starttls[@]}" -crlf -ign_eof -CAfile "$run/tls/ca.pem" "$@" \
		>"$says" 2>&1 || :
}

# gnutls_reads SERVICE SAYS SOURCE VERSION: gnutls-cli cannot choose its address, so the route does
gnutls_reads() {
	local service=$1 says=$run/says/$2 starttls=()
	[[ $service = *s ]] || starttls=("--starttls-proto=$service")
	ip -n world route replace "$strict/32" dev outside src "$3"
	said "$service" | world timeout 15 gnutls-cli "${starttls[@]}" --port "${port_of[$service]}" \
		--crlf --insecure --priority "NORMAL:-VERS-ALL:+VERS-$4" "$strict" >"$says" 2>&1 || :
	ip -n world route del "$strict/32"
}

clear_reads() {
	local service=$1 says=$run/says/$2
	shift 2
	world timeout 15 /usr/bin/python3 "$live/clear.py" "$service" "$@" >"$says" 2>&1 || :
}

# the port from which LMTP clients call
lmtp_client_port=40024

mailbox_scenes() {
	local kind service name source option
	while read -r kind service name source option; do
		scene "$name" "$source" "$strict:${port_of[$service]}" established "says/$name"
		"${kind}_reads" "$service" "$name" "$source" "$option"
	done <<-LIST
		openssl imap  imap-tls13        198.51.100.80 -tls1_3
		gnutls  imap  imap-tls12        198.51.100.81 TLS1.2
		gnutls  imaps imaps-tls13       198.51.100.82 TLS1.3
		openssl imaps imaps-tls12       198.51.100.83 -tls1_2
		openssl pop3  pop3-tls12        198.51.100.84 -tls1_2
		gnutls  pop3  pop3-tls13        198.51.100.85 TLS1.3
		openssl pop3s pop3s-tls13       198.51.100.86 -tls1_3
		gnutls  pop3s pop3s-tls12       198.51.100.87 TLS1.2
		openssl sieve sieve-tls13       198.51.100.88 -tls1_3
		gnutls  sieve sieve-tls12       198.51.100.89 TLS1.2
		openssl lmtp  lmtp-tls13        198.51.100.90 -tls1_3
		openssl lmtp  lmtp-tls12        198.51.100.91 -tls1_2
	LIST
}

mailbox_resumption() {
	local n outcome=established
	for n in sess_out sess_in; do
		scene imaps-tls12-resumed 198.51.100.92 "$strict:993" "$outcome" "says/imaps-$n"
		openssl_reads imaps "imaps-$n" 198.51.100.92 -tls1_2 "-$n" "$run/session"
		outcome=resumed
	done
}

mailbox_refusals() {
	scene imaps-protocol-version 198.51.100.93 "$strict:993" failed says/imaps-protocol-version
	openssl_reads imaps imaps-protocol-version 198.51.100.93 -tls1 -cipher 'ALL:@SECLEVEL=0'
	scene pop3-protocol-version 198.51.100.94 "$strict:110" failed says/pop3-protocol-version
	openssl_reads pop3 pop3-protocol-version 198.51.100.94 -tls1_1 -cipher 'ALL:@SECLEVEL=0'
	scene imap-tls10 198.51.100.95 "$lenient:143" established says/imap-tls10
	openssl_reads "imap@$lenient" imap-tls10 198.51.100.95 -tls1 \
		-cipher 'ECDHE-RSA-AES256-SHA:@SECLEVEL=0'
	scene sieve-no-shared-cipher 198.51.100.96 "$strict:4190" failed says/sieve-no-shared-cipher
	openssl_reads sieve sieve-no-shared-cipher 198.51.100.96 -tls1_2 \
		-cipher ECDHE-ECDSA-AES128-GCM-SHA256
	scene imaps-unknown-ca 198.51.100.97 "$strict:993" failed says/imaps-unknown-ca
	openssl_reads imaps imaps-unknown-ca 198.51.100.97 -tls1_2 -verify_return_error \
		-CAfile "$run/tls/rogue.pem"
}

mailbox_clear() {
	local service name source server
	while read -r service name source server; do
		scene "$name" "$source" "$server:${port_of[$service]}" none "says/$name"
		clear_reads "$service" "$name" "$source" "$server"
	done <<-LIST
		imap  imap-clear-login    198.51.100.100 $lenient
		pop3  pop3-clear-login    198.51.100.101 $lenient
		sieve sieve-clear-login   198.51.100.102 $lenient
		imap  imap-login-refused  198.51.100.103 $strict
		pop3  pop3-login-refused  198.51.100.104 $strict
		lmtp  lmtp-clear          198.51.100.105 $strict
	LIST
}

play_mailboxes() {
	local part
	for part in mailbox_scenes mailbox_resumption mailbox_refusals mailbox_clear; do
		say "playing ${part//_/ }"
		"$part"
	done
}

/*
 * pcap-loop: the least that any reader of capture files does, as the baseline of `run-read`.
 *
 * libpcap hands out every packet, nothing looks inside. Prints packets and bytes.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char err[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *head;
	const u_char *data;
	uint64_t packets = 0, bytes = 0;
	pcap_t *p;
	int rc;

	if (argc != 2) {
		fputs("usage: pcap-loop FILE\n", stderr);
		return 2;
	}
	p = pcap_open_offline(argv[1], err);
	if (!p) {
		fprintf(stderr, "pcap-loop: %s\n", err);
		return 2;
	}
	while ((rc = pcap_next_ex(p, &head, &data)) == 1) {
		packets++;
		bytes += head->caplen;
	}
	if (rc != PCAP_ERROR_BREAK)
		fprintf(stderr, "pcap-loop: %s\n", pcap_geterr(p));
	pcap_close(p);
	printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", packets, bytes);
	return rc == PCAP_ERROR_BREAK ? 0 : 1;
}

/* A stranger that says each second that an address is its own. */
#define _GNU_SOURCE
#include "prober.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>

enum { CLAIM_EACH_MS = 1000 };

static struct address claimed;
static uint8_t mac[MAC_LENGTH];
static int fd = -1;

void claim(const char *address, const char *nic) {
    claimed = parse_address(address, 0);
    mac_of(nic, mac);
    fd = open_sender(nic);
}

void claim_tick(double now) {
    static double say_at;
    uint8_t frame[128];
    if (fd < 0 || now < say_at)
        return;
    say_at = now + CLAIM_EACH_MS;
    const void *address = bytes_of(&claimed);
    size_t length = claimed.socket.ss_family == AF_INET ? arp_frame(frame, ARPOP_REQUEST, mac, address, address)
                                                        : nd_frame(frame, ND_NEIGHBOR_ADVERT, mac, address, address);
    (void)!send(fd, frame, length, 0);
}

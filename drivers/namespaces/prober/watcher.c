/*
 * Asks "who has it?" of each address every 20 ms, and tells every answer with the question that it answers.
 *
 * Questions come in rounds. A round asks under one of eight MACs, so an answer, which goes to the MAC that asked, says
 * to which round it belongs as long as it is less than eight rounds late. IPv4 is asked in the form of a probe (RFC 5227
 * section 2.1.1), which teaches nobody anything; IPv6 from the link-local address that belongs to the MAC, since an
 * answer to the unspecified address goes to everybody and is an announcement.
 */
#define _GNU_SOURCE
#include "prober.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/epoll.h>

enum { WATCHED_MAX = 1024, ASK_EACH_MS = 20, FACES = 8, FIRST_FACE = 0x10 };
/* Offsets in an Ethernet frame that carries a neighbour advertisement, see announcements.c. */
enum { NA_TARGET = 62, NA_OPTIONS = 78 };

static struct address watched[WATCHED_MAX];
static int watched_count;
static int arp_tap = -1, ipv6_tap = -1;
static uint8_t face[MAC_LENGTH];
static unsigned long round_number;

/* RFC 4291 appendix A. */
static void link_local(const uint8_t *mac, uint8_t *address) {
    memcpy(address, (uint8_t[]){0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}, 16);
}

static void answered(const uint8_t *frame, double at, int family, const void *address, const uint8_t *mac) {
    const uint8_t *to = ((const struct ether_header *)frame)->ether_dhost;
    unsigned which = to[5] - FIRST_FACE;
    if (memcmp(to, face, MAC_LENGTH - 1) || which >= FACES)
        return;
    /* The newest round that asked under this MAC. */
    unsigned long late = (round_number - which) % FACES;
    if (late > round_number)
        return;
    char text[INET6_ADDRSTRLEN];
    inet_ntop(family, address, text, sizeof text);
    say("{\"who\":\"%s\",\"round\":%lu,\"at\":%.3f,\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"}", text, round_number - late, at,
        mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void drain(void *self, uint32_t events) {
    uint8_t frame[2048], control[128];
    int fd = *(int *)self;
    (void)events;
    for (;;) {
        struct iovec part = {frame, sizeof frame};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, 0);
        if (length < 0)
            return;
        double at = arrival_ms(&message);
        const struct ether_arp *arp = (const void *)(frame + sizeof(struct ether_header));
        if (fd == ipv6_tap) {
            if (length < NA_OPTIONS)
                continue;
            int option = length >= NA_OPTIONS + 8 && frame[NA_OPTIONS] == ND_OPT_TARGET_LINKADDR;
            answered(frame, at, AF_INET6, frame + NA_TARGET, option ? frame + NA_OPTIONS + 2 : frame + MAC_LENGTH);
        } else if ((size_t)length >= sizeof(struct ether_header) + sizeof *arp && arp->ea_hdr.ar_op == htons(ARPOP_REPLY))
            answered(frame, at, AF_INET, arp->arp_spa, arp->arp_sha);
    }
}

void watcher_add(const char *text, const char *nic) {
    static struct watch arp_watch = {drain, &arp_tap}, ipv6_watch = {drain, &ipv6_tap};
    if (watched_count == WATCHED_MAX) {
        errno = E2BIG;
        die("watch");
    }
    watched[watched_count++] = parse_address(text, 0);
    if (arp_tap >= 0)
        return;
    mac_of(nic, face);
    open_tap(&arp_tap, &arp_watch, nic, ETH_P_ARP);
    open_tap(&ipv6_tap, &ipv6_watch, nic, ETH_P_IPV6);
}

static void ask(const struct address *address) {
    uint8_t frame[128], mac[MAC_LENGTH], from[16];
    memcpy(mac, face, MAC_LENGTH);
    mac[5] = FIRST_FACE + round_number % FACES;
    link_local(mac, from);
    int family = address->socket.ss_family;
    size_t length = family == AF_INET ? arp_frame(frame, ARPOP_REQUEST, mac, NULL, bytes_of(address))
                                      : nd_frame(frame, ND_NEIGHBOR_SOLICIT, mac, from, bytes_of(address));
    /* What cannot be sent is not answered. */
    (void)!send(arp_tap, frame, length, 0);
}

void watcher_tick(double now) {
    static double ask_at;
    if (watched_count == 0 || now < ask_at)
        return;
    ask_at = now + ASK_EACH_MS;
    drain(&arp_tap, 0);
    drain(&ipv6_tap, 0);
    round_number++;
    say("{\"round\":%lu,\"asked\":%.3f}", round_number, now);
    for (int i = 0; i < watched_count; i++)
        ask(&watched[i]);
}

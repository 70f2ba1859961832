/* Gratuitous ARP and unsolicited neighbour advertisements, heard on the client's NIC. */
#define _GNU_SOURCE
#include "prober.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <string.h>
#include <sys/epoll.h>

/* Offsets in an Ethernet frame that carries IPv6 (RFC 8200 section 3) and a neighbour advertisement (RFC 4861 section 4.4). */
enum { NA_FLAGS = 58, NA_TARGET = 62, NA_OPTIONS = 78, NA_SOLICITED = 0x40 };

static void heard(double at, int family, const void *address, const uint8_t *mac, const char *form) {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(family, address, text, sizeof text);
    say("{\"announced\":\"%s\",\"at\":%.3f,\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"form\":\"%s\"}", text, at, mac[0],
        mac[1], mac[2], mac[3], mac[4], mac[5], form);
}

/* RFC 5227 section 3: in an announcement sender and target address are the same. */
static void arp(const uint8_t *frame, size_t length, double at) {
    const struct ether_arp *body = (const void *)(frame + sizeof(struct ether_header));
    if (length < sizeof(struct ether_header) + sizeof *body || memcmp(body->arp_spa, body->arp_tpa, 4))
        return;
    heard(at, AF_INET, body->arp_spa, body->arp_sha, ntohs(body->ea_hdr.ar_op) == ARPOP_REQUEST ? "arp-request" : "arp-reply");
}

static void advertisement(const uint8_t *frame, size_t length, double at) {
    if (length < NA_OPTIONS || (frame[NA_FLAGS] & NA_SOLICITED))
        return;
    /* The target link-layer address option (RFC 4861 section 4.6.1), if it stands first, as everybody writes it. */
    int option = length >= NA_OPTIONS + 8 && frame[NA_OPTIONS] == 2;
    heard(at, AF_INET6, frame + NA_TARGET, option ? frame + NA_OPTIONS + 2 : frame + 6, "neighbour-advertisement");
}

static void drain(void *self, uint32_t events) {
    uint8_t frame[2048], control[128];
    (void)events;
    for (;;) {
        struct iovec part = {frame, sizeof frame};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(*(int *)self, &message, 0);
        if (length < (ssize_t)sizeof(struct ether_header))
            return;
        double at = arrival_ms(&message);
        if (ntohs(((struct ether_header *)frame)->ether_type) == ETHERTYPE_ARP)
            arp(frame, length, at);
        else
            advertisement(frame, length, at);
    }
}

void announcements_hear(const char *nic) {
    static int arp_tap, ipv6_tap;
    static struct watch arp_watch = {drain, &arp_tap}, ipv6_watch = {drain, &ipv6_tap};
    open_tap(&arp_tap, &arp_watch, nic, ETH_P_ARP);
    open_tap(&ipv6_tap, &ipv6_watch, nic, ETH_P_IPV6);
}

/* Frames of ARP (RFC 826) and of neighbour discovery (RFC 4861), made by hand. */
#define _GNU_SOURCE
#include "prober.h"

#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/ioctl.h>

static const uint8_t EVERYBODY[MAC_LENGTH] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

size_t arp_frame(uint8_t *frame, int op, const uint8_t *mac, const void *from, const void *about) {
    struct ether_header *ethernet = (void *)frame;
    struct ether_arp *arp = (void *)(frame + sizeof *ethernet);
    memset(frame, 0, sizeof *ethernet + sizeof *arp);
    memcpy(ethernet->ether_dhost, EVERYBODY, MAC_LENGTH);
    memcpy(ethernet->ether_shost, mac, MAC_LENGTH);
    ethernet->ether_type = htons(ETHERTYPE_ARP);
    arp->ea_hdr = (struct arphdr){htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), MAC_LENGTH, 4, htons(op)};
    memcpy(arp->arp_sha, mac, MAC_LENGTH);
    if (from)
        memcpy(arp->arp_spa, from, 4);
    memcpy(arp->arp_tpa, about, 4);
    return sizeof *ethernet + sizeof *arp;
}

/* Over the pseudo header of RFC 8200 section 8.1. */
static uint16_t checksum(const struct ip6_hdr *ip, const uint8_t *body, size_t length) {
    uint32_t sum = htons(length) + htons(IPPROTO_ICMPV6);
    const uint16_t *addresses = (const void *)&ip->ip6_src, *words = (const void *)body;
    for (int i = 0; i < 16; i++)
        sum += addresses[i];
    for (size_t i = 0; i < length / 2; i++)
        sum += words[i];
    sum = (sum >> 16) + (sum & 0xffff);
    return ~(sum + (sum >> 16));
}

size_t nd_frame(uint8_t *frame, int type, const uint8_t *mac, const void *from, const void *about) {
    struct ether_header *ethernet = (void *)frame;
    struct ip6_hdr *ip = (void *)(frame + sizeof *ethernet);
    struct nd_neighbor_solicit *body = (void *)(ip + 1);
    struct nd_opt_hdr *option = (void *)(body + 1);
    size_t length = sizeof *body + 8;
    int asks = type == ND_NEIGHBOR_SOLICIT;
    memset(frame, 0, sizeof *ethernet + sizeof *ip + length);
    /* All nodes, or those whose addresses end alike (RFC 4291 section 2.7.1). */
    uint8_t to[16] = {0xff, 0x02, [15] = 1};
    if (asks) {
        memcpy(to + 11, (uint8_t[]){1, 0xff}, 2);
        memcpy(to + 13, (const uint8_t *)about + 13, 3);
    }
    memcpy(ethernet->ether_dhost, (uint8_t[]){0x33, 0x33, to[12], to[13], to[14], to[15]}, MAC_LENGTH);
    memcpy(ethernet->ether_shost, mac, MAC_LENGTH);
    ethernet->ether_type = htons(ETHERTYPE_IPV6);
    ip->ip6_flow = htonl(6u << 28);
    ip->ip6_plen = htons(length);
    ip->ip6_nxt = IPPROTO_ICMPV6;
    ip->ip6_hlim = 255;
    memcpy(&ip->ip6_src, from, 16);
    memcpy(&ip->ip6_dst, to, 16);
    body->nd_ns_type = type;
    if (!asks)
        ((uint8_t *)body)[4] = 0x20;
    memcpy(&body->nd_ns_target, about, 16);
    option->nd_opt_type = asks ? ND_OPT_SOURCE_LINKADDR : ND_OPT_TARGET_LINKADDR;
    option->nd_opt_len = 1;
    memcpy(option + 1, mac, MAC_LENGTH);
    body->nd_ns_cksum = checksum(ip, (void *)body, length);
    return sizeof *ethernet + sizeof *ip + length;
}

void mac_of(const char *nic, uint8_t *mac) {
    struct ifreq request = {0};
    int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
    strncpy(request.ifr_name, nic, IFNAMSIZ - 1);
    if (ioctl(fd, SIOCGIFHWADDR, &request))
        die(nic);
    memcpy(mac, request.ifr_hwaddr.sa_data, MAC_LENGTH);
}

const void *bytes_of(const struct address *address) {
    return address->socket.ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)&address->socket)->sin_addr
                                                : (const void *)&((const struct sockaddr_in6 *)&address->socket)->sin6_addr;
}

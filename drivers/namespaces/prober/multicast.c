/* A stream of datagrams to a group, one each 20 ms, and a receiver that joined it on one NIC. */
#define _GNU_SOURCE
#include "prober.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>

enum { SEND_EACH_MS = 20 };

static int sender = -1;
static struct address destination;

static unsigned index_of(const char *nic) {
    unsigned index = if_nametoindex(nic);
    if (!index)
        die(nic);
    return index;
}

void multicast_send_to(const char *group, const char *nic) {
    destination = parse_address(group, MULTICAST_PORT);
    int family = destination.socket.ss_family, index = index_of(nic);
    struct ip_mreqn from = {.imr_ifindex = index};
    sender = open_socket(family, SOCK_DGRAM, 0);
    int failed = family == AF_INET ? setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from)
                                   : setsockopt(sender, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
    if (failed)
        die("MULTICAST_IF");
}

void multicast_tick(double now) {
    static double send_at;
    if (sender < 0 || now < send_at)
        return;
    send_at = now + SEND_EACH_MS;
    (void)!sendto(sender, "baton", 5, 0, (struct sockaddr *)&destination.socket, destination.length);
}

static void drain(void *self, uint32_t events) {
    (void)events;
    for (;;) {
        char bytes[64], control[128];
        struct iovec part = {bytes, sizeof bytes};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(*(int *)self, &message, 0) < 0)
            return;
        say("{\"multicast\":%.3f}", arrival_ms(&message));
    }
}

void multicast_receive(const char *group, const char *nic) {
    static int fd;
    static struct watch receiver = {drain, &fd};
    struct address address = parse_address(group, MULTICAST_PORT);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address.socket;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.socket;
    struct ip_mreqn join4 = {.imr_multiaddr = v4->sin_addr, .imr_ifindex = index_of(nic)};
    struct ipv6_mreq join6 = {.ipv6mr_multiaddr = v6->sin6_addr, .ipv6mr_interface = index_of(nic)};
    int family = address.socket.ss_family;

    fd = open_socket(family, SOCK_DGRAM, 0);
    /* Bound to the group, so that a datagram counts on whatever NIC it comes in. */
    if (bind(fd, (struct sockaddr *)&address.socket, address.length))
        die("multicast bind");
    if (family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join4, sizeof join4)
                          : setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &join6, sizeof join6))
        die("multicast join");
    watch(fd, &receiver, EPOLLIN);
}

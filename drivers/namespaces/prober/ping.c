/*
 * An echo request to each address each millisecond; of many, PER_TICK each millisecond in turn. The outage of an address is counted from the first probe that was
 * not answered in time to the arrival of the next answer, as the kernel stamps it: so neither a probe that this process
 * sent late nor an answer that it read late looks like an outage.
 */
#define _GNU_SOURCE
#include "prober.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* RFC 792, Echo; RFC 4443 section 4.1 has the same layout. */
struct echo {
    uint8_t type, code;
    uint16_t checksum, id, sequence;
};

enum { TARGETS_MAX = 1024, PER_TICK = 25, DARK_AFTER_MS = 5 };

static struct target {
    struct address address;
    uint16_t sequence;
    /* When the first probe since the last answer was sent; 0: none was. */
    double unanswered_since;
    int dark;
    unsigned long sent, answered;
} targets[TARGETS_MAX];
static int target_count;
/* Ticks from one question to an address to the next. */
static int stride = 1;
static int socket4 = -1, socket6 = -1;

static uint16_t checksum(const void *data, size_t length) {
    const uint16_t *words = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < length / 2; i++)
        sum += words[i];
    sum = (sum >> 16) + (sum & 0xffff);
    return ~(sum + (sum >> 16));
}

static struct target *target_of(const struct sockaddr_storage *from) {
    for (int i = 0; i < target_count; i++) {
        const struct sockaddr_storage *to = &targets[i].address.socket;
        if (to->ss_family != from->ss_family)
            continue;
        const void *a = from->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)from)->sin_addr
                                                   : (void *)&((struct sockaddr_in6 *)from)->sin6_addr;
        const void *b = to->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)to)->sin_addr
                                                 : (void *)&((struct sockaddr_in6 *)to)->sin6_addr;
        if (!memcmp(a, b, to->ss_family == AF_INET ? 4 : 16))
            return &targets[i];
    }
    return NULL;
}

static void answered(struct target *target, double at) {
    target->answered++;
    /* Read late: it answers a probe from before those that still wait. */
    if (target->unanswered_since == 0 || at < target->unanswered_since)
        return;
    /* One that the kernel stamped in time but handed over late ends a darkness that was told meanwhile. */
    if (target->dark || at - target->unanswered_since > DARK_AFTER_MS * stride)
        say("{\"probe\":\"%s\",\"from\":%.3f,\"to\":%.3f}", target->address.text, target->unanswered_since, at);
    target->unanswered_since = 0;
    target->dark = 0;
}

static void drain(void *self, uint32_t events) {
    int fd = *(int *)self;
    uint8_t bytes[256], control[128];
    struct sockaddr_storage from;
    (void)events;
    for (;;) {
        struct iovec part = {bytes, sizeof bytes};
        struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1,
                                 .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, 0);
        if (length < 0)
            return;
        size_t skip = fd == socket4 ? ((struct iphdr *)bytes)->ihl * 4u : 0;
        if ((size_t)length < skip + sizeof(struct echo))
            continue;
        struct echo *echo = (struct echo *)(bytes + skip);
        struct target *target = target_of(&from);
        if (target && echo->id == htons(getpid() & 0xffff))
            answered(target, arrival_ms(&message));
    }
}

static int *socket_of(int family) {
    static struct watch watch4 = {drain, &socket4}, watch6 = {drain, &socket6};
    int *fd = family == AF_INET ? &socket4 : &socket6;
    if (*fd >= 0)
        return fd;
    if (family == AF_INET) {
        uint32_t all_but = ~(1u << ICMP_ECHOREPLY);
        socket4 = open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
        /* ICMP_FILTER of linux/icmp.h, level SOL_RAW. */
        setsockopt(socket4, 255, 1, &all_but, sizeof all_but);
        watch(socket4, &watch4, EPOLLIN);
    } else {
        struct icmp6_filter only;
        ICMP6_FILTER_SETBLOCKALL(&only);
        ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
        socket6 = open_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
        setsockopt(socket6, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof only);
        watch(socket6, &watch6, EPOLLIN);
    }
    return fd;
}

void ping_add(const char *text) {
    if (target_count == TARGETS_MAX) {
        errno = E2BIG;
        die("ping");
    }
    struct target *target = &targets[target_count++];
    target->address = parse_address(text, 0);
    socket_of(target->address.socket.ss_family);
    stride = (target_count + PER_TICK - 1) / PER_TICK;
}

static void ask(struct target *target, double now) {
    int family = target->address.socket.ss_family;
    struct echo echo = {.type = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
                        .id = htons(getpid() & 0xffff), .sequence = htons(target->sequence++)};
    if (family == AF_INET)
        echo.checksum = checksum(&echo, sizeof echo);
    target->sent++;
    if (target->unanswered_since == 0)
        target->unanswered_since = now;
    /* What cannot be sent is an unanswered probe like any other. */
    (void)!sendto(*socket_of(family), &echo, sizeof echo, 0, (struct sockaddr *)&target->address.socket, target->address.length);
}

void ping_tick(double now) {
    if (socket4 >= 0)
        drain(&socket4, 0);
    if (socket6 >= 0)
        drain(&socket6, 0);
    static int turn;
    turn = (turn + 1) % stride;
    for (int i = turn; i < target_count; i += stride) {
        struct target *target = &targets[i];
        if (!target->dark && target->unanswered_since != 0 && now - target->unanswered_since > DARK_AFTER_MS * stride) {
            target->dark = 1;
            say("{\"probe\":\"%s\",\"dark\":%.3f}", target->address.text, target->unanswered_since);
        }
        ask(target, now_ms());
    }
}

void ping_report(double now) {
    for (int i = 0; i < target_count; i++)
        say("{\"probe\":\"%s\",\"at\":%.3f,\"sent\":%lu,\"answered\":%lu}", targets[i].address.text, now, targets[i].sent,
            targets[i].answered);
}

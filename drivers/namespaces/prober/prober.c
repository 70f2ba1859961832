/* Arguments, loop and clock of the prober; see prober.h. */
#define _GNU_SOURCE
#include "prober.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Offsets in an Ethernet frame that carries IPv6 (RFC 8200 section 3). */
enum { NEXT_HEADER = 20, ICMP_TYPE = 54 };

static int epoll = -1;

static double clock_ms(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

double now_ms(void) {
    return clock_ms(CLOCK_MONOTONIC);
}

double arrival_ms(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return t.tv_sec * 1e3 + t.tv_nsec / 1e6 - clock_ms(CLOCK_REALTIME) + now_ms();
    }
    return now_ms();
}

void die(const char *what) {
    fprintf(stderr, "prober: %s: %s\n", what, strerror(errno));
    exit(1);
}

void watch(int fd, struct watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event))
        die("epoll_ctl");
}

void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

struct address parse_address(const char *text, int port) {
    struct address address = {.text = text};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address.socket;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.socket;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        address.length = sizeof *v4;
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        address.length = sizeof *v6;
    } else {
        errno = EINVAL;
        die(text);
    }
    return address;
}

int open_socket(int family, int type, int protocol) {
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), on = 1;
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        die("SO_TIMESTAMPNS");
    return fd;
}

void open_tap(int *fd, struct watch *watcher, const char *nic, int protocol) {
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = if_nametoindex(nic)};
    if (!at.sll_ifindex)
        die(nic);
    *fd = open_socket(AF_PACKET, SOCK_RAW, 0);
    if (protocol == ETH_P_IPV6) {
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ICMP_TYPE),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, 2048),
            BPF_STMT(BPF_RET | BPF_K, 0),
        };
        struct sock_fprog program = {sizeof code / sizeof *code, code};
        if (setsockopt(*fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
            die("SO_ATTACH_FILTER");
    }
    if (bind(*fd, (struct sockaddr *)&at, sizeof at))
        die("packet socket");
    watch(*fd, watcher, EPOLLIN);
}

int open_sender(const char *nic) {
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(nic)};
    int fd = open_socket(AF_PACKET, SOCK_RAW, 0), on = 1;
    if (!at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof at) ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on))
        die(nic);
    return fd;
}

static void tick(void *self, uint32_t events) {
    static double report_at;
    int fd = *(int *)self;
    uint64_t late;
    (void)events;
    if (read(fd, &late, sizeof late) < 0)
        return;
    double now = now_ms();
    ping_tick(now);
    connection_tick(now);
    multicast_tick(now);
    watcher_tick(now);
    claim_tick(now);
    relay_tick(now);
    recorder_tick();
    if (now < report_at)
        return;
    report_at = now + 200;
    ping_report(now);
    connection_report(now);
}

static const char *USAGE =
    "usage: prober WORD...\n"
    "  ping ADDRESS        ask it each millisecond (of many: in turn, 25 each millisecond)\n"
    "  tcp ADDRESS         keep a connection to its echo server\n"
    "  hear NIC            tell announcements that arrive\n"
    "  send GROUP NIC      a datagram each 20 ms\n"
    "  echo                be an echo server\n"
    "  receive GROUP NIC   tell each datagram\n"
    "  watch ADDRESS NIC   ask every 20 ms who has it, tell every answer\n"
    "  claim ADDRESS NIC   say each second that it is here\n"
    "  relay TAP PORT MS   what comes to the tap leaves by the port, up to so much later\n"
    "  seek MAC            tell by which port frames under it come in\n"
    "  port PORT           which is one of these; after all MACs\n"
    "  record PORT         keep baton's frames that come in\n"
    "  replay NIC          send them all out of it at SIGUSR1\n";

static const char *next_word(char ***words) {
    if (!**words) {
        fputs(USAGE, stderr);
        exit(2);
    }
    return *(*words)++;
}

static void obey(char **words) {
    while (*words) {
        const char *verb = next_word(&words), *what = strcmp(verb, "echo") ? next_word(&words) : "";
        if (!strcmp(verb, "echo"))
            connection_serve();
        else if (!strcmp(verb, "ping"))
            ping_add(what);
        else if (!strcmp(verb, "tcp"))
            connection_add(what);
        else if (!strcmp(verb, "hear"))
            announcements_hear(what);
        else if (!strcmp(verb, "send"))
            multicast_send_to(what, next_word(&words));
        else if (!strcmp(verb, "receive"))
            multicast_receive(what, next_word(&words));
        else if (!strcmp(verb, "watch"))
            watcher_add(what, next_word(&words));
        else if (!strcmp(verb, "claim"))
            claim(what, next_word(&words));
        else if (!strcmp(verb, "relay")) {
            const char *port = next_word(&words);
            relay_add(what, port, next_word(&words));
        } else if (!strcmp(verb, "seek"))
            ports_seek(what);
        else if (!strcmp(verb, "port"))
            ports_hear(what);
        else if (!strcmp(verb, "record"))
            recorder_hear(what);
        else if (!strcmp(verb, "replay"))
            recorder_play_by(what);
        else {
            fputs(USAGE, stderr);
            exit(2);
        }
    }
}

int main(int argc, char **argv) {
    (void)argc;
    /* The lab may be killed; nothing of it shall go on asking. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1)
        return 1;
    /* A probe that is late measures itself. */
    struct sched_param priority = {.sched_priority = 1};
    sched_setscheduler(0, SCHED_FIFO, &priority);

    epoll = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll < 0 || timer < 0)
        die("timer");
    obey(argv + 1);

    struct itimerspec each_ms = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
    timerfd_settime(timer, 0, &each_ms, NULL);
    struct watch ticks = {tick, &timer};
    watch(timer, &ticks, EPOLLIN);
    say("{\"ready\":%.3f}", now_ms());
    for (;;) {
        struct epoll_event events[32];
        int count = epoll_wait(epoll, events, 32, -1);
        for (int i = 0; i < count; i++) {
            struct watch *w = events[i].data.ptr;
            w->ready(w->self, events[i].events);
        }
    }
}

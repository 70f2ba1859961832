/* Arguments, loop and clock of the prober; see prober.h. */
#define _GNU_SOURCE
#include "prober.h"

#include <arpa/inet.h>
#include <errno.h>
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
    "  receive GROUP NIC   tell each datagram\n";

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

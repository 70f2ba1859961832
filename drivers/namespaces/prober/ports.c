/* By which port of a switch frames under some MACs come in: each change of port at once, else every 10 ms. */
#define _GNU_SOURCE
#include "prober.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

enum { PORTS_MAX = 64, MACS_MAX = 16, FRAME_HEAD = 14, SOURCE = 6, EACH_MS = 10 };

static struct sought {
    uint8_t mac[MAC_LENGTH];
    const char *text;
    const char *port;
    double told_at;
} sought[MACS_MAX];
static struct tap {
    int fd;
    const char *port;
    struct watch watch;
} taps[PORTS_MAX];
static int sought_count, tap_count;

static void drain(void *self, uint32_t events) {
    struct tap *tap = self;
    uint8_t frame[FRAME_HEAD], control[128];
    struct sockaddr_ll from;
    (void)events;
    for (;;) {
        struct iovec part = {frame, sizeof frame};
        struct msghdr message = {&from, sizeof from, &part, 1, control, sizeof control, 0};
        if (recvmsg(tap->fd, &message, 0) < FRAME_HEAD)
            return;
        if (from.sll_pkttype == PACKET_OUTGOING)
            continue;
        double at = arrival_ms(&message);
        for (int i = 0; i < sought_count; i++) {
            struct sought *one = &sought[i];
            if (memcmp(one->mac, frame + SOURCE, MAC_LENGTH) || (one->port == tap->port && at < one->told_at + EACH_MS))
                continue;
            one->port = tap->port;
            one->told_at = at;
            say("{\"port\":\"%s\",\"mac\":\"%s\",\"at\":%.3f}", tap->port, one->text, at);
        }
    }
}

void ports_seek(const char *mac) {
    struct sought *one = &sought[sought_count];
    uint8_t *m = one->mac;
    const char *form = "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx";
    if (sought_count == MACS_MAX || sscanf(mac, form, m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6) {
        errno = EINVAL;
        die(mac);
    }
    one->text = mac;
    sought_count++;
}

/* Only what is sought wakes the process: the first four bytes of the source, then the last two. */
static void filter(int fd) {
    struct sock_filter code[4 * MACS_MAX + 2];
    int at = 0;
    for (int i = 0; i < sought_count; i++) {
        const uint8_t *m = sought[i].mac;
        uint32_t first = (uint32_t)m[0] << 24 | m[1] << 16 | m[2] << 8 | m[3], last = m[4] << 8 | m[5];
        code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE);
        code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, 2);
        code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SOURCE + 4);
        code[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, last, 4 * (sought_count - i) - 3, 0);
        at++;
    }
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, FRAME_HEAD);
    struct sock_fprog program = {at, code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
        die("SO_ATTACH_FILTER");
}

/* After all `seek`. */
void ports_hear(const char *port) {
    if (tap_count == PORTS_MAX)
        die("port");
    struct tap *tap = &taps[tap_count++];
    tap->port = port;
    tap->watch = (struct watch){drain, tap};
    /* A socket for one EtherType gets nothing at a bridge port. */
    open_tap(&tap->fd, &tap->watch, port, ETH_P_ALL);
    filter(tap->fd);
}

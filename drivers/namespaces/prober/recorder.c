/* Keeps every frame of baton that comes into a switch by these ports; at SIGUSR1 all of them come in once more by another. */
#define _GNU_SOURCE
#include "prober.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { PORTS_MAX = 64, FRAMES_MAX = 65536, FRAME_MAX = 2048, A_TICK = 25 };
/* EtherType of the poller, UDP port of the heartbeat. */
enum { ETHERTYPE_BATON = 0x88b5, PORT_BATON = 7789 };
/* Where the destination port is without options (RFC 791, RFC 8200). */
enum { IP4_PROTOCOL = 23, IP4_PORT = 36, IP6_PROTOCOL = 20, IP6_PORT = 56 };

static struct kept {
    ssize_t length;
    uint8_t *frame;
} kept[FRAMES_MAX];
static int kept_count, played, playing, taps[PORTS_MAX], tap_count, out = -1;
static volatile sig_atomic_t asked;

static int is_word(const uint8_t *at, int value) {
    return (at[0] << 8 | at[1]) == value;
}

static int is_ours(const uint8_t *frame, ssize_t length) {
    if (is_word(frame + 12, ETHERTYPE_BATON))
        return 1;
    if (is_word(frame + 12, ETHERTYPE_IP))
        return length > IP4_PORT + 2 && frame[IP4_PROTOCOL] == IPPROTO_UDP && is_word(frame + IP4_PORT, PORT_BATON);
    return is_word(frame + 12, ETHERTYPE_IPV6) && length > IP6_PORT + 2 && frame[IP6_PROTOCOL] == IPPROTO_UDP &&
           is_word(frame + IP6_PORT, PORT_BATON);
}

static void drain(void *self, uint32_t events) {
    uint8_t frame[FRAME_MAX];
    struct sockaddr_ll from;
    (void)events;
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t length = recvfrom(*(int *)self, frame, sizeof frame, 0, (struct sockaddr *)&from, &size);
        if (length < 0)
            return;
        if (playing || from.sll_pkttype == PACKET_OUTGOING || length < 14 || !is_ours(frame, length) || kept_count == FRAMES_MAX)
            continue;
        struct kept *one = &kept[kept_count++];
        *one = (struct kept){length, malloc(length)};
        if (!one->frame)
            die("malloc");
        memcpy(one->frame, frame, length);
    }
}

void recorder_hear(const char *port) {
    static struct watch watches[PORTS_MAX];
    if (tap_count == PORTS_MAX)
        die("record");
    int *tap = &taps[tap_count];
    watches[tap_count] = (struct watch){drain, tap};
    /* A socket for one EtherType gets nothing at a bridge port. */
    open_tap(tap, &watches[tap_count++], port, ETH_P_ALL);
}

static void ask(int number) {
    (void)number;
    asked = 1;
}

void recorder_play_by(const char *nic) {
    out = open_sender(nic);
    signal(SIGUSR1, ask);
}

void recorder_tick(void) {
    if (asked) {
        asked = played = 0;
        playing = 1;
    }
    for (int i = 0; playing && i < A_TICK; i++) {
        if (played == kept_count) {
            playing = 0;
            say("{\"replayed\":%d}", played);
            break;
        }
        (void)!send(out, kept[played].frame, kept[played].length, 0);
        played++;
    }
}

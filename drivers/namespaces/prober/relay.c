/*
 * Frames that a switch port's egress hook hands over (nft `dup to`, `fwd to` a tap) leave by that port after all: at once,
 * or after a time drawn for each, so that they overtake each other. They pass the hook no second time.
 */
#define _GNU_SOURCE
#include "prober.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { RELAYS_MAX = 32, HELD_MAX = 4096, FRAME_MAX = 2048 };

static struct relay {
    int tap, port;
    double late_max_ms;
    struct watch watch;
} relays[RELAYS_MAX];
static int relay_count;

static struct held {
    double due;
    int port;
    ssize_t length;
    uint8_t *frame;
} held[HELD_MAX];
static int held_count;

static void take(void *self, uint32_t events) {
    struct relay *relay = self;
    uint8_t frame[FRAME_MAX];
    ssize_t length;
    (void)events;
    while ((length = read(relay->tap, frame, sizeof frame)) > 0) {
        if (relay->late_max_ms == 0 || held_count == HELD_MAX) {
            (void)!send(relay->port, frame, length, 0);
            continue;
        }
        struct held *one = &held[held_count++];
        *one = (struct held){now_ms() + relay->late_max_ms * drand48(), relay->port, length, malloc(length)};
        if (!one->frame)
            die("malloc");
        memcpy(one->frame, frame, length);
    }
}

void relay_add(const char *tap, const char *port, const char *late_max_ms) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (relay_count == RELAYS_MAX) {
        errno = E2BIG;
        die("relay");
    }
    struct relay *relay = &relays[relay_count++];
    relay->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    strncpy(request.ifr_name, tap, IFNAMSIZ - 1);
    if (relay->tap < 0 || ioctl(relay->tap, TUNSETIFF, &request))
        die(tap);
    relay->port = open_sender(port);
    relay->late_max_ms = atof(late_max_ms);
    relay->watch = (struct watch){take, relay};
    watch(relay->tap, &relay->watch, EPOLLIN);
}

void relay_tick(double now) {
    for (int i = 0; i < held_count;) {
        if (held[i].due > now) {
            i++;
            continue;
        }
        (void)!send(held[i].port, held[i].frame, held[i].length, 0);
        free(held[i].frame);
        held[i] = held[--held_count];
    }
}

/*
 * A client's and a node's measuring hand in a namespace lab. One process, one epoll loop, a tick each millisecond;
 * everything it learns leaves as one JSON object a line on stdout. All times are CLOCK_MONOTONIC milliseconds.
 *
 *   prober.c         arguments, loop, clock
 *   ping.c           an echo request to each address each millisecond; gaps
 *   connection.c     TCP: echo server, and clients that keep one connection
 *   announcements.c  gratuitous ARP and unsolicited neighbour advertisements that arrive
 *   multicast.c      a stream to a group, and its receiver
 *   watcher.c        who answers for an address, asked every 20 ms
 *   claim.c          a stranger that has an address, and says so
 *   relay.c          frames that come twice or late
 *   recorder.c       frames of baton, kept and played again
 *   ports.c          by which port frames under a MAC come into a switch
 *   neighbour.c      frames of ARP and neighbour discovery
 */
#ifndef PROBER_H
#define PROBER_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ECHO_PORT = 7077, MULTICAST_PORT = 7078, MAC_LENGTH = 6 };

/* An address with the text it was given as. */
struct address {
    const char *text;
    struct sockaddr_storage socket;
    socklen_t length;
};

typedef void (*on_ready)(void *self, uint32_t events);

struct watch {
    on_ready ready;
    void *self;
};

double now_ms(void);
/* When the kernel got the datagram: SCM_TIMESTAMPNS turned into monotonic time; now if there is none. */
double arrival_ms(struct msghdr *message);
/* Ends the process with what failed and why. */
void die(const char *what);
void watch(int fd, struct watch *watch, uint32_t events);
/* One JSON line; printf-like. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Dies if the text is no IPv4 or IPv6 address. */
struct address parse_address(const char *text, int port);
/* A non-blocking socket that stamps arrivals. */
int open_socket(int family, int type, int protocol);

/* A socket for every frame of that protocol (ETH_P_*) that the NIC gets or sends, watched; of IPv6 only advertisements. */
void open_tap(int *fd, struct watch *watcher, const char *nic, int protocol);
/* A socket whose frames leave by that NIC past queues and hooks; it gets none. */
int open_sender(const char *nic);

/* Each gives the length. `from` NULL: a probe. The options of RFC 4861 carry `mac`. */
size_t arp_frame(uint8_t *frame, int op, const uint8_t *mac, const void *from, const void *about);
size_t nd_frame(uint8_t *frame, int type, const uint8_t *mac, const void *from, const void *about);
void mac_of(const char *nic, uint8_t *mac);
const void *bytes_of(const struct address *address);

void ping_add(const char *text);
void ping_tick(double now);
void ping_report(double now);

void connection_serve(void);
void connection_add(const char *text);
void connection_tick(double now);
void connection_report(double now);

void announcements_hear(const char *nic);

void multicast_send_to(const char *group, const char *nic);
void multicast_receive(const char *group, const char *nic);
void multicast_tick(double now);

void watcher_add(const char *address, const char *nic);
void watcher_tick(double now);

void claim(const char *address, const char *nic);
void claim_tick(double now);

void relay_add(const char *tap, const char *port, const char *late_max_ms);
void relay_tick(double now);

void ports_seek(const char *mac);
void ports_hear(const char *port);

void recorder_hear(const char *port);
void recorder_play_by(const char *nic);
void recorder_tick(void);

#endif

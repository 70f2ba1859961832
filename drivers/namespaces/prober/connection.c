/* TCP: a server that echoes, and clients that keep one connection each and write a line every 10 ms. */
#define _GNU_SOURCE
#include "prober.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CLIENTS_MAX = 8, WRITE_EACH_MS = 10, CONNECT_WAIT_MS = 250, PAUSE_MS = 20 };

static struct client {
    struct address address;
    /* `idle` until it connects for the first time; `lost` for good once a connection that stood has broken. */
    enum { IDLE, CONNECTING, ALIVE, LOST } state;
    int fd;
    struct watch watch;
    double retry_at, write_at, last_in;
    unsigned lines;
} clients[CLIENTS_MAX];
static int client_count;
static const char *STATE_NAMES[] = {"idle", "connecting", "alive", "lost"};

static void closed(struct client *client, int error) {
    close(client->fd);
    if (client->state == ALIVE)
        say("{\"tcp\":\"%s\",\"lost\":%.3f,\"why\":\"%s\"}", client->address.text, now_ms(), error ? strerror(error) : "closed by the node");
    client->state = client->state == ALIVE ? LOST : IDLE;
    client->retry_at = now_ms() + 50;
}

static void connected(struct client *client) {
    int error = 0, on = 1;
    socklen_t length = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error)
        return closed(client, error);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->state = ALIVE;
    client->last_in = client->write_at = now_ms();
    watch(client->fd, &client->watch, EPOLLIN);
    say("{\"tcp\":\"%s\",\"connected\":%.3f}", client->address.text, client->last_in);
}

static void client_ready(void *self, uint32_t events) {
    struct client *client = self;
    char bytes[4096];
    (void)events;
    if (client->state == CONNECTING)
        return connected(client);
    ssize_t length = read(client->fd, bytes, sizeof bytes);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0)
        return closed(client, length < 0 ? errno : 0);
    double now = now_ms();
    if (now - client->last_in > PAUSE_MS)
        say("{\"tcp\":\"%s\",\"from\":%.3f,\"to\":%.3f}", client->address.text, client->last_in, now);
    client->last_in = now;
}

void connection_add(const char *text) {
    if (client_count == CLIENTS_MAX) {
        errno = E2BIG;
        die("tcp");
    }
    struct client *client = &clients[client_count++];
    client->address = parse_address(text, ECHO_PORT);
    client->watch = (struct watch){client_ready, client};
}

static void connect_again(struct client *client, double now) {
    client->fd = socket(client->address.socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        die("socket");
    client->retry_at = now + CONNECT_WAIT_MS;
    client->state = CONNECTING;
    if (connect(client->fd, (struct sockaddr *)&client->address.socket, client->address.length) && errno != EINPROGRESS)
        return closed(client, errno);
    watch(client->fd, &client->watch, EPOLLOUT);
}

void connection_tick(double now) {
    for (int i = 0; i < client_count; i++) {
        struct client *client = &clients[i];
        if (client->state == CONNECTING && now >= client->retry_at)
            closed(client, ETIMEDOUT);
        else if (client->state == IDLE && now >= client->retry_at)
            connect_again(client, now);
        else if (client->state == ALIVE && now >= client->write_at) {
            char line[16];
            int length = snprintf(line, sizeof line, "%07u\n", client->lines++ % 10000000);
            client->write_at = now + WRITE_EACH_MS;
            if (send(client->fd, line, length, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
                closed(client, errno);
        }
    }
}

void connection_report(double now) {
    for (int i = 0; i < client_count; i++)
        say("{\"tcp\":\"%s\",\"at\":%.3f,\"state\":\"%s\",\"lastIn\":%.3f}", clients[i].address.text, now,
            STATE_NAMES[clients[i].state], clients[i].last_in);
}

struct served {
    int fd;
    struct watch watch;
};

static void serve(void *self, uint32_t events) {
    struct served *served = self;
    char bytes[4096];
    (void)events;
    ssize_t length = read(served->fd, bytes, sizeof bytes);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0 || (send(served->fd, bytes, length, MSG_NOSIGNAL) < 0 && errno != EAGAIN)) {
        close(served->fd);
        free(served);
    }
}

static void accept_one(void *self, uint32_t events) {
    int on = 1, fd = accept4(*(int *)self, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)events;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct served *served = malloc(sizeof *served);
    if (!served)
        die("malloc");
    *served = (struct served){fd, {serve, served}};
    watch(fd, &served->watch, EPOLLIN);
}

void connection_serve(void) {
    static int fd;
    static struct watch listener = {accept_one, &fd};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(ECHO_PORT), .sin6_addr = IN6ADDR_ANY_INIT};
    int on = 1, off = 0;
    fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, 16))
        die("echo server");
    watch(fd, &listener, EPOLLIN);
}

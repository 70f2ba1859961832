/*
 * The sockets that Node does not have, and no logic: one class over packet, netlink, UDP, raw and Unix sockets and
 * timerfds, polled by libuv without threads. What it all means is said in socket.ts.
 *
 * Calls that set something up throw Node errors with `code`, `errno` and `syscall`; calls of the hot path return -errno.
 * A buffer given to `attach` stays pinned until `close`; the hot path allocates nothing.
 */
#define _GNU_SOURCE
#include "native.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Each slot of a receive buffer begins with the sender's address; struct sockaddr_in6 (28 bytes) is the largest asked for. */
#define ADDRESS_SPACE 32
#define BATCH_MAX 64
#define FILE_SLOT_MAX 64
/* struct in6_pktinfo is the largest asked for. */
#define CONTROL_SPACE CMSG_SPACE(sizeof(struct in6_pktinfo))

typedef struct Socket Socket;

/* Outlives its socket by one turn of the loop: libuv closes handles later. */
typedef struct {
  uv_poll_t uv;
  Socket *socket;
  napi_async_cleanup_hook_handle hook;
} Poll;

/* A timerfd that reads files: see watch in socket.ts. */
typedef struct {
  napi_ref fds_ref, slab_ref, due_ref;
  int32_t *fds;
  uint8_t *slab;
  double *due, every;
  uint32_t count, slot, part, at, quiet_max, beats;
} Beat;

struct Socket {
  napi_env env;
  int fd;
  int domain; /* 0: a timerfd */
  Poll *poll;
  napi_ref self, callback, slab_ref, meta_ref;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  uint8_t *slab;
  int32_t *meta;
  uint32_t slots, slot;
  Beat *beat;
};

#define METHOD(n, syscall)                                                                    \
  size_t argc = n;                                                                            \
  napi_value argv[n], self;                                                                   \
  Socket *s = NULL;                                                                           \
  napi_get_cb_info(env, info, &argc, argv, &self, NULL);                                      \
  if (napi_unwrap(env, self, (void **)&s) != napi_ok) return throw_errno(env, syscall, EBADF); \
  if (s->fd < 0) return throw_errno(env, syscall, EBADF)

/* ---- time ---- */

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct timespec timespec_of(double ms) {
  time_t seconds = (time_t)(ms / 1e3);
  return (struct timespec){seconds, (long)((ms - (double)seconds * 1e3) * 1e6)};
}

/* ---- life ---- */

static void poll_closed(uv_handle_t *handle) {
  Poll *poll = (Poll *)handle;
  if (poll->hook) napi_remove_async_cleanup_hook(poll->hook);
  free(poll);
}

/* `gone` is the hook under which a dying environment waits for us, or NULL. */
static void shut(Socket *s, napi_async_cleanup_hook_handle gone) {
  napi_ref *refs[] = {&s->self, &s->callback, &s->slab_ref, &s->meta_ref};
  if (s->hook && !gone) napi_remove_async_cleanup_hook(s->hook);
  s->hook = NULL;
  if (s->poll) {
    uv_poll_stop(&s->poll->uv);
    s->poll->hook = gone;
    uv_close((uv_handle_t *)&s->poll->uv, poll_closed);
    s->poll = NULL;
  } else if (gone) {
    napi_remove_async_cleanup_hook(gone);
  }
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
  for (int i = 0; i < 4; i++) {
    if (*refs[i]) napi_delete_reference(s->env, *refs[i]);
    *refs[i] = NULL;
  }
  if (s->context) napi_async_destroy(s->env, s->context);
  s->context = NULL;
  s->slab = NULL;
  if (s->beat) {
    napi_delete_reference(s->env, s->beat->fds_ref);
    napi_delete_reference(s->env, s->beat->slab_ref);
    if (s->beat->due_ref) napi_delete_reference(s->env, s->beat->due_ref);
    free(s->beat);
    s->beat = NULL;
  }
}

static void environment_ends(napi_async_cleanup_hook_handle handle, void *data) { shut(data, handle); }

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  shut(data, NULL);
  free(data);
}

/* new Socket(domain, type, protocol), or new Socket(clock) for a timerfd */
static napi_value socket_new(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3], self;
  napi_get_cb_info(env, info, &argc, argv, &self, NULL);
  Socket *s = calloc(1, sizeof *s);
  if (!s) return throw_errno(env, "socket", ENOMEM);
  s->env = env;
  if (argc == 1) {
    s->fd = timerfd_create(to_int(env, argv[0]), TFD_NONBLOCK | TFD_CLOEXEC);
  } else {
    s->domain = to_int(env, argv[0]);
    s->fd = socket(s->domain, to_int(env, argv[1]) | SOCK_NONBLOCK | SOCK_CLOEXEC, to_int(env, argv[2]));
  }
  if (s->fd < 0) {
    int e = errno;
    free(s);
    return throw_errno(env, argc == 1 ? "timerfd_create" : "socket", e);
  }
  if (napi_wrap(env, self, s, finalize, NULL, NULL) != napi_ok) {
    close(s->fd);
    free(s);
    return throw_errno(env, "socket", EINVAL);
  }
  napi_add_async_cleanup_hook(env, environment_ends, s, &s->hook);
  return self;
}

static napi_value socket_close(napi_env env, napi_callback_info info) {
  napi_value self;
  Socket *s = NULL;
  napi_get_cb_info(env, info, NULL, NULL, &self, NULL);
  if (napi_unwrap(env, self, (void **)&s) == napi_ok && s->fd >= 0) shut(s, NULL);
  return NULL;
}

/* ---- set-up ---- */

static napi_value socket_bind(napi_env env, napi_callback_info info) {
  METHOD(1, "bind");
  void *address;
  size_t length;
  if (!to_bytes(env, argv[0], &address, &length)) return throw_errno(env, "bind", EINVAL);
  if (bind(s->fd, address, length)) return throw_errno(env, "bind", errno);
  return NULL;
}

static napi_value socket_set_option(napi_env env, napi_callback_info info) {
  METHOD(3, "setsockopt");
  void *data;
  size_t length;
  int number;
  napi_valuetype type;
  napi_typeof(env, argv[2], &type);
  if (type == napi_number) {
    number = to_int(env, argv[2]);
    data = &number;
    length = sizeof number;
  } else if (!to_bytes(env, argv[2], &data, &length)) {
    return throw_errno(env, "setsockopt", EINVAL);
  }
  if (setsockopt(s->fd, to_int(env, argv[0]), to_int(env, argv[1]), data, length))
    return throw_errno(env, "setsockopt", errno);
  return NULL;
}

typedef struct {
  napi_async_work work;
  int fd, level, option;
  size_t length;
  uint8_t data[ADDRESS_SPACE];
} Later;

static void later_execute(napi_env env, void *data) {
  Later *later = data;
  (void)env;
  /* What it brings is not told: the NIC may be gone by now, and its coming back asks again. */
  (void)setsockopt(later->fd, later->level, later->option, later->data, later->length);
  close(later->fd);
}

static void later_complete(napi_env env, napi_status status, void *data) {
  Later *later = data;
  if (status == napi_cancelled) close(later->fd);
  napi_delete_async_work(env, later->work);
  free(later);
}

/* setOptionLater(level, option, bytes): on libuv's pool, for options that wait for rtnl inside the kernel */
static napi_value socket_set_option_later(napi_env env, napi_callback_info info) {
  METHOD(3, "setsockopt");
  void *data;
  size_t length;
  napi_value name;
  if (!to_bytes(env, argv[2], &data, &length) || length > ADDRESS_SPACE) return throw_errno(env, "setsockopt", EINVAL);
  Later *later = calloc(1, sizeof *later);
  if (!later) return throw_errno(env, "setsockopt", ENOMEM);
  /* A descriptor of its own: the socket may be closed, and its number be another's, before the pool gets to it. */
  later->fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
  if (later->fd < 0) {
    free(later);
    return throw_errno(env, "fcntl", errno);
  }
  later->level = to_int(env, argv[0]);
  later->option = to_int(env, argv[1]);
  later->length = length;
  memcpy(later->data, data, length);
  napi_create_string_utf8(env, "baton.socket", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, later_execute, later_complete, later, &later->work);
  napi_queue_async_work(env, later->work);
  return NULL;
}

static napi_value socket_get_option(napi_env env, napi_callback_info info) {
  METHOD(3, "getsockopt");
  void *data;
  size_t size;
  if (!to_bytes(env, argv[2], &data, &size)) return throw_errno(env, "getsockopt", EINVAL);
  socklen_t length = size;
  if (getsockopt(s->fd, to_int(env, argv[0]), to_int(env, argv[1]), data, &length))
    return throw_errno(env, "getsockopt", errno);
  return from_int(env, length);
}

static napi_value socket_get_name(napi_env env, napi_callback_info info) {
  METHOD(1, "getsockname");
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  napi_value name;
  if (getsockname(s->fd, (struct sockaddr *)&address, &length)) return throw_errno(env, "getsockname", errno);
  napi_create_buffer_copy(env, length, &address, NULL, &name);
  return name;
}

/* setFilter(program): classic BPF, struct sock_filter one after the other */
static napi_value socket_set_filter(napi_env env, napi_callback_info info) {
  METHOD(1, "setsockopt");
  void *program;
  size_t length;
  if (!to_bytes(env, argv[0], &program, &length)) return throw_errno(env, "setsockopt", EINVAL);
  struct sock_fprog fprog = {length / sizeof(struct sock_filter), program};
  if (setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog))
    return throw_errno(env, "setsockopt", errno);
  return NULL;
}

/* setTime(ms, absolute): 0 disarms, a moment that is past fires at once */
static napi_value socket_set_time(napi_env env, napi_callback_info info) {
  METHOD(2, "timerfd_settime");
  double ms = 0;
  bool absolute = false;
  napi_get_value_double(env, argv[0], &ms);
  napi_get_value_bool(env, argv[1], &absolute);
  struct itimerspec when = {{0, 0}, {0, 0}};
  if (ms > 0) {
    when.it_value = timespec_of(ms);
    if (!when.it_value.tv_sec && !when.it_value.tv_nsec) when.it_value.tv_nsec = 1;
  }
  if (timerfd_settime(s->fd, absolute ? TFD_TIMER_ABSTIME : 0, &when, NULL))
    return throw_errno(env, "timerfd_settime", errno);
  return NULL;
}

/* ---- watching files ---- */

/* watch(fds, slab, slot, part, quietMax) */
static napi_value socket_watch(napi_env env, napi_callback_info info) {
  METHOD(5, "pread");
  int32_t *fds;
  uint8_t *slab;
  size_t count, length;
  int slot = to_int(env, argv[2]), part = to_int(env, argv[3]), quiet_max = to_int(env, argv[4]);
  if (s->domain || s->beat || !to_ints(env, argv[0], &fds, &count) || !to_bytes(env, argv[1], &slab, &length) || slot < 1 ||
      slot > FILE_SLOT_MAX || part < 1 || quiet_max < 1 || count > length / slot)
    return throw_errno(env, "pread", EINVAL);
  Beat *beat = calloc(1, sizeof *beat);
  if (!beat) return throw_errno(env, "pread", ENOMEM);
  beat->fds = fds;
  beat->slab = slab;
  beat->count = count;
  beat->slot = slot;
  beat->part = part;
  beat->quiet_max = quiet_max;
  napi_create_reference(env, argv[0], 1, &beat->fds_ref);
  napi_create_reference(env, argv[1], 1, &beat->slab_ref);
  s->beat = beat;
  return NULL;
}

/* Reads the next files; how many texts are others than before. A file that cannot be read has an empty one. */
static int look(Beat *beat) {
  int changed = 0;
  if (beat->at >= beat->count) beat->at = 0;
  for (uint32_t i = 0; i < beat->part && beat->at < beat->count; i++, beat->at++) {
    uint8_t text[FILE_SLOT_MAX] = {0}, *before = beat->slab + (size_t)beat->at * beat->slot;
    int fd = beat->fds[beat->at];
    if (fd >= 0 && pread(fd, text, beat->slot, 0) < 0) memset(text, 0, sizeof text);
    if (memcmp(text, before, beat->slot) == 0) continue;
    memcpy(before, text, beat->slot);
    changed++;
  }
  return changed;
}

static napi_value socket_look(napi_env env, napi_callback_info info) {
  METHOD(1, "pread");
  if (!s->beat) return throw_errno(env, "pread", EINVAL);
  return from_int(env, look(s->beat));
}

/* setBeat(everyMs, due): from now on, without end */
static napi_value socket_set_beat(napi_env env, napi_callback_info info) {
  METHOD(2, "timerfd_settime");
  double every = 0;
  napi_typedarray_type type;
  void *due;
  size_t length;
  napi_get_value_double(env, argv[0], &every);
  if (!s->beat || s->beat->due_ref || !(every >= 1) ||
      napi_get_typedarray_info(env, argv[1], &type, &length, &due, NULL, NULL) != napi_ok ||
      type != napi_float64_array || length < 1)
    return throw_errno(env, "timerfd_settime", EINVAL);
  napi_create_reference(env, argv[1], 1, &s->beat->due_ref);
  s->beat->due = due;
  s->beat->every = every;
  s->beat->due[0] = now_ms() + every;
  struct itimerspec when = {timespec_of(every), timespec_of(s->beat->due[0])};
  if (timerfd_settime(s->fd, TFD_TIMER_ABSTIME, &when, NULL)) return throw_errno(env, "timerfd_settime", errno);
  return NULL;
}

/* A beat is told when something changed, when others were slept through, and each `quiet_max` of them. */
static bool is_told(Beat *beat, int expirations) {
  beat->beats += expirations;
  return look(beat) > 0 || expirations > 1 || beat->beats >= beat->quiet_max;
}

/* ---- sending ---- */

/* send(bytes, address | null) -> bytes sent or -errno */
static napi_value socket_send(napi_env env, napi_callback_info info) {
  METHOD(2, "send");
  void *data, *address;
  size_t length, address_length;
  ssize_t r;
  if (!to_bytes(env, argv[0], &data, &length)) return throw_errno(env, "send", EINVAL);
  to_bytes(env, argv[1], &address, &address_length);
  if (s->domain == AF_NETLINK) {
    /* A system call of its own, so that an observer outside can tell changes of the kernel's state from packets. */
    struct iovec vector = {data, length};
    struct msghdr message = {.msg_name = address, .msg_namelen = address_length, .msg_iov = &vector, .msg_iovlen = 1};
    r = sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    r = sendto(s->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address_length);
  }
  return from_int(env, r < 0 ? -errno : (int)r);
}

/* sendBatch(slab, spans, count, addresses | null, addressLength) -> messages sent, or -errno if the first one failed */
static napi_value socket_send_batch(napi_env env, napi_callback_info info) {
  METHOD(5, "sendmmsg");
  uint8_t *slab, *addresses;
  int32_t *spans;
  size_t length, ints, addresses_length;
  if (!to_bytes(env, argv[0], &slab, &length) || !to_ints(env, argv[1], &spans, &ints))
    return throw_errno(env, "sendmmsg", EINVAL);
  int count = to_int(env, argv[2]), stride = 0, sent = 0;
  if (to_bytes(env, argv[3], &addresses, &addresses_length)) stride = to_int(env, argv[4]);
  if (count < 0 || (size_t)count > ints / 2 || stride < 0 || (stride && (size_t)count > addresses_length / stride))
    return throw_errno(env, "sendmmsg", EINVAL);
  for (int i = 0; i < count; i++)
    if (spans[2 * i] < 0 || spans[2 * i + 1] < 0 || (size_t)spans[2 * i] + (size_t)spans[2 * i + 1] > length)
      return throw_errno(env, "sendmmsg", EINVAL);
  struct mmsghdr messages[BATCH_MAX];
  struct iovec vectors[BATCH_MAX];
  while (sent < count) {
    int n = count - sent < BATCH_MAX ? count - sent : BATCH_MAX;
    memset(messages, 0, sizeof messages[0] * n);
    for (int i = 0; i < n; i++) {
      int32_t *span = spans + 2 * (sent + i);
      vectors[i] = (struct iovec){slab + span[0], span[1]};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      if (stride) messages[i].msg_hdr.msg_name = addresses + (size_t)(sent + i) * stride;
      messages[i].msg_hdr.msg_namelen = stride;
    }
    int r = sendmmsg(s->fd, messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r <= 0) return from_int(env, sent ? sent : -errno);
    sent += r;
    if (r < n) break;
  }
  return from_int(env, sent);
}

/* ---- receiving ---- */

/* attach(slab, meta, slots): where messages go; meta has length, flags, address length and ifindex (pktinfo, else 0) for each */
static napi_value socket_attach(napi_env env, napi_callback_info info) {
  METHOD(3, "recvmmsg");
  uint8_t *slab;
  int32_t *meta;
  size_t length, ints;
  uint32_t slots = to_int(env, argv[2]);
  if (s->slab) return throw_errno(env, "recvmmsg", EALREADY);
  if (!to_bytes(env, argv[0], &slab, &length) || !to_ints(env, argv[1], &meta, &ints) || slots < 1 ||
      slots > BATCH_MAX || ints < 4 * slots || length / slots <= ADDRESS_SPACE)
    return throw_errno(env, "recvmmsg", EINVAL);
  s->slots = slots;
  s->slot = length / slots;
  napi_create_reference(env, argv[0], 1, &s->slab_ref);
  napi_create_reference(env, argv[1], 1, &s->meta_ref);
  s->meta = meta;
  s->slab = slab;
  return NULL;
}

/* Where a datagram came in, if the socket asks for it (IP_PKTINFO, IPV6_RECVPKTINFO). */
static int32_t arrival_of(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
      return ((struct in_pktinfo *)(void *)CMSG_DATA(c))->ipi_ifindex;
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
      return (int32_t)((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex;
  }
  return 0;
}

static int receive_batch(Socket *s) {
  struct mmsghdr messages[BATCH_MAX];
  struct iovec vectors[BATCH_MAX];
  _Alignas(struct cmsghdr) uint8_t control[BATCH_MAX][CONTROL_SPACE];
  bool has_control = s->domain == AF_INET || s->domain == AF_INET6;
  if (!s->slab) return -EINVAL;
  memset(messages, 0, sizeof messages[0] * s->slots);
  for (uint32_t i = 0; i < s->slots; i++) {
    uint8_t *slot = s->slab + (size_t)i * s->slot;
    vectors[i] = (struct iovec){slot + ADDRESS_SPACE, s->slot - ADDRESS_SPACE};
    messages[i].msg_hdr.msg_name = slot;
    messages[i].msg_hdr.msg_namelen = ADDRESS_SPACE;
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    if (!has_control) continue;
    messages[i].msg_hdr.msg_control = control[i];
    messages[i].msg_hdr.msg_controllen = CONTROL_SPACE;
  }
  int r = recvmmsg(s->fd, messages, s->slots, MSG_DONTWAIT | MSG_TRUNC, NULL);
  if (r < 0) return -errno;
  for (int i = 0; i < r; i++) {
    s->meta[4 * i] = messages[i].msg_len;
    s->meta[4 * i + 1] = messages[i].msg_hdr.msg_flags;
    s->meta[4 * i + 2] = messages[i].msg_hdr.msg_namelen;
    s->meta[4 * i + 3] = has_control ? arrival_of(&messages[i].msg_hdr) : 0;
  }
  return r;
}

static napi_value socket_receive(napi_env env, napi_callback_info info) {
  METHOD(1, "recvmmsg");
  return from_int(env, receive_batch(s));
}

/* receiveWait(timeoutMs): blocks the thread; 0 when nothing came */
static napi_value socket_receive_wait(napi_env env, napi_callback_info info) {
  METHOD(1, "poll");
  double timeout = 0, end;
  napi_get_value_double(env, argv[0], &timeout);
  end = now_ms() + timeout;
  for (;;) {
    struct pollfd pollfd = {s->fd, POLLIN, 0};
    double left = end - now_ms();
    struct timespec wait = {0, 0};
    if (left > 0) wait = timespec_of(left);
    int r = ppoll(&pollfd, 1, &wait, NULL);
    if (r == 0) return from_int(env, 0);
    if (r < 0 && errno != EINTR) return from_int(env, -errno);
    if (r > 0 && (r = receive_batch(s)) != -EAGAIN) return from_int(env, r);
  }
}

static void on_ready(uv_poll_t *handle, int status, int events) {
  Socket *s = ((Poll *)handle)->socket;
  int r = 0;
  (void)events;
  if (status < 0) {
    /* libuv stops watching a socket with a pending error (ENETDOWN, ENOBUFS) and calls it EBADF; the truth is in SO_ERROR. */
    socklen_t length = sizeof r;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &r, &length);
    r = -r;
    uv_poll_start(&s->poll->uv, UV_READABLE, on_ready);
  }
  if (r == 0 && s->domain == 0) {
    uint64_t expirations = 0;
    r = read(s->fd, &expirations, sizeof expirations) < 0 ? -errno : (int)expirations;
  } else if (r == 0) {
    r = receive_batch(s);
  }
  if (r == -EAGAIN || r == -EINTR) return;
  Beat *beat = s->beat;
  int expirations = r;
  if (beat && r > 0) {
    if (!is_told(beat, expirations)) {
      beat->due[0] += expirations * beat->every;
      return;
    }
    r = beat->beats;
    beat->beats = 0;
  }
  napi_env env = s->env;
  napi_handle_scope scope;
  napi_value callback, self, argument, thrown;
  napi_open_handle_scope(env, &scope);
  napi_get_reference_value(env, s->callback, &callback);
  napi_get_reference_value(env, s->self, &self);
  napi_create_int32(env, r, &argument);
  if (napi_make_callback(env, s->context, self, callback, 1, &argument, NULL) == napi_pending_exception) {
    napi_get_and_clear_last_exception(env, &thrown);
    napi_fatal_exception(env, thrown);
  }
  /* Late until it was told; the callback may have closed the socket. */
  if (s->beat && expirations > 0) s->beat->due[0] += expirations * s->beat->every;
  napi_close_handle_scope(env, scope);
}

/* start(callback): callback(count or -errno) from the loop, one batch (or one expiry) a call */
static napi_value socket_start(napi_env env, napi_callback_info info) {
  METHOD(1, "poll");
  napi_value name;
  uv_loop_t *loop;
  if (s->poll) return throw_errno(env, "poll", EALREADY);
  if (s->domain && !s->slab) return throw_errno(env, "poll", EINVAL);
  Poll *poll = calloc(1, sizeof *poll);
  if (!poll) return throw_errno(env, "poll", ENOMEM);
  poll->socket = s;
  napi_get_uv_event_loop(env, &loop);
  int r = uv_poll_init(loop, &poll->uv, s->fd);
  if (r) {
    free(poll);
    return throw_errno(env, "poll", -r);
  }
  s->poll = poll;
  napi_create_string_utf8(env, "baton.socket", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &s->context);
  napi_create_reference(env, argv[0], 1, &s->callback);
  napi_create_reference(env, self, 1, &s->self);
  uv_poll_start(&poll->uv, UV_READABLE, on_ready);
  return NULL;
}

void define_socket(napi_env env, napi_value exports) {
  napi_property_descriptor methods[] = {
      ENTRY("bind", socket_bind),
      ENTRY("setOption", socket_set_option),
      ENTRY("setOptionLater", socket_set_option_later),
      ENTRY("getOption", socket_get_option),
      ENTRY("getName", socket_get_name),
      ENTRY("setFilter", socket_set_filter),
      ENTRY("setTime", socket_set_time),
      ENTRY("watch", socket_watch),
      ENTRY("look", socket_look),
      ENTRY("setBeat", socket_set_beat),
      ENTRY("send", socket_send),
      ENTRY("sendBatch", socket_send_batch),
      ENTRY("attach", socket_attach),
      ENTRY("receive", socket_receive),
      ENTRY("receiveWait", socket_receive_wait),
      ENTRY("start", socket_start),
      ENTRY("close", socket_close),
  };
  napi_value class;
  napi_define_class(env, "Socket", NAPI_AUTO_LENGTH, socket_new, NULL, sizeof methods / sizeof *methods, methods, &class);
  napi_set_named_property(env, exports, "Socket", class);
}

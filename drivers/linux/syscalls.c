/* System calls that need no socket of their own: many files read at once, names and numbers of NICs, the thread's own manners. */
#define _GNU_SOURCE
#include "native.h"
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* readBatch(fds, slab, slot, lengths) -> how many failed; each file from its beginning, the rest of its slot zeroed */
static napi_value read_batch(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int32_t *fds, *lengths;
  uint8_t *slab;
  size_t count, size, lengths_count;
  int failed = 0, slot = to_int(env, argv[2]);
  if (!to_ints(env, argv[0], &fds, &count) || !to_bytes(env, argv[1], &slab, &size) ||
      !to_ints(env, argv[3], &lengths, &lengths_count) || slot < 1 || count > size / slot || count > lengths_count)
    return throw_errno(env, "pread", EINVAL);
  for (size_t i = 0; i < count; i++) {
    uint8_t *bytes = slab + i * slot;
    ssize_t r = fds[i] < 0 ? -EBADF : pread(fds[i], bytes, slot, 0);
    if (r < 0) lengths[i] = fds[i] < 0 ? -EBADF : -errno;
    else lengths[i] = r;
    if (r < 0) failed++;
    memset(bytes + (r < 0 ? 0 : r), 0, slot - (r < 0 ? 0 : r));
  }
  return from_int(env, failed);
}

/* readNames(ifindexes, slab): the present name of each in IFNAMSIZ bytes, zeroes where there is none; takes no rtnl */
static napi_value read_names(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int32_t *ifindexes;
  uint8_t *slab;
  size_t count, size;
  if (!to_ints(env, argv[0], &ifindexes, &count) || !to_bytes(env, argv[1], &slab, &size) || count > size / IFNAMSIZ)
    return throw_errno(env, "ioctl", EINVAL);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, "socket", errno);
  for (size_t i = 0; i < count; i++) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_ifindex = ifindexes[i];
    memset(slab + i * IFNAMSIZ, 0, IFNAMSIZ);
    if (ifindexes[i] > 0 && ioctl(fd, SIOCGIFNAME, &request) == 0)
      memcpy(slab + i * IFNAMSIZ, request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ));
  }
  close(fd);
  return NULL;
}

static napi_value ifindex(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char name[IFNAMSIZ * 2] = "";
  napi_get_value_string_utf8(env, argv[0], name, sizeof name, NULL);
  unsigned index = if_nametoindex(name);
  if (!index && errno != ENODEV && errno != ENXIO) return throw_errno(env, "ioctl", errno);
  return from_int(env, (int)index);
}

static napi_value set_thread_name(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char name[16] = "";
  napi_get_value_string_utf8(env, argv[0], name, sizeof name, NULL);
  if (prctl(PR_SET_NAME, name, 0, 0, 0)) return throw_errno(env, "prctl", errno);
  return NULL;
}

static napi_value set_scheduler(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct sched_param param = {.sched_priority = to_int(env, argv[1])};
  if (sched_setscheduler(0, to_int(env, argv[0]), &param)) return throw_errno(env, "sched_setscheduler", errno);
  return NULL;
}

void define_syscalls(napi_env env, napi_value exports) {
  napi_property_descriptor functions[] = {
      ENTRY("readBatch", read_batch),
      ENTRY("readNames", read_names),
      ENTRY("ifindex", ifindex),
      ENTRY("setThreadName", set_thread_name),
      ENTRY("setScheduler", set_scheduler),
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}

NAPI_MODULE_INIT() {
  define_socket(env, exports);
  define_syscalls(env, exports);
  define_disk(env, exports);
  define_line(env, exports);
  return exports;
}
